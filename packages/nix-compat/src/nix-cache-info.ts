/**
 * The file `nix-cache-info` at the root of a binary cache.
 *
 *     StoreDir: /nix/store      where the cache's paths lie
 *     WantMassQuery: 1          whether it may be asked for many paths at once
 *     Priority: 30              of several caches the one with the lowest number is asked first
 *
 * All keys may be missing. Lines without a colon and unknown keys mean nothing, white space around a value neither, and
 * of a key that comes twice the last counts, as in Nix.
 */
import { NixCompatError } from './nix-compat-error.ts';

export type NixCacheInfo = {
  readonly storeDir?: string | undefined;
  readonly wantMassQuery?: boolean | undefined;
  readonly priority?: number | undefined;
};

export function printNixCacheInfo({ storeDir, wantMassQuery, priority }: NixCacheInfo): string {
  const lines = [
    storeDir === undefined ? '' : `StoreDir: ${storeDir}\n`,
    wantMassQuery === undefined ? '' : `WantMassQuery: ${wantMassQuery ? 1 : 0}\n`,
    priority === undefined ? '' : `Priority: ${priority}\n`,
  ];
  return lines.join('');
}

/** Throws `NixCompatError` for a priority that is no 32-bit number and a store directory that is no absolute path. */
export function parseNixCacheInfo(text: string): NixCacheInfo {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon !== -1) values.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const wantMassQuery = values.get('WantMassQuery');
  return {
    storeDir: parseStoreDir(values.get('StoreDir')),
    wantMassQuery: wantMassQuery === undefined ? undefined : wantMassQuery === '1',
    priority: parsePriority(values.get('Priority')),
  };
}

function parseStoreDir(value: string | undefined): string | undefined {
  if (value === undefined || value.startsWith('/')) return value;
  throw bad(`StoreDir '${value}' is not an absolute path`);
}

function parsePriority(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const priority = Number(value);
  if (!/^[+-]?[0-9]+$/.test(value) || (priority | 0) !== priority) {
    throw bad(`Priority '${value}' is not a 32-bit number`);
  }
  return priority;
}

function bad(problem: string): NixCompatError {
  return new NixCompatError('bad-nix-cache-info', `bad nix-cache-info: ${problem}`);
}
