/** A store behind a Nix daemon, over a pool of connections. */
import type { BuildResult, StoreDirectory, StorePath, UnkeyedValidPathInfo } from '@neve/nix-compat';
import {
  type ClientOptions,
  type DerivationAt,
  type LogFrame,
  type ProtocolVersion,
  type Trust,
  type WireContext,
  addedPathInfo,
  encodeWire,
  size,
} from '@neve/nix-compat/protocols';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { Dialer } from './remote-connection.ts';
import type { AddOptions, AddedObject, RemoteBuildOptions, RemoteStore } from './remote-store.ts';
import { WorkerClient } from './worker-client.ts';

export type WorkerStoreOptions = {
  readonly name: string;
  readonly dial: Dialer;
  readonly store: StoreDirectory;
  readonly maxConnections: number;
  readonly version?: ProtocolVersion;
};

/** What a daemon is told of how to do things, unless a build says more. */
const defaultOptions: ClientOptions = {
  keepFailed: false,
  keepGoing: false,
  tryFallback: false,
  verbosity: 1,
  maxBuildJobs: 1,
  maxSilentTime: 0,
  verboseBuild: true,
  buildCores: 0,
  useSubstitutes: true,
  overrides: new Map(),
};

export class WorkerStore implements RemoteStore {
  readonly name: string;
  readonly #pool: ConnectionPool<WorkerClient>;

  constructor({ name, dial, maxConnections, ...options }: WorkerStoreOptions) {
    this.name = name;
    this.#pool = new ConnectionPool({
      open: async (signal) => WorkerClient.open(await dial(signal), options),
      maxConnections,
    });
  }

  connect(signal?: AbortSignal): Promise<Trust> {
    return this.#pool.use(async ({ daemon }) => daemon.trust, signal);
  }

  queryPathInfo(path: StorePath, signal?: AbortSignal): Promise<UnkeyedValidPathInfo | undefined> {
    return this.#pool.use(async (client) => {
      if (client.context.minor >= 17) return client.call('queryPathInfo', { path });
      return (await client.call('isValidPath', { path }))
        ? client.call('queryPathInfo', { path })
        : undefined;
    }, signal);
  }

  queryPathFromHashPart(hashPart: string, signal?: AbortSignal): Promise<StorePath | undefined> {
    return this.#pool.use((client) => client.call('queryPathFromHashPart', { hashPart }), signal);
  }

  // oxlint-disable-next-line eslint/max-params -- signal comes last
  queryValidPaths(
    paths: readonly StorePath[],
    { substitute }: { readonly substitute: boolean },
    signal?: AbortSignal,
  ): Promise<readonly StorePath[]> {
    return this.#pool.use((client) => client.call('queryValidPaths', { paths, substitute }), signal);
  }

  queryAllValidPaths(signal?: AbortSignal): Promise<readonly StorePath[]> {
    return this.#pool.use((client) => client.call('queryAllValidPaths', {}), signal);
  }

  narFromPath<T>(
    path: StorePath,
    take: (nar: AsyncIterable<Uint8Array>) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#pool.use((client) => client.call('narFromPath', { path }, { receive: take }), signal);
  }

  add(objects: readonly AddedObject[], options: AddOptions, signal?: AbortSignal): Promise<void> {
    return this.#pool.use(async (client) => {
      const { dontCheckSignatures } = options;
      if (client.has('addMultipleToStore') && objects.length > 1) {
        const body = addedObjects(objects, { context: client.context, options, signal });
        await client.call('addMultipleToStore', { repair: false, dontCheckSignatures }, { body });
        return;
      }
      for (const { info, nar } of objects) {
        const request = { info, repair: false, dontCheckSignatures };
        await client.call('addToStoreNar', request, { body: nar(signal) });
        options.onAdded?.(info);
      }
    }, signal);
  }

  buildDerivation(at: DerivationAt, options: RemoteBuildOptions): Promise<BuildResult> {
    const { onLog, limits, signal } = options;
    return this.#pool.use(async (client) => {
      if (!client.has('buildDerivation')) {
        throw new NixDaemonError('unsupported', `${this.name} is too old to build for others`);
      }
      await client.call('setOptions', clientOptions(limits));
      return client.call(
        'buildDerivation',
        { ...at, mode: 'normal' },
        { onLog: (frame) => showLog(frame, onLog) },
      );
    }, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }
}

function clientOptions({
  timeoutSeconds,
  maxSilentSeconds,
  maxLogBytes,
}: RemoteBuildOptions['limits']): ClientOptions {
  const overrides = new Map<string, string>();
  if (timeoutSeconds !== undefined) overrides.set('timeout', String(timeoutSeconds));
  if (maxLogBytes !== undefined) overrides.set('max-build-log-size', String(maxLogBytes));
  return { ...defaultOptions, maxSilentTime: maxSilentSeconds ?? 0, overrides };
}

const encoder = new TextEncoder();

/** Lines of the log of the build. */
function showLog(frame: LogFrame, onLog: (bytes: Uint8Array) => void): void {
  if (frame.kind !== 'result' || frame.type !== 'buildLogLine') return;
  const [line] = frame.fields;
  if (typeof line === 'string') onLog(encoder.encode(`${line}\n`));
}

type AddContext = {
  readonly context: WireContext;
  readonly options: AddOptions;
  readonly signal: AbortSignal | undefined;
};

/** A count, and each object's path info and archive. */
async function* addedObjects(
  objects: readonly AddedObject[],
  { context, options, signal }: AddContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield encodeWire(size, objects.length, context);
  for (const { info, nar } of objects) {
    yield encodeWire(addedPathInfo, info, context);
    yield* nar(signal);
    options.onAdded?.(info);
  }
}
