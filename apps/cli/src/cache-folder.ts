import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './caller.ts';

/** `neve` in the XDG cache directory. */
export function cacheFolder(environment: Environment = process.env): string {
  const { XDG_CACHE_HOME: cache = '' } = environment;
  return join(cache === '' ? join(homeFolder(environment), '.cache') : cache, 'neve');
}

export function homeFolder(environment: Environment = process.env): string {
  const { HOME: home = '' } = environment;
  return home === '' ? homedir() : home;
}
