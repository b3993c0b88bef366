/**
 * Builds derivations: with a `BuildService` in a sandbox, or by the builders that are part of Nix. Keeps the log, and
 * registers what was made.
 */
import { BuildError, type BuildLimits, type BuildResult, type BuildService } from '@neve/build';
import { type Digest, type HashFunctions, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { Fetcher } from '@neve/fetch';
import {
  type Derivation,
  DerivationHashes,
  type StoreDirectory,
  type StorePath,
  mayUseNetwork,
  readDerivationOptions,
} from '@neve/nix-compat';
import { NarObserver, type NarCalculation, type PathInfo, type StoreServices } from '@neve/store';
import { inSpan } from '@neve/telemetry';
import type { BuildSettings } from './build-settings.ts';
import type { BuildJob, BuildJobOptions, DerivationBuilder, ReadyDerivation } from './derivation-builder.ts';
import { derivationToRequest } from './derivation-to-request.ts';
import { readExportedGraphs } from './exported-references.ts';
import type { DescribedFetch } from './known-paths.ts';
import { fetchOfDerivation } from './builtin/fetch-of-derivation.ts';
import type { UnpackArchive } from './builtin/unpack-channel.ts';
import { LogTail } from './log-tail.ts';
import { RealiseError } from './realise-error.ts';
import type { Realisations } from './realisations.ts';
import {
  type BuiltDerivation,
  compareOutputs,
  registerOutputs,
  rememberOutputs,
} from './register-outputs.ts';
import { type DerivationAt, needsResolution, resolveDerivation } from './resolve-derivation.ts';
import { type ResolvedDerivation, resolvedDerivation } from './resolved-derivation.ts';
import { runBuiltin } from './run-builtin.ts';
import { isBuiltin } from './system-requirements.ts';

export type SandboxedBuilderOptions = {
  readonly service: BuildService;
  readonly store: StoreServices;
  readonly storeDirectory: StoreDirectory;
  readonly hashes: HashFunctions;
  readonly settings: BuildSettings;
  readonly realisations: Realisations;
  /** Where logs are kept; nowhere, without it. */
  readonly logs?: LogSink | undefined;
  /** What shows the log of a derivation that is named after it, for messages. */
  readonly logCommand: string;
  /** How many of its last lines a failure shows. */
  readonly logLines: number;
  /** For what exports the references of derivations. */
  readonly readDerivation: (path: StorePath, signal?: AbortSignal) => Promise<Derivation>;
  readonly fetcher: Pick<Fetcher, 'fetch'>;
  /** Unpacks an archive for `builtin:unpack-channel`. */
  readonly unpack: UnpackArchive;
  /** The folder that failed builds are left in. */
  readonly keepFailedIn?: string | undefined;
};

export interface LogSink {
  start(derivation: StorePath): Promise<LogWriter>;
}

export interface LogWriter {
  write(bytes: Uint8Array): void;
  end(): Promise<void>;
}

export class SandboxedBuilder implements DerivationBuilder {
  readonly #options: SandboxedBuilderOptions;
  readonly #hashes: DerivationHashes;

  constructor(options: SandboxedBuilderOptions) {
    this.#options = options;
    const { storeDirectory: store, hashes, readDerivation } = options;
    this.#hashes = new DerivationHashes({ store, hashes, lookUp: readDerivation });
  }

  allowsSubstitutes(derivation: Derivation): boolean {
    return readDerivationOptions(derivation, this.#options.storeDirectory).allowSubstitutes;
  }

  fetchOf(drvPath: StorePath, derivation: Derivation): DescribedFetch | undefined {
    if (decodeUtf8(derivation.builder) !== 'builtin:fetchurl') return undefined;
    const output = derivation.outputs.get('out');
    if (output?.kind !== 'fixed' || derivation.inputDerivations.length > 0) return undefined;
    const resolved = this.#ready({ path: drvPath, derivation }, []);
    const fetch = fetchOfDerivation(resolved);
    // Without a hash that the fetch can check, its output is checked when it is registered.
    if (fetch.kind === 'url' && fetch.hash === undefined) return undefined;
    return { kind: 'fetch', storePath: output.path, fetch };
  }

  async prepare({ drvPath, derivation, inputs, closure }: ReadyDerivation): Promise<BuildJob> {
    const original = { path: drvPath, derivation };
    const { storeDirectory: store, hashes, readDerivation } = this.#options;
    if (!(await needsResolution(derivation, readDerivation))) {
      return new DerivationBuild(this.#ready(original, closure), [], this.#options);
    }
    const resolved = await resolveDerivation(original, inputs, { store, hashes });
    const traces = [derivation, resolved.derivation].map(
      async (it) => (await this.#hashes.hashOfOutputs(it)).byOutput,
    );
    return new DerivationBuild(this.#ready(resolved, closure), await Promise.all(traces), this.#options);
  }

  #ready({ path, derivation }: DerivationAt, closure: Iterable<PathInfo>): ResolvedDerivation {
    return resolvedDerivation({ path, derivation, inputs: closure, store: this.#options.storeDirectory });
  }
}

/** Hashes that outputs without a path of their own are found by, one map for each derivation that stands for it. */
type TraceHashes = readonly ReadonlyMap<string, Digest>[];

class DerivationBuild implements BuildJob {
  readonly lockedPaths: readonly StorePath[];
  readonly resolved: DerivationAt;
  /** By output; those that are not known before the build are missing. */
  readonly #outputPaths: ReadonlyMap<string, StorePath>;
  readonly #resolved: ResolvedDerivation;
  readonly #traceHashes: TraceHashes;
  readonly #options: SandboxedBuilderOptions;

  constructor(resolved: ResolvedDerivation, traceHashes: TraceHashes, options: SandboxedBuilderOptions) {
    this.#resolved = resolved;
    this.resolved = { path: resolved.path, derivation: resolved.derivation };
    this.#traceHashes = traceHashes;
    this.#options = options;
    const outputs = [...resolved.derivation.outputs].flatMap(([name, it]) =>
      'path' in it ? [[name, it.path] as const] : [],
    );
    this.#outputPaths = new Map(outputs);
    const isKnown = this.#outputPaths.size === resolved.derivation.outputs.size;
    this.lockedPaths = isKnown ? [...this.#outputPaths.values()] : [resolved.path];
  }

  async present(signal?: AbortSignal): Promise<ReadonlyMap<string, PathInfo> | undefined> {
    const existing = await this.#existing(signal);
    return existing.size === this.#resolved.derivation.outputs.size ? existing : undefined;
  }

  async build({ mode, onLog, signal }: BuildJobOptions): Promise<ReadonlyMap<string, PathInfo>> {
    const { store, storeDirectory, hashes, realisations } = this.#options;
    const services = { ...store, store: storeDirectory, hashes, realisations };
    const existing = await this.#existing(signal);
    const ran = isBuiltin(this.#resolved)
      ? await this.#runBuiltin(onLog, signal)
      : await this.#run(onLog, { existing, signal });
    const built: BuiltDerivation = { ...ran, traceHashes: this.#traceHashes };
    if (mode === 'check') {
      await compareOutputs({ ...built, existing }, services, signal);
      return existing;
    }
    return await inSpan('realise.register-outputs', {}, () =>
      registerOutputs({ ...built, existing }, services, signal),
    );
  }

  async remember(outputs: ReadonlyMap<string, PathInfo>, signal?: AbortSignal): Promise<void> {
    const { realisations } = this.#options;
    await rememberOutputs(
      outputs,
      { resolved: this.#resolved, traceHashes: this.#traceHashes, realisations },
      signal,
    );
  }

  async #existing(signal?: AbortSignal): Promise<ReadonlyMap<string, PathInfo>> {
    const existing = new Map<string, PathInfo>();
    for (const name of this.#resolved.derivation.outputs.keys()) {
      const path = this.#outputPaths.get(name) ?? (await this.#builtBefore(name, signal));
      const pathInfo =
        path === undefined ? undefined : await this.#options.store.pathInfos.get(path.hashPart, signal);
      if (pathInfo !== undefined) existing.set(name, pathInfo);
    }
    return existing;
  }

  /** Where an output is whose path followed from what was built. An impure one is built anew. */
  async #builtBefore(output: string, signal?: AbortSignal): Promise<StorePath | undefined> {
    if (this.#resolved.type === 'impure') return undefined;
    for (const hashes of this.#traceHashes) {
      const derivationHash = hashes.get(output);
      if (derivationHash === undefined) continue;
      const found = await this.#options.realisations.get({ derivationHash, output }, signal);
      if (found !== undefined) return found.path;
    }
    return undefined;
  }

  async #runBuiltin(onLog: BuildJobOptions['onLog'], signal?: AbortSignal): Promise<BuiltDerivation> {
    const { store, storeDirectory, hashes, fetcher, unpack } = this.#options;
    const warn = (message: string): void => onLog(encodeUtf8(`${message}\n`));
    const services = { ...store, store: storeDirectory, hashes, fetcher, unpack, warn };
    return await runBuiltin(this.#resolved, services, signal);
  }

  async #run(
    onLog: BuildJobOptions['onLog'],
    {
      existing,
      signal,
    }: { readonly existing: ReadonlyMap<string, PathInfo>; readonly signal: AbortSignal | undefined },
  ): Promise<BuiltDerivation> {
    const { service, store, storeDirectory, hashes, settings, readDerivation, keepFailedIn } = this.#options;
    const resolved = this.#resolved;
    const context = { store: storeDirectory, pathInfos: store.pathInfos, readDerivation };
    const graphs = await readExportedGraphs(resolved, context, signal);
    const { request, outputs, needles } = derivationToRequest(resolved, {
      store: storeDirectory,
      hashes,
      settings,
      graphs,
      known: new Map(Array.from(existing, ([name, { storePath }]) => [name, storePath])),
    });
    const observers = new Map<string, NarObserver>();
    const observe = (output: string): NarObserver => {
      const observer = new NarObserver(hashes);
      observers.set(output, observer);
      return observer;
    };
    const result = await this.#logged(onLog, (log) =>
      service.build(request, { onLog: log, observe, keepFailedIn, signal }),
    );
    const nars = new Map<string, NarCalculation>();
    [...outputs.keys()].forEach((name, index) => {
      const nar = observers.get(request.outputs[index] ?? '')?.result();
      if (nar !== undefined) nars.set(name, nar);
    });
    return { resolved, outputs, needles, result, nars };
  }

  /** Keeps the log, whose end a failure shows. */
  async #logged(
    onLog: BuildJobOptions['onLog'],
    build: (onLog: (bytes: Uint8Array) => void) => Promise<BuildResult>,
  ): Promise<BuildResult> {
    const { logs, logLines } = this.#options;
    const writer = await logs?.start(this.#resolved.path);
    const tail = new LogTail(logLines);
    try {
      return await build((bytes) => {
        writer?.write(bytes);
        tail.write(bytes);
        onLog(bytes);
      });
    } catch (cause) {
      throw cause instanceof BuildError ? this.#failure(cause, tail.lines) : cause;
    } finally {
      await writer?.end();
    }
  }

  #failure(cause: BuildError, logLines: readonly string[]): RealiseError {
    const { storeDirectory, logs, logCommand, settings } = this.#options;
    const drvPath = storeDirectory.print(this.#resolved.path);
    const lines = [`Cannot build '${drvPath}'.`, `Reason: ${reasonOf(cause, settings.limits)}.`];
    const paths = [...this.#outputPaths.values()].map((it) => `  ${storeDirectory.print(it)}`);
    if (paths.length > 0) lines.push('Output paths:', ...paths);
    if (logLines.length > 0) {
      lines.push(`Last ${logLines.length} log lines:`, ...logLines.map((it) => `> ${it}`));
    }
    if (logs !== undefined && hasRun(cause)) lines.push('For full logs, run:', `  ${logCommand} ${drvPath}`);
    if (cause.keptAt !== undefined) lines.push(`note: the build directory was kept in '${cause.keptAt}'`);
    return new RealiseError(codeOf(cause, this.#resolved), lines.join('\n'), { cause });
  }
}

/** Otherwise there is nothing in its log. */
function hasRun({ code }: BuildError): boolean {
  return code !== 'no-sandbox' && code !== 'unsupported' && code !== 'invalid-request';
}

function codeOf(
  { code }: BuildError,
  { type }: ResolvedDerivation,
): 'timeout' | 'unsupported' | 'failed' | 'fixed-output-failed' {
  if (code === 'timeout' || code === 'silent') return 'timeout';
  if (code === 'unsupported' || code === 'no-sandbox') return 'unsupported';
  return mayUseNetwork(type) ? 'fixed-output-failed' : 'failed';
}

/** In the words of Nix, where it has some. */
function reasonOf({ code, status, message }: BuildError, { timeMs = 0, silenceMs = 0 }: BuildLimits): string {
  if (code === 'timeout') return `timed out after ${timeMs / 1000} seconds`;
  if (code === 'silent') return `timed out after ${silenceMs / 1000} seconds without output`;
  if (code !== 'failed' || status === undefined) return message;
  return 'code' in status
    ? `builder failed with exit code ${status.code}`
    : `builder failed due to signal ${status.signal}`;
}
