/**
 * The composition root of realising: from settings to a store, what builds and fetches into it, and what evaluation sees of
 * it. A script of its own, which an evaluation loads when it first needs the store.
 */
import { setMaxListeners } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BuildService } from '@neve/build';
import { nodeHashes } from '@neve/bytes/node';
import { createStoreIO, treeFetcher } from '@neve/eval-store/node/store';
import type { Fetcher } from '@neve/fetch';
import { type NetrcEntry, parseNetrc } from '@neve/http';
import type { HttpSettings } from '@neve/http/node';
import {
  type Derivation,
  StoreDirectory,
  type StorePath,
  derivationName,
  parseDerivation,
  parsePublicKey,
} from '@neve/nix-compat';
import {
  type BuildSettings,
  KnownPaths,
  Realiser,
  SandboxedBuilder,
  type SharedBuilds,
  defaultBuildSettings,
  parseSandboxPath,
} from '@neve/realise';
import { archiveUnpacker } from '@neve/realise/node';
import type { Castore, PathInfo, Substituter } from '@neve/store';
import { openHttpCache } from '@neve/store/node';
import { currentTracing } from '@neve/telemetry';
import { cacheFolder } from '../cache-folder.ts';
import type { Caller, Environment } from '../caller.ts';
import { httpCacheSettings, httpSettings } from '../store/http-settings.ts';
import type { OpenStore } from '../store/open-store.ts';
import { progressOfFetch } from '../progress/realise-progress.ts';
import { SessionProgress } from '../progress/session-progress.ts';
import { UsageError } from '../usage-error.ts';
import { guarded } from './expected-failure.ts';
import { lateFetcher } from './late-services.ts';
import type { RealiseOptions } from './realise-options.ts';
import type { JobSession } from './realise-session.ts';
import { isRemoteStore, openMachines, remoteSubstituter } from './remote-stores.ts';
import { Session } from './session.ts';
import { Workshop } from './workshop.ts';

/** Throws `CommandFailure`. */
export function openRealiseSession(options: RealiseOptions, caller: Caller): Promise<JobSession> {
  return guarded(async () => {
    const { store: storeName } = options;
    const workshop = await Workshop.open({ storeName, directory: caller.directory });
    return await openSession(options, { workshop, caller, owned: [workshop] });
  });
}

export type SessionContext = {
  readonly workshop: Workshop;
  readonly caller: Caller;
  /** What the session closes in the end. */
  readonly owned?: readonly AsyncDisposable[];
  /** Builds that others may want too. */
  readonly sharedBuilds?: SharedBuilds;
  /** In place of the one that the options name. */
  readonly service?: BuildService;
  /** Is given the end of what others still wait for. Without it, the session waits for it. */
  readonly outlive?: (ending: Promise<void>) => void;
};

