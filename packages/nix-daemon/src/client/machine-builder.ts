/**
 * Builds derivations on other machines, with a Nix that is asked over one of its protocols, and on this one by another
 * builder. The closure of the inputs goes there, what is there already left out; the derivation is built as it is, with its
 * inputs as store paths; the outputs come back, each compared with its NAR hash, and what they refer to with them.
 *
 * Only derivations whose outputs have known paths are built elsewhere. A machine that cannot be reached is not asked again,
 * and somebody else builds.
 */
import { type HashFunctions, decodeUtf8 } from '@neve/bytes';
import {
  type BuildResult,
  type Derivation,
  type Ed25519,
  type StoreDirectory,
  hasKnownOutputPaths,
  isBuildSuccess,
  mayUseNetwork,
  requiredSystemFeatures,
  storePathSet,
} from '@neve/nix-compat';
import {
  type BuildJob,
  type BuildJobOptions,
  type DerivationBuilder,
  type LogSink,
  LogTail,
  type Machine as LocalMachine,
  type ReadyDerivation,
  RealiseError,
  type ResolvedDerivation,
  isBuiltin,
  missingRequirements,
  resolvedDerivation,
} from '@neve/realise';
import { type PathInfo, StoreError, type StoreServices, copyClosure } from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { copyPathsToRemote } from './copy-to-remote.ts';
import { MachineSlots } from './machine-slots.ts';
import { type Machine, canBuild } from './machines.ts';
import { plainText } from './plain-text.ts';
import { RemotePathInfos } from './remote-path-infos.ts';
import type { RemoteBuildOptions, RemoteStore } from './remote-store.ts';

export type MachineBuilderOptions = {
  /** What builds here, and what may say no to a derivation before anybody builds it. */
  readonly local: DerivationBuilder;
  /** What can be built here, and how much at the same time. */
  readonly localMachine: LocalMachine;
  readonly localJobs: number;
  readonly machines: readonly Machine[];
  /** Opens the store of a machine. It is closed with the builder. */
  readonly open: (machine: Machine) => RemoteStore;
  readonly store: StoreServices;
  readonly storeDirectory: StoreDirectory;
  readonly hashes: HashFunctions;
  readonly ed25519: Ed25519;
  readonly limits: RemoteBuildOptions['limits'];
  /** Whether machines may get inputs from their own substituters. */
  readonly substitute: boolean;
  /** Where logs are kept; nowhere, without it. */
  readonly logs?: LogSink | undefined;
  /** How many of its last lines a failure shows. */
  readonly logLines: number;
  readonly warn: (message: string) => void;
};

type Job = {
  readonly ready: ReadyDerivation;
  readonly resolved: ResolvedDerivation;
  readonly local: BuildJob;
};

export class MachineBuilder implements DerivationBuilder, AsyncDisposable {
  readonly #options: MachineBuilderOptions;
  readonly #slots: MachineSlots;
  readonly #stores = new Map<Machine, RemoteStore>();

  constructor(options: MachineBuilderOptions) {
    this.#options = options;
    this.#slots = new MachineSlots(options.machines, options.localJobs);
  }

  allowsSubstitutes(derivation: Derivation): boolean {
    return this.#options.local.allowsSubstitutes(derivation);
  }

  fetchOf(...args: Parameters<DerivationBuilder['fetchOf']>): ReturnType<DerivationBuilder['fetchOf']> {
    return this.#options.local.fetchOf(...args);
  }

