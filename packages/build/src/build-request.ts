/**
 * What a builder is asked to run: a command among castore nodes. Everything that the result may depend on is in it, so that
 * a builder needs to know nothing of whoever asks. The fields are those of `snix.build.v1.BuildRequest`; what that has
 * not says so.
 *
 * Paths inside of the sandbox are relative to its root and clean: no empty component, no `.`, no `..`, no slash at either
 * end. `checkBuildRequest` enforces all rules stated here.
 */
import type { Node } from '@neve/castore';

export type BuildRequest = {
  /** What lies in `inputsDirectory`, by name: all of it, and read-only. */
  readonly inputs: ReadonlyMap<string, Node>;
  readonly inputsDirectory: string;
  /** The program, an absolute path inside of the sandbox, and its arguments, without `argv[0]`. No NUL. */
  readonly command: readonly [program: string, ...parameters: string[]];
  /** What the program sees as its own name; the last component of its path unless given. Not in the protocol. */
  readonly programName?: string;
  readonly workingDirectory: string;
  /** Folders that are empty and can be written to. The outputs lie in them. */
  readonly scratchPaths: readonly string[];
  /** What the command has to make, a path each. */
  readonly outputs: readonly string[];
  /** Names without `=` and NUL, values without NUL. There are no others. */
  readonly environment: ReadonlyMap<string, Uint8Array>;
  /** More files, below a scratch path. They belong to the command's user and can be written to. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Byte strings that are looked for in the outputs: contents, names and targets of links. */
  readonly needles: readonly Uint8Array[];
  readonly constraints: BuildConstraints;
  /** Not in the protocol. */
  readonly limits: BuildLimits;
};

export type BuildConstraints = {
  /** As in `x86_64-linux`. */
  readonly system: string;
  /** Memory that the host must have, in bytes. */
  readonly minMemoryBytes: number;
  /** Absolute paths of the host that are seen at the same place, read-only, `/dev/kvm` for example. */
  readonly readOnlyPaths: readonly string[];
  /** Paths of the host that are seen elsewhere. Not in the protocol. */
  readonly hostPaths: readonly HostPath[];
  /** Whether the network of the host is there; without it there is a loopback interface and nothing else. */
  readonly network: boolean;
  /** Whether there is a `/bin/sh`. */
  readonly binSh: boolean;
  /** Whether the command is user 0 and has 65,536 users to give out. Not in the protocol. */
  readonly userRange: boolean;
  /** `none` shows the files of the host beside the inputs, and its network. Not in the protocol. */
  readonly isolation: 'full' | 'none';
};

/** Files are bound read-only, folders as they are: what an administrator lets builds see. */
export type HostPath = {
  /** Absolute, inside of the sandbox. */
  readonly target: string;
  /** Absolute, on the host. */
  readonly source: string;
  /** It is left out where the host has it not. */
  readonly optional: boolean;
};

/** Without a number there is no limit. */
export type BuildLimits = {
  readonly timeMs?: number | undefined;
  readonly silenceMs?: number | undefined;
  readonly logBytes?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly processes?: number | undefined;
  /** Of everything in the scratch paths together, while it runs and afterwards. */
  readonly scratchBytes?: number | undefined;
};