/** Throws what is no `CommandFailure` yet. */
export async function openSession(options: RealiseOptions, context: SessionContext): Promise<JobSession> {
  const { workshop, caller, owned = [], sharedBuilds, outlive } = context;
  const { store, state, locks, realisations, logs } = workshop;
  const { environment } = caller;
  const lease = await state.leases.acquire();
  const storeDirectory = new StoreDirectory(options.storeDir, nodeHashes);
  const known = new KnownPaths((contents, path) =>
    parseDerivation(contents, { name: derivationName(path), store: storeDirectory }),
  );
  const abortion = new AbortController();
  const { signal } = abortion;
  // Everything that is under way listens to it.
  setMaxListeners(0, signal);
  const times = workshop.buildTimes();
  const progress = new SessionProgress({ storeDirectory, caller, times, signal });
  const service = context.service ?? workshop.builder(options);
  const fetcher = lateFetcher(() => openFetcher(options, { store, caller }));
  const readDerivation = (pathInfo: PathInfo, castore: Castore): Promise<Derivation> =>
    readStoredDerivation(pathInfo, castore, storeDirectory);
  const settingsHere = buildSettings(options, environment);
  const builder = new SandboxedBuilder({
    service,
    store,
    storeDirectory,
    hashes: nodeHashes,
    settings: settingsHere,
    realisations,
    fetcher,
    unpack: archiveUnpacker(store),
    logs,
    logCommand: options.store === undefined ? 'neve log' : `neve log --store ${options.store}`,
    logLines: options.logLines,
    readDerivation: async (path: StorePath) => {
      const derivation = await realiser.decisions.derivation(path);
      if (derivation === undefined) throw new Error(`the derivation '${path.baseName}' is not there`);
      return derivation;
    },
    keepFailedIn: options.keepFailed ? join(environment['TMPDIR'] ?? '/tmp') : undefined,
  });
  const machines = await openMachines(options, {
    ...{ storeDirectory, environment },
    warn: (message) => caller.report({ kind: 'warning', detail: message }),
  });
  const local = { local: builder, settings: settingsHere, store, logs };
  const onDownloaded = (storePath: StorePath, bytes: number): void =>
    progress.take({ kind: 'substitution-progress', storePath, bytes });
  const substituters = openSubstituters(options, { store, storeDirectory, environment, onDownloaded });
  const realiser = new Realiser({
    store,
    known,
    substituters,
    readDerivation,
    storeDirectory,
    hashes: nodeHashes,
    narCalculation: state.narCalculation(store),
    builder: machines?.builderFor(options, local) ?? builder,
    fetcher,
    locks,
    limits: {
      builds: options.maxJobs + (machines?.jobs ?? 0),
      substitutions: options.maxSubstitutions,
      downloads: 25,
    },
    fallback: options.fallback,
    keepGoing: options.keepGoing,
    sharing: sharedBuilds && { builds: sharedBuilds, settings: sharingKey(options) },
    onEvent: (event) => {
      progress.take(event);
      if (event.kind === 'build-ended' && event.error !== undefined) session.showFailure(event.error);
    },
    signal,
  });
  const fetch = treeFetcher({
    ...{ fetcher, store, storeDirectory, known, signal },
    experimentalFeatures: new Set(options.experimentalFeatures),
    onEvent: (event) => caller.report(progressOfFetch(event)),
  });
  const session = new Session({
    ...{ caller, store, state, storeDirectory, realiser, logs },
    makeIO: (around) => createStoreIO({ store, realiser, storeDirectory, known, fetch, around }),
    keepGoing: options.keepGoing,
    tellsPlan: options.display.format === 'internal-json',
    abort: (reason) => abortion.abort(reason),
    owned: [
      progress,
      fetcher,
      ...substituters,
      ...(machines === undefined ? [] : [machines]),
      lease,
      ...owned,
    ],
    outlive,
  });
  return session;
}

/** What two who want the same build must have in common, so that one will do: all that its result or its messages show. */
function sharingKey(options: RealiseOptions): string {
  const { storeDir, builder, cores, keepFailed, systems, systemFeatures, sandbox, logLines } = options;
  const { sandboxPaths, allowedImpureHostDeps, buildUsersGroup } = options;
  const { timeoutSeconds, maxSilentSeconds, maxLogBytes, store, netrcFile, hashedMirrors } = options;
  const { builders, buildersUseSubstitutes } = options;
  return JSON.stringify([
    ...[storeDir, builder, cores, keepFailed, systems, systemFeatures, sandbox, logLines],
    ...[sandboxPaths, allowedImpureHostDeps, buildUsersGroup],
    ...[timeoutSeconds, maxSilentSeconds, maxLogBytes, store, netrcFile, hashedMirrors],
    ...[builders, buildersUseSubstitutes],
  ]);
}

export async function openFetcher(
  options: RealiseOptions,
  { store, caller }: { readonly store: OpenStore; readonly caller: Caller },
): Promise<Fetcher> {
  const { environment } = caller;
  const { createFetcher } = await import('@neve/fetch/node');
  const fetcher = createFetcher({
    ...store,
    hashes: nodeHashes,
    cacheFolder: join(cacheFolder(environment), 'fetch'),
    http: fetchHttpSettings(options, caller),
    environment,
    ...(options.tarballTtlSeconds !== undefined && { ttlMs: options.tarballTtlSeconds * 1000 }),
    ...(options.hashedMirrors !== undefined && { hashedMirrors: options.hashedMirrors }),
  });
  if (currentTracing() === undefined) return fetcher;
  const { tracedFetcher } = await import('@neve/fetch');
  return tracedFetcher(fetcher, 'fetcher');
}