  async prepare(ready: ReadyDerivation, signal?: AbortSignal): Promise<BuildJob> {
    const local = await this.#options.local.prepare(ready, signal);
    const { drvPath: path, derivation, closure: inputs } = ready;
    const resolved = resolvedDerivation({ path, derivation, inputs, store: this.#options.storeDirectory });
    const job = { ready, resolved, local };
    return {
      lockedPaths: local.lockedPaths,
      present: (stop) => local.present(stop),
      build: (options) => this.#build(job, options),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#stores.values()].map((it) => it[Symbol.asyncDispose]()));
  }

  async #build(job: Job, options: BuildJobOptions): Promise<ReadonlyMap<string, PathInfo>> {
    const { resolved, local } = job;
    const system = decodeUtf8(resolved.derivation.system);
    const required = requiredSystemFeatures(resolved.options, resolved.type);
    const mayGo = options.mode !== 'check' && !isBuiltin(resolved) && hasKnownOutputPaths(resolved.type);
    const missingHere = missingRequirements(resolved, this.#options.localMachine);
    while (true) {
      const slot = await this.#slots.take(
        {
          fits: (machine) => mayGo && canBuild(machine, { system, required }),
          fitsHere: missingHere.length === 0,
          prefersHere: resolved.options.preferLocalBuild,
        },
        options.signal,
      );
      if (slot === undefined) {
        if (this.#options.localJobs === 0) throw this.#nobody(resolved, { system, required });
        // The local builder says what is missing.
        return await local.build(options);
      }
      try {
        if (slot.builder === 'here') return await local.build(options);
        const remote = await this.#reach(slot.builder, options.signal);
        if (remote !== undefined) return await this.#buildOn(remote, job, options);
      } finally {
        slot.release();
      }
    }
  }

  async #reach(machine: Machine, signal: AbortSignal | undefined): Promise<RemoteStore | undefined> {
    const remote = this.#stores.get(machine) ?? this.#options.open(machine);
    this.#stores.set(machine, remote);
    try {
      await remote.connect(signal);
      return remote;
    } catch (error) {
      if (!(error instanceof NixDaemonError)) throw error;
      this.#slots.disable(machine);
      this.#options.warn(`cannot build on '${machine.url.text}': ${error.message}`);
      return undefined;
    }
  }

  // oxlint-disable-next-line eslint/max-params -- options come last
  async #buildOn(
    remote: RemoteStore,
    { ready, resolved }: Job,
    { onLog, signal }: BuildJobOptions,
  ): Promise<ReadonlyMap<string, PathInfo>> {
    const { store: source, substitute, limits, logs, logLines } = this.#options;
    const { drvPath, derivation, closure } = ready;
    await copyPathsToRemote(closure, { source, remote, substitute, dontCheckSignatures: true }, signal);
    const inputSources = storePathSet(closure.map(({ storePath }) => storePath));
    const sent = { drvPath, derivation: { ...derivation, inputSources, inputDerivations: [] } };
    const tail = new LogTail(logLines);
    const writer = await logs?.start(drvPath);
    try {
      const result = await remote.buildDerivation(sent, {
        limits,
        signal,
        onLog: (bytes) => {
          writer?.write(bytes);
          tail.write(bytes);
          onLog(bytes);
        },
      });
      if (!isBuildSuccess(result.status)) throw this.#failure({ remote, resolved, result, tail });
    } catch (error) {
      if (!(error instanceof NixDaemonError)) throw error;
      throw new RealiseError('failed', this.#describe({ remote, resolved, tail }, error.message), {
        cause: error,
      });
    } finally {
      await writer?.end();
    }
    return await this.#fetchOutputs(remote, ready, signal);
  }

  /** The outputs, with what they refer to and is not here. */
  // oxlint-disable-next-line eslint/max-params -- signal comes last
  async #fetchOutputs(
    remote: RemoteStore,
    { derivation, closure }: ReadyDerivation,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, PathInfo>> {
    const { store: target, storeDirectory: store, hashes, ed25519 } = this.#options;
    const paths = [...derivation.outputs].flatMap(([name, it]) =>
      'path' in it ? [[name, it.path] as const] : [],
    );
    const pathInfos = new RemotePathInfos({
      ...{ remote, store, hashes, ed25519, blobs: target.blobs, directories: target.directories },
      publicKeys: [],
      // Whoever builds for us is trusted.
      acceptUnsigned: true,
    });
    pathInfos.expect(closure.map(({ storePath }) => storePath));
    pathInfos.expect(paths.map(([, path]) => path));
    await copyClosure(
      paths.map(([, path]) => path),
      { source: { ...target, pathInfos }, target },
      signal,
    );
    const outputs = new Map<string, PathInfo>();
    for (const [name, path] of paths) {
      const pathInfo = await target.pathInfos.get(path.hashPart, signal);
      if (pathInfo === undefined)
        throw new StoreError('not-found', `'${path.baseName}' was fetched and is not there`);
      outputs.set(name, pathInfo);
    }
    return outputs;
  }

  #failure(built: Built & { readonly result: BuildResult }): RealiseError {
    const { result, resolved } = built;
    const message = this.#describe(built, plainText(result.errorMessage));
    switch (result.status) {
      case 'TimedOut':
        return new RealiseError('timeout', message);
      case 'OutputRejected':
        return new RealiseError('output-rejected', message);
      case 'NotDeterministic':
        return new RealiseError('not-reproducible', message);
      default:
        return new RealiseError(mayUseNetwork(resolved.type) ? 'fixed-output-failed' : 'failed', message);
    }
  }

  #nobody(
    { path }: ResolvedDerivation,
    { system, required }: { readonly system: string; readonly required: readonly string[] },
  ): RealiseError {
    const machines = this.#options.machines.map(
      ({ url, systems, features, mandatoryFeatures, maxJobs }) =>
        `  ${url.text}: systems ${systems.join(', ')}, features {${[...features, ...mandatoryFeatures].join(', ')}}, ${maxJobs} jobs`,
    );
    return new RealiseError(
      'unsupported-system',
      [
        `Cannot build '${this.#options.storeDirectory.print(path)}'.`,
        'Reason: no machine that can be reached builds it, and nothing is built here (max-jobs is 0)',
        `Required system: '${system}'`,
        `Required features: {${required.join(', ')}}`,
        'Machines:',
        ...machines,
      ].join('\n'),
    );
  }

  #describe({ remote, resolved, tail }: Built, reason: string): string {
    const drvPath = this.#options.storeDirectory.print(resolved.path);
    const lines = [`build of '${drvPath}' on '${remote.name}' failed: ${reason}`];
    // Nix says the end of the log itself.
    if (tail.lines.length > 0 && !/log lines?:/.test(reason)) {
      lines.push(`Last ${tail.lines.length} log lines:`, ...tail.lines.map((it) => `> ${it}`));
    }
    return lines.join('\n');
  }
}

type Built = {
  readonly remote: RemoteStore;
  readonly resolved: ResolvedDerivation;
  readonly tail: LogTail;
};
