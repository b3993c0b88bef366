/** `neve cache serve`: the caches of a folder over HTTP, until it is interrupted. */
import { join } from 'node:path';
import { nodeHashes } from '@neve/bytes/node';
import { type Caller, ServerMetrics, measuredHandler, withServerPages } from '@neve/nar-bridge';
import type { CacheRequest, CacheResponse, RequestHandler, ServerEvent } from '@neve/nar-bridge';
import { textResponse } from '@neve/nar-bridge';
import {
  CompressedNarFolder,
  ServerFolder,
  type TenantEvent,
  type TenantServer,
  localAdministration,
  openTenantServer,
  serveCache,
} from '@neve/nar-bridge/node';
import { AccessLog } from '../nar-bridge/access-log.ts';
import { buildLogFiles } from '../nar-bridge/build-log-files.ts';
import { errorText } from '../error-text.ts';
import { untilAborted } from '../interruption.ts';
import { write } from '../output.ts';
import type { Arguments } from '../parse-words.ts';
import { parseAge, parseCount } from '../quantities.ts';
import { httpSettings } from '../store/http-settings.ts';
import { readTlsFiles, tlsOptions } from '../tls-options.ts';
import { UsageError } from '../usage-error.ts';
import { type CommonOptionName, cacheCommand } from './cache-command.ts';
import { folderOption, serverFolderPath } from './server-place.ts';

declare const NEVE_VERSION: string;

const options = {
  ...folderOption,
  listen: {
    names: ['-l', '--listen-address', '--listen'],
    parameters: ['ADDRESS'],
    help: 'host:port, [::]:port, unix:/path or sd-listen; may be given again (default: [::]:9000)',
  },
  rootCache: { names: ['--root-cache'], parameters: ['NAME'], help: 'the cache that is at / as well' },
  hostSuffix: {
    names: ['--host-suffix'],
    parameters: ['DOMAIN'],
    help: 'NAME.DOMAIN is the cache NAME as well',
  },
  gcInterval: {
    names: ['--gc-interval'],
    parameters: ['AGE'],
    help: 'how often old paths are removed: 1h, 1d; never unless given',
  },
  upstreamTimeout: {
    names: ['--upstream-timeout'],
    parameters: ['SECONDS'],
    help: 'how long an upstream may say nothing (default: 5)',
  },
  upstreamPause: {
    names: ['--upstream-pause'],
    parameters: ['SECONDS'],
    help: 'how long an upstream that failed is left alone (default: 30)',
  },
  compressedSize: {
    names: ['--compressed-nars-size'],
    parameters: ['GIB'],
    help: 'how much compressed NARs that are kept for clients may take; 0 for none (default: 16)',
  },
  maxConnections: {
    names: ['--max-connections'],
    parameters: ['N'],
    help: 'more are closed at once (default: 4096)',
  },
  graceTime: {
    names: ['--grace-time'],
    parameters: ['SECONDS'],
    help: 'how long what is under way may take to end (default: 30)',
  },
  ...tlsOptions,
} as const;

type ServeArguments = Arguments<keyof typeof options | CommonOptionName>;

export const serveCommand = cacheCommand({
  name: 'serve',
  summary: 'serve the caches of a folder over HTTP',
  usage: ['serve [OPTIONS]'],
  arguments: [],
  description: `Serves every cache at http://HOST:PORT/NAME, to Nix, to 'neve cache' and to browsers. Caches and tokens that are made
or changed meanwhile count at once. /healthz and /readyz are for everybody, /metrics for a token with the scope configure of '*'.
The log goes to standard error.`,
  options,
  async run(args, signal) {
    if (args.positional.length > 0) throw new UsageError('neve cache serve takes no arguments');
    await serve(args, signal);
  },
});

async function serve(args: ServeArguments, signal: AbortSignal): Promise<void> {
  const [listen, tls] = [args.all('listen'), readTlsFiles(args)];
  const gcInterval = args.last('gcInterval');
  const gcIntervalMs = gcInterval === undefined ? undefined : parseAge(gcInterval);
  const maxConnections = args.last('maxConnections');
  const graceMs = secondsOf(args, 'graceTime');
  const metrics = new ServerMetrics();
  const log = new AccessLog({ isQuiet: args.has('quiet'), asJson: args.has('json') });
  await using folder = await ServerFolder.open(serverFolderPath(args), { create: true });
  await using compressed = await openCompressed(args, folder, {
    isBusy: () => metrics.inFlight > 0,
    onMade: (hashPart) => tenants.forgetNarInfo(hashPart),
  });
  await using tenants: TenantServer = openTenantServer({
    folder,
    rootCache: args.last('rootCache'),
    hostSuffix: args.last('hostSuffix'),
    http: httpSettings(),
    upstreamTimeoutMs: secondsOf(args, 'upstreamTimeout'),
    upstreamPauseMs: secondsOf(args, 'upstreamPause'),
    compressedNars: compressed.nars,
    openLogs: buildLogFiles,
    serverRoutes: serverRoutes(metrics, folder),
    onEvent: (event) => tellOfCache(event, { metrics, log }),
  });
  await using _server = await serveCache(measuredHandler(tenants.handler), {
    listen: listen.length === 0 ? ['[::]:9000'] : listen,
    tls: tls === undefined ? undefined : { ...tls, clientCa: tls.ca },
    activation: process.env,
    maxConnections:
      maxConnections === undefined ? undefined : parseCount(maxConnections, '--max-connections'),
    graceMs,
    onEvent(event: ServerEvent) {
      metrics.observeServer(event);
      log.observeServer(event);
    },
  });
  using _collection = gcIntervalMs === undefined ? undefined : collectEvery(gcIntervalMs, folder);
  await untilAborted(signal);
}