function fetchHttpSettings(
  { netrcFile, downloadAttempts, connectTimeoutSeconds }: RealiseOptions,
  { directory, environment }: Caller,
): HttpSettings {
  const netrc = netrcEntries(resolve(directory, netrcFile ?? '/etc/nix/netrc'), {
    isRequired: netrcFile !== undefined,
  });
  return {
    ...httpSettings(environment),
    netrc,
    ...(downloadAttempts !== undefined && { retry: { maxAttempts: downloadAttempts } }),
    ...(connectTimeoutSeconds !== undefined && { connectTimeoutMs: connectTimeoutSeconds * 1000 }),
  };
}

function netrcEntries(file: string, { isRequired }: { readonly isRequired: boolean }): readonly NetrcEntry[] {
  try {
    return parseNetrc(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (error.code === 'ENOENT' && !isRequired) return [];
    throw new UsageError(`the netrc file '${file}' cannot be read: ${error.message}`);
  }
}

export function buildSettings(options: RealiseOptions, environment: Environment): BuildSettings {
  const { cores } = options;
  return {
    ...defaultBuildSettings,
    systems: options.systems,
    systemFeatures: new Set(
      options.systemFeatures ?? [...defaultBuildSettings.systemFeatures, ...accessibleFeatures()],
    ),
    sandbox: options.sandbox,
    sandboxPaths: options.sandboxPaths.map(parseSandboxPath),
    allowedImpureHostDeps: options.allowedImpureHostDeps,
    cores: cores === 0 ? process.getBuiltinModule('node:os').availableParallelism() : cores,
    impureEnvironment: new Map(
      Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    limits: {
      timeMs: milliseconds(options.timeoutSeconds),
      silenceMs: milliseconds(options.maxSilentSeconds),
      logBytes: options.maxLogBytes,
    },
  };
}

type SubstituterContext = {
  readonly store: OpenStore;
  readonly storeDirectory: StoreDirectory;
  readonly environment: Environment;
  readonly onDownloaded?: (storePath: StorePath, bytes: number) => void;
};

export function openSubstituters(
  options: RealiseOptions,
  { store, storeDirectory, environment, onDownloaded }: SubstituterContext,
): readonly Substituter[] {
  const publicKeys = options.requireSignatures ? options.trustedPublicKeys.map(parsePublicKey) : [];
  // A cache that is out of reach is done without, which should not take long.
  const { downloadAttempts = 2, connectTimeoutSeconds = 5 } = options;
  const http = {
    ...httpCacheSettings(environment),
    connectTimeoutMs: connectTimeoutSeconds * 1000,
    retry: { maxAttempts: downloadAttempts },
  };
  const trust = { publicKeys, acceptUnsigned: !options.requireSignatures };
  return options.substituters.map((url) =>
    isRemoteStore(url)
      ? remoteSubstituter(url, { store, storeDirectory, environment, ...trust })
      : openHttpCache({ url, ...store, ...trust, store: storeDirectory, http, onDownloaded }),
  );
}

async function readStoredDerivation(
  { storePath, node }: PathInfo,
  { blobs }: Castore,
  storeDirectory: StoreDirectory,
): Promise<Derivation> {
  if (node.kind !== 'file')
    throw new UsageError(`'${storePath.baseName}' is not a derivation: it is no file`);
  await using reader = await blobs.open(node.digest);
  if (reader === undefined) throw new UsageError(`the contents of '${storePath.baseName}' are missing`);
  const contents = await reader.read(0, node.size);
  return parseDerivation(contents, { name: derivationName(storePath), store: storeDirectory });
}

/** What depends on the machine. */
function accessibleFeatures(): readonly string[] {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return ['kvm'];
  } catch {
    return [];
  }
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
