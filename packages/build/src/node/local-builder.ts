/**
 * Runs builds on this machine. What is in its folder, which several processes may use:
 *
 *     inputs/   checkouts (`input-checkouts.ts`)
 *     builds/   builds under way (`build-folders.ts`)
 *     users/    locks of build users (`build-users.ts`)
 *     empty/    an empty folder
 *     launcher-…
 *
 * A build: check the request, take a user, make the folder, check the inputs out, make the root, run, import what was made,
 * remove the folder. Whatever ends it, nothing of it is left.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { freemem, release } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type BlobService, type DirectoryService, abortable } from '@neve/castore';
import type { BlobFiles } from '@neve/castore/node';
import { inSpan } from '@neve/telemetry';
import { BuildError, type ExitStatus } from '../build-error.ts';
import type { BuildRequest } from '../build-request.ts';
import type { BuildOptions, BuildResult, BuildService } from '../build-service.ts';
import { checkBuildRequest } from '../check-build-request.ts';
import { PhaseSpans } from '../phase-spans.ts';
import { BuildFolders, moveFolder } from './build-folders.ts';
import { type BuildRoot, makeBuildRoot } from './build-root.ts';
import { type BuildUser, BuildUsers, type TakenUser } from './build-users.ts';
import { findCaBundle, findStaticShell, hostSystems, is32Bit } from './host.ts';
import { importOutputs } from './import-outputs.ts';
import { type CheckoutNode, InputCheckouts } from './input-checkouts.ts';
import type { Command } from './sandbox/command-program.ts';
import { type ChosenSandbox, type SandboxName, chooseSandbox } from './sandbox/choose-sandbox.ts';
import { installLauncher } from './sandbox/launcher.ts';
import { runInSandbox } from './sandbox/run-in-sandbox.ts';
import type { SandboxUser, UserIds } from './sandbox/sandbox.ts';
import { LimitWatch } from './watch-limits.ts';

export type LocalBuilderOptions = {
  /** For checkouts and builds; on the file system of `files`, if there are any, so that files can be shared. */
  readonly folder: string;
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  /** Where blobs are files already. */
  readonly files?: BlobFiles | undefined;
  /** Which kind of sandbox; the first that works, in the order of `sandboxNames`, unless given. */
  readonly sandbox?: SandboxName | undefined;
  /** What is `/bin/sh` inside: a static shell. `busybox` of this machine unless given. */
  readonly binSh?: string | undefined;
  /** Certificates for builds with a network; those of the distribution unless given. */
  readonly caBundle?: string | undefined;
  /** For root: whom builds run as, one build at a time each. Without, they are the caller. */
  readonly buildUsers?: readonly BuildUser[] | undefined;
  /** Where programs are looked for, such as `bwrap`; the usual folders unless given. */
  readonly programFolders?: readonly string[] | undefined;
  /** The script of a thread that reads outputs, as `FileSystemEntriesOptions.readerScript`. */
  readonly readerScript?: URL | undefined;
};

export interface LocalBuilder extends BuildService {
  /** Inputs as files, for garbage collection. */
  readonly checkouts: InputCheckouts;
  /** The kind of sandbox. Throws `BuildError` (`no-sandbox`). */
  sandboxName(): Promise<SandboxName>;
}

const rangeUsers = 65_536;
const insideOrdinary: UserIds = { uid: 1000, gid: 100 };
const insideRange: UserIds = { uid: 0, gid: 0 };

