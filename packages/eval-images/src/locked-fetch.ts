/** Whether what is fetched is fixed by the request, so that the store path that it has once had is the answer for ever. */
import type { FetchAttribute, FetchRequest } from '@neve/eval';
import { redactUrl } from '@neve/diagnostics';

export function isLockedFetch({ kind, attributes }: FetchRequest): boolean {
  if (typeof attributes === 'string') return false;
  const has = (name: string, pattern: RegExp): boolean => {
    const value: FetchAttribute | undefined = attributes.get(name);
    return typeof value === 'string' && pattern.test(value);
  };
  if (has('narHash', /^sha256-.{44}$/)) return true;
  if (kind === 'url' || kind === 'tarball') return has('sha256', /./);
  // A shorter name of a revision may come to mean another one.
  return has('rev', /^([0-9a-f]{40}|[0-9a-f]{64})$/);
}

export function describeFetch({ kind, attributes }: FetchRequest): string {
  const url = typeof attributes === 'string' ? attributes : attributes.get('url');
  return typeof url === 'string' ? redactUrl(url) : kind;
}
