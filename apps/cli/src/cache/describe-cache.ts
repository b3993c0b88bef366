/** A cache as lines for people. */
import type { CacheDescription } from '@neve/nar-bridge';

/** One line for each setting that says something, with its names as the options have them. */
export function cacheLines(cache: CacheDescription): readonly string[] {
  const { isPublic, priority, requireSignatures, trustedKeys, upstreams, maxAgeMs, maxBytes } = cache;
  const rows: readonly (readonly [string, string])[] = [
    ['name', cache.name],
    ['access', isPublic === true ? 'public' : 'private'],
    ['priority', String(priority)],
    ...cache.publicKeys.map((key) => ['public key', key] as const),
    ...(Array.isArray(trustedKeys) ? trustedKeys.map((key) => ['trusted key', String(key)] as const) : []),
    ...(requireSignatures === true ? [['uploads', 'must be signed by a trusted key'] as const] : []),
    ...urlsOf(upstreams).map((url) => ['upstream', url] as const),
    ...(typeof maxAgeMs === 'number' ? [['max age', `${maxAgeMs / 1000} s`] as const] : []),
    ...(typeof maxBytes === 'number' ? [['max size', `${maxBytes} bytes`] as const] : []),
  ];
  return rows.map(([name, value]) => `${`${name}:`.padEnd(14)}${value}`);
}

function urlsOf(upstreams: unknown): readonly string[] {
  if (!Array.isArray(upstreams)) return [];
  return upstreams.map((it: unknown) =>
    typeof it === 'object' && it !== null && 'url' in it ? String(it.url) : '',
  );
}