type Compressing = { readonly isBusy: () => boolean; readonly onMade: (hashPart: string) => void };

async function openCompressed(
  args: ServeArguments,
  folder: ServerFolder,
  { isBusy, onMade }: Compressing,
): Promise<AsyncDisposable & { readonly nars: CompressedNarFolder | undefined }> {
  const given = args.last('compressedSize') ?? '16';
  if (!/^[0-9]{1,6}$/.test(given)) throw new UsageError(`--compressed-nars-size '${given}' is not a number`);
  if (given === '0') return { nars: undefined, [Symbol.asyncDispose]: async () => {} };
  const nars = await CompressedNarFolder.open({
    path: join(folder.path, 'compressed'),
    store: folder.castore,
    hashes: nodeHashes,
    maxBytes: Number(given) * 2 ** 30,
    isBusy,
    onEvent(event) {
      if (event.kind === 'failed')
        write(2, `warning: a NAR could not be compressed: ${errorText(event.error)}\n`);
      else if (event.kind === 'made' && event.hashPart !== undefined) onMade(event.hashPart);
    },
  });
  return { nars, [Symbol.asyncDispose]: () => nars[Symbol.asyncDispose]() };
}

/** What is of the server and of no cache. Counters are of all caches, so that they are not for everybody. */
function serverRoutes(
  metrics: ServerMetrics,
  folder: ServerFolder,
): (request: CacheRequest, caller: Caller) => Promise<CacheResponse | undefined> {
  const nothing: RequestHandler = async () => textResponse(404, 'this is not here');
  const pages = withServerPages(nothing, {
    metrics,
    checkReady: async () => void (await folder.registry.list()),
    version: NEVE_VERSION,
    publicKeys: [],
    acceptsUploads: true,
  });
  return async (request, caller) => {
    if (request.path === '/healthz' || request.path === '/readyz') return pages(request);
    const mayAll = caller.kind === 'known' && caller.claims.scopes.configure?.includes('*') === true;
    return request.path === '/metrics' && mayAll ? pages(request) : undefined;
  };
}

type Observers = { readonly metrics: ServerMetrics; readonly log: AccessLog };

function tellOfCache(event: TenantEvent, { metrics, log }: Observers): void {
  switch (event.kind) {
    case 'upstream-failed':
      write(2, `warning: ${event.cache}: ${event.error.message}\n`);
      return;
    case 'not-pulled':
      write(2, `warning: ${event.cache}: '${event.hashPart}' was not kept: ${errorText(event.error)}\n`);
      return;
    case 'pulled':
      return;
    default:
      metrics.observeCache(event);
      log.observeCache(event);
  }
}

/** One at a time; a collection that fails is tried again the next time. */
function collectEvery(intervalMs: number, folder: ServerFolder): Disposable {
  let isRunning = false;
  const collect = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    try {
      const { caches, freedBytes } = await localAdministration(folder).collect({});
      const removed = caches.reduce((sum, { removedPaths }) => sum + removedPaths.length, 0);
      if (removed > 0 || freedBytes > 0) write(2, `collected ${removed} paths, ${freedBytes} bytes\n`);
    } catch (error) {
      write(2, `warning: the collection failed: ${errorText(error)}\n`);
    }
    isRunning = false;
  };
  const timer = setInterval(() => void collect(), intervalMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function secondsOf(
  args: ServeArguments,
  option: 'upstreamTimeout' | 'upstreamPause' | 'graceTime',
): number | undefined {
  const text = args.last(option);
  if (text === undefined) return undefined;
  if (/^[0-9]{1,6}(\.[0-9]{1,3})?$/.test(text)) return Number(text) * 1000;
  throw new UsageError(`${options[option].names[0]} '${text}' is no number of seconds`);
}
