/**
 * Stores of Nix that are reached by its protocols, as substituters and as machines to build on. Their code is loaded when one
 * is used.
 */
import { readFileSync } from 'node:fs';
import { nodeHashes } from '@neve/bytes/node';
import type { PublicKey, StoreDirectory } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import type { Machine, RemotePathInfos } from '@neve/nix-daemon/client';
import type { BuildSettings, DerivationBuilder, LogSink } from '@neve/realise';
import type { Castore, StoreServices, Substituter } from '@neve/store';
import type { Environment } from '../caller.ts';
import type { RealiseOptions } from './realise-options.ts';

export type RemoteSubstituterOptions = {
  readonly store: Castore;
  readonly storeDirectory: StoreDirectory;
  readonly environment: Environment;
  readonly publicKeys: readonly PublicKey[];
  readonly acceptUnsigned: boolean;
};

/** Whether a URL is not one of a binary cache. */
export function isRemoteStore(url: string): boolean {
  return /^(daemon(\?.*)?$|daemon:|unix:|ssh-ng:\/\/|ssh:\/\/)/.test(url);
}

/** As `openRemotePathInfos`, but nothing is loaded before it is asked. */
export function remoteSubstituter(url: string, options: RemoteSubstituterOptions): Substituter {
  let opened: Promise<RemotePathInfos> | undefined;
  const get = (): Promise<RemotePathInfos> => (opened ??= openRemotePathInfos(url, options));
  return {
    name: url,
    priority: async () => (await get()).priority(),
    wantsMassQuery: async () => (await get()).wantsMassQuery(),
    // It is told before it is asked; whoever asks learns that it cannot be opened.
    expect: (storePaths) =>
      void get().then(
        (it) => it.expect(storePaths),
        () => undefined,
      ),
    narInfo: async (hashPart, signal) => (await get()).narInfo(hashPart, signal),
    get: async (hashPart, signal) => (await get()).get(hashPart, signal),
    has: async (hashPart, signal) => (await get()).has(hashPart, signal),
    put: async (pathInfo, signal) => (await get()).put(pathInfo, signal),
    async *list(signal) {
      yield* (await get()).list(signal);
    },
    [Symbol.asyncDispose]: async () => (await opened?.catch(() => undefined))?.[Symbol.asyncDispose](),
  };
}

/** `trusted=true` in the URL takes what nobody has signed. Throws `NixDaemonError` for a URL that names no such store. */
export async function openRemotePathInfos(
  url: string,
  { store, storeDirectory, environment, publicKeys, acceptUnsigned }: RemoteSubstituterOptions,
): Promise<RemotePathInfos> {
  const client = await import('@neve/nix-daemon/client');
  const parsed = client.parseRemoteStoreUrl(url);
  const isTrusted = acceptUnsigned || ['true', '1'].includes(parsed.params.get('trusted') ?? '');
  const priority = Number(parsed.params.get('priority') ?? '0');
  return new client.RemotePathInfos({
    remote: client.openRemoteStore(parsed, { store: storeDirectory, environment }),
    blobs: store.blobs,
    directories: store.directories,
    hashes: nodeHashes,
    ed25519: nodeEd25519,
    store: storeDirectory,
    publicKeys,
    acceptUnsigned: isTrusted,
    priority: Number.isSafeInteger(priority) ? priority : 0,
  });
}

export type MachinesContext = {
  readonly storeDirectory: StoreDirectory;
  readonly environment: Environment;
  readonly warn: (message: string) => void;
};

export type MachineBuilderContext = {
  readonly local: DerivationBuilder;
  readonly settings: BuildSettings;
  readonly store: StoreServices;
  readonly logs: LogSink;
};

/** Disposing of it closes the connections to them. */
export type Machines = AsyncDisposable & {
  /** Of all machines but this one. */
  readonly jobs: number;
  /** Builds on the machines, and here. All such builders share the machines and the jobs of this one. */
  readonly builderFor: (options: RealiseOptions, context: MachineBuilderContext) => DerivationBuilder;
};

/** `undefined` when the settings name no machine. Throws `NixDaemonError`, which says in which line. */
export async function openMachines(
  options: RealiseOptions,
  { storeDirectory, environment, warn }: MachinesContext,
): Promise<Machines | undefined> {
  // Most have none, and then nothing is loaded.
  if (!namesAny(options.builders)) return undefined;
  const client = await import('@neve/nix-daemon/client');
  const machines = client.parseMachines(options.builders, { systems: options.systems.slice(0, 1), readFile });
  if (machines.length === 0) return undefined;
  const pool = new client.MachinePool({
    ...{ machines, localJobs: options.maxJobs, warn },
    open: (machine: Machine) => client.openMachine(machine, { store: storeDirectory, environment }),
  });
  return {
    jobs: pool.jobs,
    builderFor: ({ maxJobs, ...given }, { settings, ...services }) =>
      new client.MachineBuilder({
        ...services,
        ...{ pool, storeDirectory, hashes: nodeHashes, ed25519: nodeEd25519 },
        localMachine: settings,
        localJobs: maxJobs,
        limits: {
          timeoutSeconds: given.timeoutSeconds,
          maxSilentSeconds: given.maxSilentSeconds,
          maxLogBytes: given.maxLogBytes,
        },
        substitute: given.buildersUseSubstitutes,
        logLines: given.logLines,
      }),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

/** Whether the setting does more than to name a file that is not there. */
function namesAny(builders: string): boolean {
  const text = builders.trim();
  return text.startsWith('@') && !/[\n;]/.test(text)
    ? readFile(text.slice(1).trim()) !== undefined
    : text !== '';
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
