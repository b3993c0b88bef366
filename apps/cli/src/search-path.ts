/**
 * The search path for `<…>`: entries of `-I`, then of `NIX_PATH`, separated by `:`. An entry is `path` or
 * `prefix=path`; a path may be a URL, whose colon (`https://`, `flake:`) separates nothing.
 */
import type { SearchPathEntry } from '@neve/eval';

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
