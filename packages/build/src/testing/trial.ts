/** What every case of the suite has at hand: it runs scripts, and looks at what comes of them. */
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import {
  type BlobService,
  Directory,
  type DirectoryNode,
  type DirectoryService,
  type FileNode,
  type Node,
  pathComponent,
} from '@neve/castore';
import { BuildError, type BuildErrorCode } from '../build-error.ts';
import type { BuildRequest } from '../build-request.ts';
import type { BuildOptions, BuildResult, BuildService } from '../build-service.ts';
import { type TrialOptions, trialRequest } from './trial-request.ts';

/** Where services may differ. */
export type BuildTraits = {
  /** The system that it builds for. */
  readonly system: string;
  /** Whether it says which signal a command was ended by. */
  readonly saysSignal: boolean;
  /** Whether it is in this process, and so calls `observe`. */
  readonly observes: boolean;
};

export type BuildServiceUnderTest = {
  readonly service: BuildService;
  /** The castore of the service. */
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  readonly traits: BuildTraits;
};

export type Ran = { readonly result: BuildResult; readonly log: string };

export type TrialRun = TrialOptions & BuildOptions;

export class Trial {
  readonly service: BuildService;
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  readonly traits: BuildTraits;

  constructor({ service, blobs, directories, traits }: BuildServiceUnderTest) {
    this.service = service;
    this.blobs = blobs;
    this.directories = directories;
    this.traits = traits;
  }

  request(script: string, options: TrialOptions = {}): BuildRequest {
    const constraints = { system: this.traits.system, ...options.constraints };
    return trialRequest(script, { ...options, constraints });
  }

  async run(script: string, options: TrialRun = {}): Promise<Ran> {
    const pieces: Uint8Array[] = [];
    const { onStart, observe, keepFailedIn, signal, ...others } = options;
    const result = await this.service.build(this.request(script, others), {
      onLog: (bytes) => pieces.push(bytes.slice()),
      ...(onStart !== undefined && { onStart }),
      ...(observe !== undefined && { observe }),
      keepFailedIn,
      signal,
    });
    return { result, log: decodeUtf8(concatBytes(pieces)) };
  }

  /** What a script prints that also makes its output. */
  async printed(script: string, options: TrialRun = {}): Promise<string> {
    return (await this.run(`${script}\necho made > $out`, options)).log;
  }

  /** The error of a script that has to fail. */
  async failure(script: string, code: BuildErrorCode, options: TrialRun = {}): Promise<BuildError> {
    try {
      await this.run(script, options);
    } catch (error) {
      if (error instanceof BuildError && error.code === code) return error;
      throw new Error(`it should fail with '${code}', and fails otherwise: ${String(error)}`, {
        cause: error,
      });
    }
    throw new Error(`it should fail with '${code}', and goes well`);
  }

  async file(text: string, executable = false): Promise<FileNode> {
    const bytes = encodeUtf8(text);
    return { kind: 'file', digest: await this.blobs.put(bytes), size: bytes.length, executable };
  }

  async directory(entries: Readonly<Record<string, Node>>): Promise<DirectoryNode> {
    const directory = Directory.of(
      Object.entries(entries).map(([name, node]) => ({ name: pathComponent(name), node })),
    );
    await this.directories.put(directory);
    return directory.node;
  }

  /** A node as text: files as their contents, after `!` when executable. */
  async show(node: Node | undefined): Promise<unknown> {
    if (node === undefined) return undefined;
    if (node.kind === 'symlink') return `-> ${node.target.toString()}`;
    if (node.kind === 'file') return `${node.executable ? '!' : ''}${await this.#text(node)}`;
    const directory = await this.directories.get(node.digest);
    const shown: Record<string, unknown> = {};
    for (const entry of directory?.entries ?? []) shown[entry.name.toString()] = await this.show(entry.node);
    return shown;
  }

  async #text({ digest, size }: FileNode): Promise<string> {
    await using reader = await this.blobs.open(digest);
    if (reader === undefined) throw new Error('the contents of an output are not in the castore');
    return decodeUtf8(await reader.read(0, size));
  }
}

export function expect(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem);
}

/** Compares what can be JSON. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [JSON.stringify(actual, null, 1), JSON.stringify(expected, null, 1)];
  if (found !== wanted) throw new Error(`${what}: expected\n${wanted}\nand found\n${found}`);
}
