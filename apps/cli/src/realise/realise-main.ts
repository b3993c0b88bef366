/**
 * The composition root of realising: from settings to a store, what builds and fetches into it, and what evaluation sees of
 * it. A script of its own, which an evaluation loads when it first needs the store.
 */
import { setMaxListeners } from 'node:events';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  defaultBuildSettings,
  parseSandboxPath,
} from '@neve/realise';
import { BuildLogs, archiveUnpacker, lmdbRealisations, lmdbWorkLocks } from '@neve/realise/node';
import type { Castore, PathInfo, Substituter } from '@neve/store';
import { openHttpCache } from '@neve/store/node';
import { cacheFolder } from '../cache-folder.ts';
import { httpCacheSettings, httpSettings } from '../store/http-settings.ts';
import { openBuilder, parseBuilder } from '../store/open-builder.ts';
import { type OpenStore, openNamedStore } from '../store/open-store.ts';
import { storeArguments } from '../store/store-options.ts';
import { openState } from '../store/store-state.ts';
import { UsageError } from '../usage-error.ts';
import { guarded } from './expected-failure.ts';
import { lateBuildService, lateFetcher } from './late-services.ts';
import type { RealiseOptions } from './realise-options.ts';
import { RealiseReport } from './realise-report.ts';
import type { RealiseSession } from './realise-session.ts';
import { Session } from './session.ts';

/** Throws `CommandFailure`. */
export function openRealiseSession(options: RealiseOptions): Promise<RealiseSession> {
  return guarded(() => openSession(options));
}

async function openSession(options: RealiseOptions): Promise<RealiseSession> {
  const args = storeArguments(options.store === undefined ? {} : { store: options.store });
  const store = await openNamedStore(options.store, args);
  const state = await openState(args, options.store);
  const lease = await state.leases.acquire();
  const storeDirectory = new StoreDirectory(options.storeDir, nodeHashes);
  const known = new KnownPaths((contents, path) =>
    parseDerivation(contents, { name: derivationName(path), store: storeDirectory }),
  );
  const report = new RealiseReport({ ...options, storeDirectory });
  const abortion = new AbortController();
  const { signal } = abortion;
  // Everything that is under way listens to it.
  setMaxListeners(0, signal);
  const builderName = parseBuilder(options.builder, options.store);
  const { buildUsersGroup } = options;
  const service = lateBuildService(() =>
    openBuilder(builderName, { castore: store, state, buildUsersGroup }),
  );
  const fetcher = lateFetcher(() => openFetcher(options, store));
  const locks = await lmdbWorkLocks(state.databasePath);
  const realisations = await lmdbRealisations(state.databasePath);
  const readDerivation = (pathInfo: PathInfo, castore: Castore): Promise<Derivation> =>
    readStoredDerivation(pathInfo, castore, storeDirectory);
  const logs = new BuildLogs(join(state.folder, 'log'));
  const builder = new SandboxedBuilder({
    service,
    store,
    storeDirectory,
    hashes: nodeHashes,
    settings: buildSettings(options),
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
    keepFailedIn: options.keepFailed ? join(process.env['TMPDIR'] ?? '/tmp') : undefined,
  });
  const substituters = openSubstituters(options, { store, storeDirectory });
  const realiser = new Realiser({
    store,
    known,
    substituters,
    readDerivation,
    storeDirectory,
    hashes: nodeHashes,
    narCalculation: state.narCalculation(store),
    builder,
    fetcher,
    locks,
    limits: { builds: options.maxJobs, substitutions: options.maxSubstitutions, downloads: 25 },
    fallback: options.fallback,
    keepGoing: options.keepGoing,
    onEvent: (event) => {
      report.show(event);
      if (event.kind === 'build-ended' && event.error !== undefined) session.showFailure(event.error);
    },
    signal,
  });
  const fetch = treeFetcher({
    ...{ fetcher, store, storeDirectory, known, signal },
    experimentalFeatures: new Set(options.experimentalFeatures),
    onEvent: (event) => report.showFetch(event),
  });
  const session = new Session({
    ...{ store, state, storeDirectory, realiser, logs },
    makeIO: (around) => createStoreIO({ store, realiser, storeDirectory, known, fetch, around }),
    keepGoing: options.keepGoing,
    abort: (reason) => abortion.abort(reason),
    owned: [service, fetcher, ...substituters, locks, realisations, lease, state, store],
  });
  return session;
}

async function openFetcher(options: RealiseOptions, store: OpenStore): Promise<Fetcher> {
  const { createFetcher } = await import('@neve/fetch/node');
  return createFetcher({
    ...store,
    hashes: nodeHashes,
    cacheFolder: join(cacheFolder(), 'fetch'),
    http: fetchHttpSettings(options),
    environment: process.env,
    ...(options.tarballTtlSeconds !== undefined && { ttlMs: options.tarballTtlSeconds * 1000 }),
    ...(options.hashedMirrors !== undefined && { hashedMirrors: options.hashedMirrors }),
  });
}

function fetchHttpSettings({
  netrcFile,
  downloadAttempts,
  connectTimeoutSeconds,
}: RealiseOptions): HttpSettings {
  const netrc = netrcEntries(netrcFile ?? '/etc/nix/netrc', { isRequired: netrcFile !== undefined });
  return {
    ...httpSettings(),
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

function buildSettings(options: RealiseOptions): BuildSettings {
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
      Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    limits: {
      timeMs: milliseconds(options.timeoutSeconds),
      silenceMs: milliseconds(options.maxSilentSeconds),
      logBytes: options.maxLogBytes,
    },
  };
}

type SubstituterContext = { readonly store: OpenStore; readonly storeDirectory: StoreDirectory };

function openSubstituters(
  options: RealiseOptions,
  { store, storeDirectory }: SubstituterContext,
): readonly Substituter[] {
  const publicKeys = options.requireSignatures ? options.trustedPublicKeys.map(parsePublicKey) : [];
  // A cache that is out of reach is done without, which should not take long.
  const { downloadAttempts = 2, connectTimeoutSeconds = 5 } = options;
  const http = {
    ...httpCacheSettings(),
    connectTimeoutMs: connectTimeoutSeconds * 1000,
    retry: { maxAttempts: downloadAttempts },
  };
  return options.substituters.map((url) =>
    openHttpCache({
      url,
      ...store,
      publicKeys,
      acceptUnsigned: !options.requireSignatures,
      store: storeDirectory,
      http,
    }),
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
