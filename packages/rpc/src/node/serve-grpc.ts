/**
 * Services over gRPC, for clients of Neve, Snix and Tvix: each under its name in `snix` and, if it had one, in `tvix`, with our extensions,
 * the health and the reflection protocol beside them.
 *
 * Shutting down takes no more connections, waits for the calls that are under way, and after `graceMs` ends them.
 */
import { rm, stat } from 'node:fs/promises';
import { type AddressInfo, type Server as NetServer, connect } from 'node:net';
import type {
  Server,
  ServerCredentials,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { BuildService } from '@neve/build';
import type { BlobService, DirectoryService } from '@neve/castore';
import type { NarCalculationService, PathInfoService } from '@neve/store';
import { blobBatchHandlers } from '../blob-batch-handlers.ts';
import { blobHandlers } from '../blob-handlers.ts';
import { buildHandlers } from '../build-handlers.ts';
import type { BuildPolicy } from '../build-policy.ts';
import { type DaemonAccess, daemonHandlers } from '../daemon-handlers.ts';
import { directoryHandlers } from '../directory-handlers.ts';
import type { Handler } from '../handler.ts';
import { Health, healthServiceName } from '../health-handlers.ts';
import { pathOf } from '../method.ts';
import { pathInfoHandlers } from '../path-info-handlers.ts';
import { reflectionHandlers, reflectionServiceNames } from '../reflection-handlers.ts';
import { RpcError } from '../rpc-error.ts';
import { isInTvix, tvixName } from '../tvix-names.ts';
import { implement } from './implement-handler.ts';
import { loadGrpc, sharedOptions, toBuffer, type GrpcModule } from './load-grpc.ts';
import { widenWindows } from './widen-windows.ts';

export type ServedServices = {
  readonly blobs?: BlobService;
  readonly directories?: DirectoryService;
  readonly pathInfos?: PathInfoService;
  /** For path infos that do not calculate NARs themselves. */
  readonly narCalculation?: NarCalculationService;
  /** Whoever may connect may have anything run by it. */
  readonly builder?: BuildService;
  /** What builds may see of this machine. */
  readonly buildPolicy?: BuildPolicy;
  /** Commands, and who may have them run. */
  readonly daemon?: DaemonAccess;
};

export type ServeOptions = {
  /**
   * `host:port` (port 0: any that is free), `[::1]:8000`, or `unix:/path`; or what listens already and is closed with the
   * server.
   */
  readonly listen: string | NetServer;
  /** Of what listens already, as above. */
  readonly address?: string;
  /** In PEM. With `ca`, clients need a certificate by it. */
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array; readonly ca?: Uint8Array };
  /** How long calls may go on when the server is shut down, in milliseconds. Ten seconds. */
  readonly graceMs?: number;
  /** Learns of failures that clients are not told. */
  readonly onError?: (error: unknown) => void;
};

export interface GrpcServer extends AsyncDisposable {
  /** As in `listen`, with the port that was chosen. */
  readonly address: string;
  /** What a client connects to: `grpc+http://127.0.0.1:8000`, `grpc+unix:/path`. */
  readonly url: string;
}

/** The caller keeps the services. Throws `RpcError` (`unavailable`) when it cannot listen. */
export async function serve(services: ServedServices, options: ServeOptions): Promise<GrpcServer> {
  const grpc = await loadGrpc();
  const server = new grpc.Server(sharedOptions);
  widenWindows(server);
  const own = handlersOf(services);
  const served = [...own, ...own.filter(({ method }) => isInTvix(method.service)).map(withTvixName)];
  const names = [...new Set(served.map(({ method }) => method.service))];
  const health = new Health(names);
  const all = [...names, healthServiceName, ...reflectionServiceNames];
  const handlers = [...served, ...health.handlers(), ...reflectionHandlers(all)];
  const onError = options.onError ?? ((): void => undefined);
  for (const name of all)
    addService(
      server,
      handlers.filter(({ method }) => method.service === name),
      onError,
    );
  const { listen } = options;
  const credentials = credentialsOf(grpc, options);
  const address =
    typeof listen === 'string'
      ? await bind(server, listen, credentials)
      : takeConnections(server, listen, { credentials, address: options.address });
  return new RunningServer(server, { health, address, options });
}

