/**
 * A store behind `nix-store --serve`, over a pool of connections. The protocol has no form for errors: a program that cannot
 * do what it is asked says why on its standard error and ends.
 */
import type { BuildResult, StoreDirectory, StorePath, UnkeyedValidPathInfo } from '@neve/nix-compat';
import {
  type DerivationAt,
  type ServeAnswers,
  type ServeCommand,
  type ServeRequests,
  type Trust,
  type WireContext,
  encodeServeRequest,
  greetServer,
  serveAnswer,
} from '@neve/nix-compat/protocols';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { ConnectionPool, type PooledConnection } from './connection-pool.ts';
import { protocolErrors } from './protocol-errors.ts';
import type { Dialer, RemoteConnection } from './remote-connection.ts';
import type { AddOptions, AddedObject, RemoteBuildOptions, RemoteStore } from './remote-store.ts';

export type ServeStoreOptions = {
  readonly name: string;
  readonly dial: Dialer;
  readonly store: StoreDirectory;
  readonly maxConnections: number;
};

type ServeCallOptions<Received> = {
  readonly body?: AsyncIterable<Uint8Array>;
  readonly receive?: (nar: AsyncIterable<Uint8Array>) => Promise<Received>;
};

/** One connection: a command at a time. */
class ServeClient implements PooledConnection {
  readonly connection: RemoteConnection;
  readonly #context: WireContext;
  #isUsable = true;

  constructor(connection: RemoteConnection, context: WireContext) {
    this.connection = connection;
    this.#context = context;
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  call<Name extends ServeCommand, Received = ServeAnswers[Name]>(
    command: Name,
    request: ServeRequests[Name],
    { body, receive }: ServeCallOptions<Received> = {},
  ): Promise<Received> {
    return protocolErrors(this.connection, async () => {
      const { reader } = this.connection;
      const encoded = encodeServeRequest(command, request, this.#context);
      this.#isUsable = false;
      await this.connection.send(encoded);
      if (body !== undefined) for await (const piece of body) await this.connection.send(piece);
      const answer = await reader.read(`answer to ${command}`, serveAnswer(command), this.#context);
      let received = answer as unknown as Received;
      if (receive !== undefined) {
        const nar = reader.nar();
        received = await receive(nar);
        await nar.skip();
      }
      this.#isUsable = true;
      return received;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isUsable = false;
    await this.connection[Symbol.asyncDispose]();
  }
}

export class ServeStore implements RemoteStore {
  readonly name: string;
  readonly #pool: ConnectionPool<ServeClient>;

  constructor({ name, dial, maxConnections, store }: ServeStoreOptions) {
    this.name = name;
    this.#pool = new ConnectionPool({ open: (signal) => open(dial, store, signal), maxConnections });
  }

  /** Nobody says. */
  connect(signal?: AbortSignal): Promise<Trust> {
    return this.#pool.use<Trust>(async () => 'unknown', signal);
  }

  async queryPathInfo(path: StorePath, signal?: AbortSignal): Promise<UnkeyedValidPathInfo | undefined> {
    const infos = await this.#pool.use((client) => client.call('queryPathInfos', { paths: [path] }), signal);
    return infos.find((it) => it.path.baseName === path.baseName);
  }

  async queryPathFromHashPart(): Promise<StorePath | undefined> {
    throw this.#unsupported('finds no path by its hash alone');
  }

  // oxlint-disable-next-line eslint/max-params -- signal comes last
  queryValidPaths(
    paths: readonly StorePath[],
    { substitute }: { readonly substitute: boolean },
    signal?: AbortSignal,
  ): Promise<readonly StorePath[]> {
    return this.#pool.use(
      (client) => client.call('queryValidPaths', { lock: true, substitute, paths }),
      signal,
    );
  }

  async queryAllValidPaths(): Promise<readonly StorePath[]> {
    throw this.#unsupported('does not list what is there');
  }

  narFromPath<T>(
    path: StorePath,
    take: (nar: AsyncIterable<Uint8Array>) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#pool.use((client) => client.call('dumpStorePath', { path }, { receive: take }), signal);
  }

  async add(objects: readonly AddedObject[], { onAdded }: AddOptions, signal?: AbortSignal): Promise<void> {
    for (const { info, nar } of objects) {
      const added = await this.#pool.use(
        (client) => client.call('addToStoreNar', { info }, { body: nar(signal) }),
        signal,
      );
      if (!added)
        throw new NixDaemonError('remote-failure', `${this.name} did not take '${info.path.baseName}'`);
      onAdded?.(info);
    }
  }

  buildDerivation(at: DerivationAt, { onLog, limits, signal }: RemoteBuildOptions): Promise<BuildResult> {
    return this.#pool.use(async (client) => {
      // The log is all that it writes beside the protocol.
      client.connection.onStderr = onLog;
      try {
        const options = {
          maxSilentTime: limits.maxSilentSeconds ?? 0,
          buildTimeout: limits.timeoutSeconds ?? 0,
          maxLogSize: limits.maxLogBytes ?? 0,
          repeats: 0,
          enforceDeterminism: false,
          keepFailed: false,
        };
        return await client.call('buildDerivation', { ...at, options });
      } finally {
        client.connection.onStderr = () => undefined;
      }
    }, signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool[Symbol.asyncDispose]();
  }

  #unsupported(problem: string): NixDaemonError {
    return new NixDaemonError(
      'unsupported',
      `'nix-store --serve', behind ${this.name}, ${problem}; use ssh-ng: instead of ssh:`,
    );
  }
}

// oxlint-disable-next-line eslint/max-params -- signal comes last
async function open(dial: Dialer, store: StoreDirectory, signal?: AbortSignal): Promise<ServeClient> {
  const connection = await dial(signal);
  try {
    const context = await protocolErrors(connection, () => greetServer(connection, { store }));
    return new ServeClient(connection, context);
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
}
