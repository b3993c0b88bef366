/**
 * Builds derivations on other machines, with a Nix that is asked over one of its protocols, and on this one by another
 * builder. The closure of the inputs goes there, what is there already left out; the derivation is built as it is, with its
 * inputs as store paths; the outputs come back, each compared with its NAR hash, and what they refer to with them.
 *
 * A derivation whose outputs have no paths before they are built goes as what it was resolved to, and the machine says what they
 * are. Impure ones stay here. A machine that cannot be reached is not asked again, and for one that does not trust us with a
 * derivation somebody else builds it.
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
import type { MachinePool } from './machine-pool.ts';
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
  /** Stays open. */
  readonly pool: MachinePool;
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
};

type Job = {
  readonly ready: ReadyDerivation;
  readonly resolved: ResolvedDerivation;
  readonly local: BuildJob;
};

export class MachineBuilder implements DerivationBuilder {
  readonly #options: MachineBuilderOptions;

  constructor(options: MachineBuilderOptions) {
    this.#options = options;
  }

  allowsSubstitutes(derivation: Derivation): boolean {
    return this.#options.local.allowsSubstitutes(derivation);
  }

  fetchOf(...args: Parameters<DerivationBuilder['fetchOf']>): ReturnType<DerivationBuilder['fetchOf']> {
    return this.#options.local.fetchOf(...args);
  }

  async prepare(ready: ReadyDerivation, signal?: AbortSignal): Promise<BuildJob> {
    const local = await this.#options.local.prepare(ready, signal);
    const { closure: inputs } = ready;
    const { path, derivation } = local.resolved ?? { path: ready.drvPath, derivation: ready.derivation };
    const resolved = resolvedDerivation({ path, derivation, inputs, store: this.#options.storeDirectory });
    const job = { ready, resolved, local };
    return {
      lockedPaths: local.lockedPaths,
      present: (stop) => local.present(stop),
      build: (options) => this.#build(job, options),
    };
  }

  async #build(job: Job, options: BuildJobOptions): Promise<ReadonlyMap<string, PathInfo>> {
    const { resolved, local } = job;
    const system = decodeUtf8(resolved.derivation.system);
    const required = requiredSystemFeatures(resolved.options, resolved.type);
    const isGoodElsewhere = hasKnownOutputPaths(resolved.type) || resolved.type === 'floating';
    const mayGo = options.mode !== 'check' && !isBuiltin(resolved) && isGoodElsewhere;
    const unwilling = new Set<Machine>();
    const missingHere = missingRequirements(resolved, this.#options.localMachine);
    while (true) {
      const slot = await this.#options.pool.slots.take(
        {
          fits: (machine) => mayGo && !unwilling.has(machine) && canBuild(machine, { system, required }),
          fitsHere: missingHere.length === 0 && this.#options.localJobs > 0,
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
        const remote = await this.#options.pool.reach(slot.builder, options.signal);
        if (remote !== undefined) return await this.#buildOn(remote, job, options);
      } catch (error) {
        if (slot.builder === 'here' || !(error instanceof DistrustError)) throw error;
        unwilling.add(slot.builder);
        const drvPath = this.#options.storeDirectory.print(resolved.path);
        this.#options.pool.warn(
          `'${slot.builder.url.text}' does not build '${drvPath}' for us: ${error.message}`,
        );
      } finally {
        slot.release();
      }
    }
  }

  // oxlint-disable-next-line eslint/max-params -- options come last
  async #buildOn(
    remote: RemoteStore,
    job: Job,
    { onLog, signal }: BuildJobOptions,
  ): Promise<ReadonlyMap<string, PathInfo>> {
    const { ready, resolved } = job;
    const { store: source, substitute, limits, logs, logLines } = this.#options;
    const { closure } = ready;
    await copyPathsToRemote(closure, { source, remote, substitute, dontCheckSignatures: true }, signal).catch(
      rethrowDistrust,
    );
    const inputSources = storePathSet(closure.map(({ storePath }) => storePath));
    const sent = {
      drvPath: resolved.path,
      derivation: { ...resolved.derivation, inputSources, inputDerivations: [] },
    };
    const tail = new LogTail(logLines);
    const writer = await logs?.start(resolved.path);
    let result: BuildResult;
    try {
      result = await remote.buildDerivation(sent, {
        limits,
        signal,
        onLog: (bytes) => {
          writer?.write(bytes);
          tail.write(bytes);
          onLog(bytes);
        },
      });
    } catch (error) {
      if (!(error instanceof NixDaemonError)) throw error;
      if (isDistrust(error)) throw new DistrustError(error.message, { cause: error });
      throw new RealiseError('failed', this.#describe({ remote, resolved, tail }, error.message), {
        cause: error,
      });
    } finally {
      await writer?.end();
    }
    if (!isBuildSuccess(result.status)) throw this.#failure({ remote, resolved, result, tail });
    const outputs = await this.#fetchOutputs(remote, { job, result }, signal);
    await job.local.remember?.(outputs, signal);
    return outputs;
  }

  /** The outputs, with what they refer to and is not here. */
  // oxlint-disable-next-line eslint/max-params -- signal comes last
  async #fetchOutputs(
    remote: RemoteStore,
    { job: { ready, resolved }, result }: { readonly job: Job; readonly result: BuildResult },
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, PathInfo>> {
    const { store: target, storeDirectory: store, hashes, ed25519 } = this.#options;
    const paths = Array.from(resolved.derivation.outputs, ([name, it]) => {
      const path = 'path' in it ? it.path : result.builtOutputs.get(name)?.outPath;
      if (path !== undefined) return [name, path] as const;
      const problem = `'${remote.name}' has built '${store.print(resolved.path)}' and does not say where '${name}' is`;
      throw new RealiseError('failed', `${problem}; a newer Nix there does`);
    });
    const pathInfos = new RemotePathInfos({
      ...{ remote, store, hashes, ed25519, blobs: target.blobs, directories: target.directories },
      publicKeys: [],
      // Whoever builds for us is trusted.
      acceptUnsigned: true,
    });
    pathInfos.expect(ready.closure.map(({ storePath }) => storePath));
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
      if (resolved.type === 'floating' && pathInfo.contentAddress === undefined) {
        const problem = `'${remote.name}' says that '${path.baseName}' is the output '${name}' of '${store.print(resolved.path)}'`;
        throw new RealiseError('output-rejected', `${problem}, but it has no content address`);
      }
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
    const machines = this.#options.pool.machines.map(
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

/** A machine refuses because of who asks. Somebody else may build. */
class DistrustError extends NixDaemonError {
  constructor(message: string, options?: ErrorOptions) {
    super('untrusted', message, options);
  }
}

/** The protocols have no code for it; these are the words of Nix. */
function isDistrust({ code, message }: NixDaemonError): boolean {
  const words = /not privileged to build|lacks a (valid )?signature|you are not (a )?trusted/;
  return code === 'remote-failure' && words.test(message);
}

function rethrowDistrust(error: unknown): never {
  if (error instanceof NixDaemonError && isDistrust(error)) {
    throw new DistrustError(error.message, { cause: error });
  }
  throw error;
}
