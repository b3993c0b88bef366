/**
 * The search path for `<…>`: entries of `-I`, then of `NIX_PATH`, separated by `:`. An entry is `path` or
 * `prefix=path`; a path may be a URL, whose colon (`https://`, `flake:`) separates nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SearchPathEntry } from '@neve/eval';
import type { Environment } from './caller.ts';

export function parseSearchPath(text: string): readonly SearchPathEntry[] {
  const entries = text.match(/(?:(?:[^:=]*=)?(?:flake:|channel:|[a-z+]+:\/\/))?[^:]*/g) ?? [];
  return entries.filter((entry) => entry !== '').map(parseSearchPathEntry);
}

export function parseSearchPathEntry(text: string): SearchPathEntry {
  const equals = text.indexOf('=');
  return equals === -1
    ? { prefix: '', path: text }
    : { prefix: text.slice(0, equals), path: text.slice(equals + 1) };
}

/** The channels of the user and of root, as far as they are there: the last entries. */
export function channels(environment: Environment): readonly SearchPathEntry[] {
  const { HOME: home, NIX_STATE_DIR: stateDir = '/nix/var/nix' } = environment;
  const ofRoot = join(stateDir, 'profiles/per-user/root/channels');
  const entries: readonly SearchPathEntry[] = [
    ...(home === undefined ? [] : [{ prefix: '', path: join(home, '.nix-defexpr/channels') }]),
    { prefix: 'nixpkgs', path: join(ofRoot, 'nixpkgs') },
    { prefix: '', path: ofRoot },
  ];
  return entries.filter(({ path }) => existsSync(path));
}
