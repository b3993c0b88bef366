/** `neve nar-bridge`: a store as a binary cache over HTTP, until it is interrupted. */
import { setMaxListeners } from 'node:events';
import { ServerMetrics, measuredHandler, withServerPages } from '@neve/nar-bridge';
import { type CacheServerOptions, serveCache } from '@neve/nar-bridge/node';
import type { CommandDescription } from '../command-description.ts';
import { helpText } from '../help.ts';
import { untilAborted, watchInterruptions } from '../interruption.ts';
import { write } from '../output.ts';
import { type Arguments, optionsByName, parseWords } from '../parse-words.ts';
import { readTlsFiles } from '../tls-options.ts';
import { UsageError } from '../usage-error.ts';
import { summaries } from '../top-level-commands.ts';
import { AccessLog } from './access-log.ts';
import { errorText, reportFailure } from '../error-text.ts';
import { type NarBridgeOptionName, narBridgeOptions } from './nar-bridge-options.ts';
import { numberOf } from './number-option.ts';
import { openCache } from './open-cache.ts';

declare const NEVE_VERSION: string;

/** Gives the exit code. */
export async function runNarBridge(argv: readonly string[]): Promise<number> {
  const aborter = new AbortController();
  setMaxListeners(0, aborter.signal);
  using _watch = watchInterruptions(() => aborter.abort());
  try {
    const args = parseWords(argv, optionsByName(narBridgeOptions));
    if (args.has('help')) {
      write(1, helpText(describe()));
      return 0;
    }
    if (args.positional.length > 0) throw new UsageError('neve nar-bridge takes no arguments');
    await serve(args, aborter.signal);
    return 0;
  } catch (error) {
    return reportFailure(error, 'nar-bridge');
  }
}

async function serve(args: Arguments<NarBridgeOptionName>, signal: AbortSignal): Promise<void> {
  const metrics = new ServerMetrics();
  const log = new AccessLog({ isQuiet: args.has('quiet'), asJson: args.has('json') });
  // A command line that cannot be is told before anything is opened.
  numberOf(args, 'capacity');
  const serverOptions = readServerOptions(args);
  await using cache = await openCache(args, {
    onEvent(event) {
      metrics.observeCache(event);
      log.observeCache(event);
    },
    isBusy: () => metrics.inFlight > 0,
    onProblem: (error) => write(2, `warning: a NAR could not be compressed: ${errorText(error)}\n`),
  });
  const handler = withServerPages(cache.handler, {
    metrics,
    checkReady: cache.checkReady,
    version: NEVE_VERSION,
    publicKeys: cache.publicKeys,
    acceptsUploads: !args.has('readOnly'),
    isSecure: args.has('cert'),
  });
  await using _server = await serveCache(measuredHandler(handler), {
    ...serverOptions,
    onEvent(event) {
      metrics.observeServer(event);
      log.observeServer(event);
    },
  });
  await untilAborted(signal);
}

function readServerOptions(args: Arguments<NarBridgeOptionName>): CacheServerOptions {
  const listen = args.all('listen');
  const mode = args.last('socketMode');
  if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode)) {
    throw new UsageError(`--socket-mode '${mode}' is not a mode as 660`);
  }
  const tls = readTlsFiles(args);
  const idleSeconds = numberOf(args, 'idleTimeout');
  const graceSeconds = numberOf(args, 'graceTime');
  return {
    listen: listen.length === 0 ? ['[::]:9000'] : listen,
    tls: tls === undefined ? undefined : { ...tls, clientCa: tls.ca },
    socketMode: mode === undefined ? undefined : parseInt(mode, 8),
    activation: process.env,
    maxConnections: numberOf(args, 'maxConnections'),
    idleMs: idleSeconds === undefined ? undefined : idleSeconds * 1000,
    graceMs: graceSeconds === undefined ? undefined : graceSeconds * 1000,
  };
}

/** For its help, manuals and completion. */
export function describe(): CommandDescription {
  return {
    name: 'nar-bridge',
    summary: summaries['nar-bridge'],
    usage: ['nar-bridge [OPTIONS]'],
    description: `Serves a store as a binary cache for Nix: 'nix copy --from' and '--to http://HOST:PORT', substituters, browsers. Uploads are
checked before anybody sees them. The log goes to standard error.`,
    arguments: [],
    options: Object.values(narBridgeOptions),
  };
}
