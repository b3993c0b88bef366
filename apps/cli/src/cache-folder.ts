import { homedir } from 'node:os';
import { join } from 'node:path';

/** `neve` in the XDG cache directory. */
export function cacheFolder(): string {
  const { XDG_CACHE_HOME: cache = '' } = process.env;
  return join(cache === '' ? join(homeFolder(), '.cache') : cache, 'neve');
}

export function homeFolder(): string {
  const { HOME: home = '' } = process.env;
  return home === '' ? homedir() : home;
}
