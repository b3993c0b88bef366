/** The composition root of the daemon: from options to all that serves clients. */
import { join } from 'node:path';
import { nodeHashes } from '@neve/bytes/node';
import { type Derivation, type StorePath, StoreDirectory, parsePublicKey } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import {
  type BuildOptions,
  type CacheChoice,
  type DaemonState,
  daemonSettled,
  daemonState,
} from '@neve/nix-daemon';
import { linkRoots, nixLogFiles, sessionLeases, severalLogs, viewOfStore } from '@neve/nix-daemon/node';
import { type DerivationBuilder, SandboxedBuilder } from '@neve/realise';
import { BuildLogs, archiveUnpacker, lmdbRealisations, lmdbWorkLocks } from '@neve/realise/node';
import { type StoreServices, type Substituter, signingPathInfos } from '@neve/store';
import { StoreView } from '@neve/store/node';
import { ProcessCaller } from '../caller.ts';
import { write } from '../output.ts';
import { lateBuildService, lateFetcher } from '../realise/late-services.ts';
import { buildSettings, openFetcher, openSubstituters } from '../realise/realise-main.ts';
import type { RealiseOptions } from '../realise/realise-options.ts';
import { openMachines } from '../realise/remote-stores.ts';
import { isBlobFiles } from '../store/blob-files.ts';
import { openBuilder, parseBuilder } from '../store/open-builder.ts';
import { openNamedStore } from '../store/open-store.ts';
import { openState } from '../store/store-state.ts';
import type { NixDaemonOptions } from './nix-daemon-options.ts';

export type OpenDaemon = AsyncDisposable & {
  readonly daemon: DaemonState;
  /** Where its files are. */
  readonly places: Places;
};

export type Places = {
  readonly socket: string;
  /** Where store paths are files; nowhere, unless it shows them. */
  readonly view: string | undefined;
  readonly logs: string;
};

declare const NEVE_VERSION: string;

export async function openDaemon({
  args,
  realise,
  trustedSubstituters,
  secretKeys: keys,
}: NixDaemonOptions): Promise<OpenDaemon> {
  const store = await openNamedStore(realise.store, args);
  const state = await openState(args, realise.store);
  const storeDirectory = new StoreDirectory(realise.storeDir, nodeHashes);
  const places: Places = {
    socket: join(state.folder, 'nix/daemon-socket'),
    view: args.has('noView') || args.has('stdio') ? undefined : (args.last('view') ?? state.viewFolder),
    logs: join(state.folder, 'nix/log'),
  };
  const builderName = parseBuilder(realise.builder, realise.store);
  const { buildUsersGroup } = realise;
  const service = lateBuildService(() =>
    openBuilder(builderName, { castore: store, state, buildUsersGroup }),
  );
  const fetcher = lateFetcher(() => openFetcher(realise, { store, caller: new ProcessCaller() }));
  const [locks, realisations] = await Promise.all([
    lmdbWorkLocks(state.databasePath),
    lmdbRealisations(state.databasePath),
  ]);
  const logs = severalLogs([new BuildLogs(join(state.folder, 'log')), nixLogFiles(places.logs)]);
  const substituters = new Substituters(realise, { store, storeDirectory, environment: process.env });
  const signer = { keys, store: storeDirectory, ed25519: nodeEd25519 };
  const signed = (unsigned: StoreServices): StoreServices =>
    keys.length === 0 ? unsigned : { ...unsigned, pathInfos: signingPathInfos(unsigned.pathInfos, signer) };
  const machines = await openMachines(realise, {
    ...{ storeDirectory, environment: process.env },
    warn: (message) => write(2, `warning: ${message}\n`),
  });
  const localBuilderFor = (options: BuildOptions, builtStore: StoreServices): SandboxedBuilder =>
    new SandboxedBuilder({
      ...{ service, store: builtStore, storeDirectory, hashes: nodeHashes, realisations, fetcher, logs },
      settings: buildSettings(clientRealiseOptions(realise, options), process.env),
      unpack: archiveUnpacker(store),
      logCommand: 'nix log',
      logLines: options.logLines ?? realise.logLines,
      readDerivation: (path: StorePath): Promise<Derivation> => daemon.derivations.read(path),
      keepFailedIn: options.keepFailed ? (process.env['TMPDIR'] ?? '/tmp') : undefined,
    });
  const builderFor = (options: BuildOptions, target: StoreServices): DerivationBuilder => {
    const builtStore = signed(target);
    const local = localBuilderFor(options, builtStore);
    if (machines === undefined || !options.usesMachines) return local;
    const asked = clientRealiseOptions(realise, options);
    const maxJobs = Math.min(realise.maxJobs, options.maxJobs);
    const settings = buildSettings(asked, process.env);
    return machines.builderFor({ ...asked, maxJobs }, { local, settings, store: builtStore, logs });
  };
  const files = isBlobFiles(store.blobs) ? store.blobs : undefined;
  const daemon = daemonState({
    ...{
      store,
      storeDirectory,
      hashes: nodeHashes,
      ed25519: nodeEd25519,
      realisations,
      locks,
      fetcher,
      logs,
    },
    narCalculation: state.narCalculation(store),
    trust: {
      requireSignatures: realise.requireSignatures,
      publicKeys: realise.trustedPublicKeys.map(parsePublicKey),
    },
    roots: linkRoots({
      folder: state.rootsFolder,
      store: storeDirectory,
      view: places.view ?? state.viewFolder,
      pins: state.pins,
    }),
    leases: sessionLeases(state.leases),
    view:
      places.view === undefined
        ? undefined
        : viewOfStore(new StoreView({ folder: places.view, castore: store, files })),
    substituters: (choice) => substituters.chosen(choice),
    builderFor,
    forgetInputs: async () => await service.forgetInputs?.(),
    limits: { builds: realise.maxJobs, substitutions: realise.maxSubstitutions, downloads: 25 },
    machineJobs: machines?.jobs ?? 0,
    trustedSubstituters,
    version: `neve-${NEVE_VERSION}`,
  });
  const owned: readonly AsyncDisposable[] = [
    ...(machines === undefined ? [] : [machines]),
    ...[service, fetcher, substituters, locks, realisations, state, store],
  ];
  return {
    daemon,
    places,
    [Symbol.asyncDispose]: async () => {
      await daemonSettled(daemon);
      for (const it of owned) await it[Symbol.asyncDispose]();
    },
  };
}

