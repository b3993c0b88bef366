/**
 * Where the daemon is, as `--daemon=`, NEVE_DAEMON and the setting `daemon` say it:
 *
 *     1  true                       the socket of the user
 *     /path  unix:/path  grpc+unix:/path
 *     http://host:port  https://host:port, each also with grpc+
 *
 * The socket of the user is `neve/daemon.socket` in $XDG_RUNTIME_DIR, which belongs to the user; without it, in the cache
 * folder.
 */
import { join } from 'node:path';
import type { LightTarget } from '@neve/rpc/node/daemon-client';
import { cacheFolder } from '../cache-folder.ts';
import type { Environment } from '../caller.ts';
import { UsageError } from '../usage-error.ts';

export function userSocket(environment: Environment): string {
  const { XDG_RUNTIME_DIR: runtime = '' } = environment;
  const folder = runtime === '' ? cacheFolder(environment) : join(runtime, 'neve');
  return join(folder, 'daemon.socket');
}

/** Throws `UsageError`. */
export function daemonTarget(text: string, environment: Environment): LightTarget {
  if (text === '' || text === '1' || text === 'true') {
    return { kind: 'socket', path: userSocket(environment) };
  }
  const address = text.replace(/^grpc\+/, '');
  if (/^https?:\/\/[^/]+\/?$/.test(address)) return { kind: 'url', url: address };
  const path = address.replace(/^unix:(?:\/\/(?=\/))?/, '');
  if (path.startsWith('/')) return { kind: 'socket', path };
  throw new UsageError(
    `'${text}' is no address of a daemon: it is /path, unix:/path, http://host:port or https://host:port`,
  );
}

/** As messages have it. */
export function titleOf(target: LightTarget): string {
  return target.kind === 'socket' ? target.path : target.url;
}
