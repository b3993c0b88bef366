/** Runs builds. Methods throw `BuildError`. */
import type { Node, TreeObserver } from '@neve/castore';
import type { BuildRequest } from './build-request.ts';

export interface BuildService extends AsyncDisposable {
  /**
   * Runs a request to its end. The inputs are in the castore of the builder; when it is fulfilled, so are the outputs.
   * Nothing of a build is left behind: no process, no mount, no folder. Aborting ends the build.
   */
  build(request: BuildRequest, options?: BuildOptions): Promise<BuildResult>;

  /** Systems that it builds for, as in `x86_64-linux`; the first is its own. */
  systems(signal?: AbortSignal): Promise<readonly string[]>;

  /** What is kept of inputs for later builds is made again: it may be damaged, as the store was. For services that keep any. */
  forgetInputs?(): Promise<void>;
}

export type BuildOptions = {
  /** Called with what the command prints, as it comes, both streams in one. */
  readonly onLog?: (bytes: Uint8Array) => void;
  /** Called when what the request needs has been prepared and the command starts. */
  readonly onStart?: () => void;
  /** Sees an output while it is imported. A builder elsewhere calls it for none. */
  readonly observe?: (output: string) => TreeObserver | undefined;
  /** A folder of the host, into which the first scratch path of a failed build is moved. */
  readonly keepFailedIn?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type BuildResult = {
  /** In the order of the request. */
  readonly outputs: readonly BuildOutput[];
};

export type BuildOutput = {
  readonly node: Node;
  /** Which needles of the request are in it: ascending indices. */
  readonly needles: readonly number[];
};