/** Caches by URL and trust, each opened once for all clients. */
class Substituters implements AsyncDisposable {
  readonly #options: RealiseOptions;
  readonly #context: Parameters<typeof openSubstituters>[1];
  readonly #open = new Map<string, Substituter>();

  constructor(options: RealiseOptions, context: Parameters<typeof openSubstituters>[1]) {
    this.#options = options;
    this.#context = context;
  }

  /** What is not chosen is as the daemon was told. */
  chosen({ substituters, trustedPublicKeys }: CacheChoice): readonly Substituter[] {
    const options = {
      ...this.#options,
      ...(trustedPublicKeys !== undefined && { trustedPublicKeys }),
    };
    return (substituters ?? options.substituters).flatMap((url) => this.#at(url, options));
  }

  #at(url: string, options: RealiseOptions): readonly Substituter[] {
    const key = JSON.stringify([url, options.trustedPublicKeys]);
    const known = this.#open.get(key);
    if (known !== undefined) return [known];
    // A client may name what is none, or a file of its own.
    if (!/^(https?|ssh|ssh-ng|unix):\/\//.test(url)) return [];
    const opened = openSubstituters({ ...options, substituters: [url] }, this.#context);
    for (const it of opened) this.#open.set(key, it);
    return opened;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const it of this.#open.values()) await it[Symbol.asyncDispose]();
  }
}

/** What a client has said takes the place of what the daemon was told. */
function clientRealiseOptions(realise: RealiseOptions, options: BuildOptions): RealiseOptions {
  const { sandbox, sandboxPaths, systemFeatures, extraPlatforms = [] } = options;
  return {
    ...realise,
    cores: options.cores,
    timeoutSeconds: options.timeoutSeconds ?? realise.timeoutSeconds,
    maxSilentSeconds: options.maxSilentSeconds ?? realise.maxSilentSeconds,
    maxLogBytes: options.maxLogBytes ?? realise.maxLogBytes,
    sandbox: sandbox ?? realise.sandbox,
    sandboxPaths: sandboxPaths ?? realise.sandboxPaths,
    systemFeatures: systemFeatures ?? realise.systemFeatures,
    systems: [...new Set([...realise.systems, ...extraPlatforms])],
  };
}