function handlersOf(services: ServedServices): readonly Handler[] {
  const { blobs, directories, pathInfos, narCalculation, builder, buildPolicy, daemon } = services;
  return [
    ...(blobs === undefined ? [] : [...blobHandlers(blobs), ...blobBatchHandlers(blobs)]),
    ...(directories === undefined ? [] : directoryHandlers(directories)),
    ...(pathInfos === undefined ? [] : pathInfoHandlers(pathInfos, narCalculation)),
    ...(builder === undefined ? [] : buildHandlers(builder, buildPolicy)),
    ...(daemon === undefined ? [] : daemonHandlers(daemon)),
  ];
}

function withTvixName({ method, run }: Handler): Handler {
  return { method: { ...method, service: tvixName(method.service) }, run };
}

function addService(server: Server, handlers: readonly Handler[], onError: (error: unknown) => void): void {
  const same = (message: Buffer): Buffer => message;
  const definition = handlers.map(({ method }) => [
    method.name,
    {
      path: pathOf(method),
      originalName: method.name,
      requestStream: method.streams.request,
      responseStream: method.streams.answer,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  ]);
  const implementation = handlers.map((handler) => [handler.method.name, implement(handler, onError)]);
  server.addService(
    Object.fromEntries(definition) as ServiceDefinition,
    Object.fromEntries(implementation) as UntypedServiceImplementation,
  );
}

function credentialsOf({ ServerCredentials: make }: GrpcModule, { tls }: ServeOptions): ServerCredentials {
  if (tls === undefined) return make.createInsecure();
  const pair = { cert_chain: toBuffer(tls.cert), private_key: toBuffer(tls.key) };
  return make.createSsl(tls.ca === undefined ? null : toBuffer(tls.ca), [pair], tls.ca !== undefined);
}

async function bind(server: Server, listen: string, credentials: ServerCredentials): Promise<string> {
  const socket = socketPath(listen);
  if (socket !== undefined) await removeStaleSocket(socket);
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, credentials, (error, port) => {
      if (error === null) return resolve(socket === undefined ? listen.replace(/:\d+$/, `:${port}`) : listen);
      server.forceShutdown();
      reject(new RpcError('unavailable', `cannot listen at ${listen}: ${error.message}`, { cause: error }));
    });
  });
}

/** From what listens already; gives its address. */
function takeConnections(
  server: Server,
  listener: NetServer,
  { credentials, address: given }: { credentials: ServerCredentials; address: string | undefined },
): string {
  const injector = server.createConnectionInjector(credentials);
  listener.on('connection', (socket) => injector.injectConnection(socket));
  if (given !== undefined) return given;
  const address = listener.address() as AddressInfo | string;
  if (typeof address === 'string') return `unix:${address}`;
  const { address: host, port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function socketPath(listen: string): string | undefined {
  return listen.startsWith('unix:') ? listen.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') : undefined;
}

/** A socket that a killed server left behind: nobody listens to it. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isSocket() === true && !(await isListening(path))) await rm(path, { force: true });
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}

type RunningParts = {
  readonly health: Health;
  readonly address: string;
  readonly options: ServeOptions;
};

const defaultGraceMs = 10_000;

class RunningServer implements GrpcServer {
  readonly address: string;
  readonly url: string;
  readonly #server: Server;
  readonly #health: Health;
  readonly #graceMs: number;
  readonly #options: ServeOptions;
  #ended: Promise<void> | undefined;

  constructor(server: Server, { health, address, options }: RunningParts) {
    this.#server = server;
    this.#health = health;
    this.#options = options;
    this.#graceMs = options.graceMs ?? defaultGraceMs;
    this.address = address;
    const socket = socketPath(address);
    const scheme = options.tls === undefined ? 'http' : 'https';
    this.url = socket === undefined ? `grpc+${scheme}://${address}` : `grpc+unix:${socket}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  #end(): Promise<void> {
    this.#health.stop();
    const { listen } = this.#options;
    if (typeof listen !== 'string') listen.close();
    return new Promise((resolve) => {
      const force = setTimeout(() => this.#server.forceShutdown(), this.#graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }
}