/** Removes what ended processes left in the folder. Throws `BuildError` (`no-sandbox`, `io`). */
export async function localBuilder(options: LocalBuilderOptions): Promise<LocalBuilder> {
  const folder = resolve(options.folder);
  try {
    const empty = join(folder, 'empty');
    await mkdir(empty, { recursive: true });
    const builds = await BuildFolders.open(join(folder, 'builds'));
    const inputs = { ...options, folder: join(folder, 'inputs') };
    const checkouts = await InputCheckouts.open(inputs, builds);
    const users =
      options.buildUsers === undefined
        ? undefined
        : await BuildUsers.open(join(folder, 'users'), options.buildUsers);
    // Build users pass through, and see nothing.
    if (users !== undefined) await chmod(folder, 0o711);
    const parts = { builds, checkouts, users, empty, launcher: installLauncher(folder) };
    return new Builder(options, parts);
  } catch (cause) {
    if (cause instanceof BuildError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BuildError('io', `the folder of the builder, '${folder}', cannot be used: ${reason}`, {
      cause,
    });
  }
}

type BuilderParts = {
  readonly builds: BuildFolders;
  readonly checkouts: InputCheckouts;
  readonly users: BuildUsers | undefined;
  readonly empty: string;
  readonly launcher: string;
};

/** A build that has all that it needs. */
type PreparedBuild = {
  readonly request: BuildRequest;
  readonly folder: string;
  readonly root: BuildRoot;
  readonly options: BuildOptions;
};

const maxAttempts = 3;

class Builder implements LocalBuilder {
  readonly checkouts: InputCheckouts;
  readonly #options: LocalBuilderOptions;
  readonly #parts: BuilderParts;
  #sandbox: Promise<ChosenSandbox> | undefined;
  readonly #running = new Set<Promise<unknown>>();
  readonly #disposal = new AbortController();

  constructor(options: LocalBuilderOptions, parts: BuilderParts) {
    this.#options = options;
    this.#parts = parts;
    this.checkouts = parts.checkouts;
  }

  async systems(): Promise<readonly string[]> {
    return hostSystems();
  }

  async sandboxName(): Promise<SandboxName> {
    return (await this.#chosen()).name;
  }

  async build(request: BuildRequest, options: BuildOptions = {}): Promise<BuildResult> {
    const signal = AbortSignal.any([
      this.#disposal.signal,
      ...(options.signal === undefined ? [] : [options.signal]),
    ]);
    const running = this.#build(request, { ...options, signal });
    this.#running.add(running);
    try {
      return await running;
    } catch (cause) {
      if (options.signal?.aborted === true || cause instanceof BuildError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new BuildError('io', `the build could not be run: ${reason}`, { cause });
    } finally {
      this.#running.delete(running);
    }
  }

  async forgetInputs(): Promise<void> {
    await this.checkouts.remove(await this.checkouts.list());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort(new BuildError('io', 'the builder was closed while it built'));
    await Promise.allSettled(this.#running);
    await this.checkouts[Symbol.asyncDispose]();
  }

  async #build(request: BuildRequest, options: BuildOptions): Promise<BuildResult> {
    checkBuildRequest(request);
    this.#checkSupported(request);
    const { sandbox } = await this.#chosen();
    if (request.constraints.userRange && !sandbox.hasUserRange) {
      throw new BuildError(
        'unsupported',
        `a ${sandbox.name} sandbox has only one user, and the build wants more`,
      );
    }
    for (let attempt = 1; ; attempt++) {
      await using taken = await this.#takeUser(request, options.signal);
      const user = sandboxUser(request, taken?.user);
      try {
        return await this.#buildAs(user, request, options);
      } catch (cause) {
        // A checkout may be removed until it is mounted.
        const isAgain = cause instanceof BuildError && cause.code === 'no-sandbox' && attempt < maxAttempts;
        if (!isAgain || (await this.#hasAll(request))) throw cause;
      }
    }
  }

  async #buildAs(user: SandboxUser, request: BuildRequest, options: BuildOptions): Promise<BuildResult> {
    const { builds, empty: emptyFolder } = this.#parts;
    const isOther = user.outside.uid !== process.getuid?.();
    await using folder = await builds.create(isOther ? user.outside : undefined);
    const checkouts = await inSpan('build.prepare-root', {}, () => this.#checkOut(request, options.signal));
    options.signal?.throwIfAborted();
    const root = makeBuildRoot({
      request,
      folder: folder.path,
      emptyFolder,
      user,
      checkouts,
      binSh: this.#options.binSh ?? findStaticShell(this.#options.programFolders),
      caBundle: this.#options.caBundle ?? findCaBundle(),
    });
    try {
      return await this.#runAndImport({ request, folder: folder.path, root, options });
    } catch (cause) {
      throw await keepFailed(cause, root, options);
    }
  }

  async #runAndImport(build: PreparedBuild): Promise<BuildResult> {
    const { request, options, root } = build;
    const status = await inSpan('build.run', {}, async (span) => {
      const phases = new PhaseSpans(span?.context);
      const ended = await this.#run(build, phases).finally(() => phases.end());
      span?.set({ 'build.status': showStatus(ended) });
      return ended;
    });
    if (!('code' in status) || status.code !== 0) {
      throw new BuildError('failed', `the build failed ${showStatus(status)}`, { status });
    }
    const { observe, signal } = options;
    return {
      outputs: await inSpan('build.import-outputs', {}, () =>
        importOutputs(request, this.#options, { root, observe, signal }),
      ),
    };
  }

  async #run({ request, folder, root, options }: PreparedBuild, phases: PhaseSpans): Promise<ExitStatus> {
    const { signal } = options;
    using watch = new LimitWatch(request.limits);
    const { sandbox } = await this.#chosen();
    const run = await runInSandbox({
      sandbox,
      plan: root.plan,
      command: commandOf(request),
      folder,
      launcher: this.#parts.launcher,
      onLog: (bytes) => {
        phases.write(bytes);
        if (watch.log(bytes)) options.onLog?.(bytes);
      },
      onStart: () => {
        const { scratchFolders } = root;
        watch.start({ pid: run.pid, scratchFolders, kill: () => run.kill() });
        options.onStart?.();
      },
    });
    const abort = (): void => run.kill();
    signal?.addEventListener('abort', abort);
    if (signal?.aborted === true) run.kill();
    try {
      const status = await run.ended;
      signal?.throwIfAborted();
      watch.finish();
      if (watch.error !== undefined) throw watch.error;
      return status;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Files and directories among the inputs, by their names. */
  async #checkOut(
    { inputs }: BuildRequest,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, string>> {
    const paths = new Map<string, string>();
    const waiting: Promise<unknown>[] = [];
    for (const [name, node] of inputs) {
      if (node.kind !== 'symlink') waiting.push(this.checkouts.path(node).then((it) => paths.set(name, it)));
    }
    await abortable(Promise.all(waiting), signal);
    return paths;
  }

  async #hasAll({ inputs }: BuildRequest): Promise<boolean> {
    const nodes = [...inputs.values()].filter((it): it is CheckoutNode => it.kind !== 'symlink');
    return (await Promise.all(nodes.map((it) => this.checkouts.has(it)))).every(Boolean);
  }

  #checkSupported({ constraints }: BuildRequest): void {
    const { system, minMemoryBytes } = constraints;
    if (!hostSystems().includes(system)) {
      const own = hostSystems().join(', ');
      throw new BuildError('unsupported', `the build is for ${system}; this machine builds for ${own}`);
    }
    if (minMemoryBytes > freemem()) {
      const there = `this machine has ${freemem()}`;
      throw new BuildError('unsupported', `the build needs ${minMemoryBytes} bytes of memory, and ${there}`);
    }
  }

  async #takeUser(
    { constraints }: BuildRequest,
    signal: AbortSignal | undefined,
  ): Promise<TakenUser | undefined> {
    const { users } = this.#parts;
    const count = constraints.userRange ? rangeUsers : 1;
    if (users?.has(count) === true) return await users.take(count, signal);
    if (users === undefined && count === 1) return undefined;
    const problem = count === 1 ? 'there is no build user' : `no build user has ${count} users to give out`;
    throw new BuildError('unsupported', `${problem}; the build needs one`);
  }

  #chosen(): Promise<ChosenSandbox> {
    this.#sandbox ??= chooseSandbox(this.#options.sandbox, {
      builds: this.#parts.builds,
      emptyFolder: this.#parts.empty,
      launcher: this.#parts.launcher,
      user: this.#options.buildUsers?.[0],
      programFolders: this.#options.programFolders,
    });
    return this.#sandbox;
  }
}

