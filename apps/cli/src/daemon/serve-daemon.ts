/** The composition root of the daemon: from its options to a store, threads, a builder, and what listens. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { type GrpcServer, type ServedServices, serveGrpc } from '@neve/rpc/node';
import { log } from '@neve/telemetry';
import { write } from '../output.ts';
import { Workshop } from '../realise/workshop.ts';
import { takeRollingLease } from '../store/rolling-lease.ts';
import { readTlsFiles } from '../tls-options.ts';
import { UsageError } from '../usage-error.ts';
import { userSocket } from './daemon-address.ts';
import { DaemonHub } from './daemon-hub.ts';
import { type DaemonArguments, daemonLimits } from './daemon-options.ts';
import { EvaluatorThreads } from './evaluator-threads.ts';
import { givenSockets } from './given-sockets.ts';
import type { ReleaseConnections } from './hold-connections.ts';
import { IdleTimer } from './idle-timer.ts';
import { limitedBuilder } from './limited-builder.ts';
import { limitedCore } from './limited-core.ts';
import { Permits } from './permits.ts';
import { type PrivateSocket, isPrivateSocket, listenPrivately } from './private-socket.ts';

declare const NEVE_VERSION: string;

/** Calls of the stores may go on so long when the daemon ends. */
const storeGraceMs = 2000;

/** Until the signal is aborted, or a client ends it. */
export async function serveDaemon(args: DaemonArguments, signal: AbortSignal): Promise<void> {
  const limits = daemonLimits(args);
  const tls = readTlsFiles(args);
  const addresses = args.all('listen');
  const network = addresses.filter((it) => !it.startsWith('unix:'));
  const storeName = args.last('store');
  const listeners = await openListeners(addresses.filter((it) => it.startsWith('unix:')));
  await using _locks = listeners;
  await using workshop = await Workshop.open({ storeName, directory: process.cwd(), args });
  await using _lease = await takeRollingLease(workshop.state.leases);
  const builds = new Permits(limits.maxJobs);
  const builderUrl = args.last('builder');
  const buildUsersGroup = args.last('buildUsers');
  const ownBuilder = workshop.builder({ builder: builderUrl ?? 'local:', buildUsersGroup });
  const builder = limitedBuilder(ownBuilder, builds);
  const stopping = new Stopping(signal);
  const idle = new IdleTimer(limits.idleMs, () => stopping.stop({ now: false }));
  const threads = new EvaluatorThreads({
    core: loadCore(limits.evaluationBytes),
    maxIdle: limits.evaluators,
    recycleBytes: limits.recycleBytes,
    maxHeapMegabytes: Math.ceil(limits.evaluationBytes / 1024 / 1024),
  });
  const hub = new DaemonHub({
    ...{ version: NEVE_VERSION, workshop, storeName, builder, builds, threads, onError },
    evaluations: new Permits(limits.evaluators),
    onActivity: () => idle.setBusy('commands', hub.isBusy),
    onShutdown: (options) => stopping.stop(options),
  });
  await using _hub = hub;
  const { store, state } = workshop;
  const stores: ServedServices = { ...store, narCalculation: state.narCalculation(store) };
  const own = (isPrivate: boolean): ServedServices => ({
    ...stores,
    ...((isPrivate || builderUrl !== undefined) && { builder, buildPolicy: buildPolicyOf(args, limits) }),
    daemon: { service: hub, isPrivate },
  });
  await using servers = new Servers();
  for (const { listener, isPrivate, release, ...at } of listeners.sockets) {
    idle.watch(listener);
    const options = { listen: listener, graceMs: storeGraceMs, onError, ...at };
    servers.add(await serveGrpc(own(isPrivate), options));
    release();
  }
  for (const listen of network) {
    servers.add(
      await serveGrpc(own(false), {
        listen,
        graceMs: storeGraceMs,
        onError,
        ...(tls !== undefined && { tls }),
      }),
    );
  }
  for (const { address, url } of servers.all) {
    write(2, `listening on ${address}; clients connect to ${url}\n`);
  }
  const { now } = await stopping.requested;
  await hub.end(now ? 0 : limits.graceMs);
}

function onError(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  log('error', text);
  write(2, `error: ${text}\n`);
}

/** Asked for once; who asks again, urgently, is heard. */
class Stopping {
  readonly requested: Promise<{ readonly now: boolean }>;
  readonly stop: (options: { readonly now: boolean }) => void;

  constructor(signal: AbortSignal) {
    let request: (options: { readonly now: boolean }) => void = () => undefined;
    this.requested = new Promise((resolve) => (request = resolve));
    this.stop = request;
    const stop = (): void => this.stop({ now: false });
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  }
}

class Servers implements AsyncDisposable {
  readonly all: GrpcServer[] = [];

  add(server: GrpcServer): void {
    this.all.push(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((it) => it[Symbol.asyncDispose]()));
  }
}

type Listeners = AsyncDisposable & {
  readonly sockets: readonly {
    readonly listener: Server;
    readonly isPrivate: boolean;
    readonly release: ReleaseConnections;
    readonly address?: string;
  }[];
};

/** What systemd hands over, or else the sockets that are named, or the one of the user. */
async function openListeners(named: readonly string[]): Promise<Listeners> {
  const given = await givenSockets(process.env);
  if (given.length > 0) {
    const sockets = given.map(({ listener, path, release }) => ({
      ...{ listener, release },
      isPrivate: path !== undefined && isPrivateSocket(path),
      ...(path !== undefined && { address: `unix:${path}` }),
    }));
    return { sockets, [Symbol.asyncDispose]: async () => given.forEach(({ listener }) => listener.close()) };
  }
  const paths = named.length > 0 ? named.map(pathOf) : [userSocket(process.env)];
  const opened: PrivateSocket[] = [];
  for (const path of paths) opened.push(await listenPrivately(path));
  return {
    sockets: opened.map(({ listener, release }) => ({ listener, release, isPrivate: true })),
    [Symbol.asyncDispose]: async () => {
      for (const { lock, listener } of opened) {
        listener.close();
        await lock[Symbol.asyncDispose]();
      }
    },
  };
}

function pathOf(address: string): string {
  const path = address.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
  if (path.startsWith('/')) return path;
  throw new UsageError(`the path of a socket begins with a slash, and '${address}' does not`);
}

function loadCore(maxBytes: number): WebAssembly.Module {
  const path = process.env['NEVE_CORE'] ?? join(__dirname, '../neve.wasm');
  return new WebAssembly.Module(limitedCore(readFileSync(path), maxBytes));
}

function buildPolicyOf(
  args: DaemonArguments,
  { maxJobs }: { readonly maxJobs: number },
): NonNullable<ServedServices['buildPolicy']> {
  return { hostPaths: ['/dev/kvm', ...args.all('hostPaths')], maxBuilds: maxJobs };
}