function sandboxUser({ constraints }: BuildRequest, user: BuildUser | undefined): SandboxUser {
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const { userRange } = constraints;
  return {
    inside: userRange ? insideRange : insideOrdinary,
    outside: user === undefined ? own : { uid: user.uid, gid: user.gid },
    count: userRange ? rangeUsers : 1,
  };
}

function commandOf({
  command,
  programName,
  environment,
  workingDirectory,
  constraints,
  limits,
}: BuildRequest): Command {
  const [program, ...parameters] = command;
  return {
    program,
    argv: [programName ?? basename(program), ...parameters],
    environment,
    workingDirectory: `/${workingDirectory}`,
    is32Bit: is32Bit(constraints.system),
    limits: { processes: kernelProcessLimit(limits.processes), fileBytes: limits.scratchBytes },
  };
}

/** Until it is seen that there are too many processes, there may be so many times more. */
const processSlack = 4;

/** Since Linux 5.14 the kernel counts the processes of a user in each namespace by itself, except for those of root. */
function kernelProcessLimit(processes: number | undefined): number | undefined {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (processes === undefined || major < 5 || (major === 5 && minor < 14)) return undefined;
  return Math.ceil(processes * processSlack);
}

function showStatus(status: ExitStatus): string {
  return 'code' in status ? `with exit code ${status.code}` : `due to signal ${status.signal}`;
}

/** Moves the first scratch path of a build that failed by itself to where it was wanted. */
async function keepFailed(cause: unknown, root: BuildRoot, { keepFailedIn }: BuildOptions): Promise<unknown> {
  const [scratch] = root.scratchFolders;
  if (keepFailedIn === undefined || scratch === undefined || !(cause instanceof BuildError)) return cause;
  if (cause.code === 'no-sandbox' || cause.code === 'unsupported') return cause;
  const keptAt = join(keepFailedIn, `build-${randomBytes(6).toString('hex')}`);
  await mkdir(keepFailedIn, { recursive: true });
  await moveFolder(scratch, keptAt);
  return new BuildError(cause.code, cause.message, { cause: cause.cause, status: cause.status, keptAt });
}
