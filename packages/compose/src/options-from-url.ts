/**
 * The usual way from a URL to options: some parts of the URL are options by themselves, each pair of the query is one,
 * and whatever no option takes is refused.
 *
 *     memory:                          optionsFromUrl(url)
 *     lmdb:/path?map_size=1GiB         optionsFromUrl(url, { path: 'path' })
 *     grpc+unix:/path?wait-connect=1   optionsFromUrl(url, { whole: 'url' })
 *     objectstore+s3://bucket/p?k=v    optionsFromUrl(url, { inner: 'object_store_url', query: 'object_store_options' })
 *     priority:?10=%26a&20=%26b        optionsFromUrl(url, { query: 'services' })
 */
import { CompositionError } from './composition-error.ts';
import type { ServiceUrl } from './service-url.ts';

/** Which option takes which part. */
export type UrlParts = {
  /** The whole URL without its query. */
  readonly whole?: string;
  /** The inner URL without the query; then the URL must have one. */
  readonly inner?: string;
  readonly host?: string;
  readonly path?: string;
  /** A map with all pairs of the query. Without it each pair is an option, and `-` in its key is read as `_`. */
  readonly query?: string;
};

/** Throws `CompositionError` with code `bad-url` for a part that is not taken. */
export function optionsFromUrl(url: ServiceUrl, parts: UrlParts = {}): Readonly<Record<string, unknown>> {
  refuseOtherParts(url, parts);
  const options: [string, unknown][] = [];
  const bare = url.withoutQuery();
  if (parts.whole !== undefined) options.push([parts.whole, bare.text]);
  if (parts.inner !== undefined) options.push([parts.inner, bare.inner?.text]);
  if (parts.host !== undefined && url.host !== undefined) options.push([parts.host, url.host]);
  if (parts.path !== undefined && url.path !== '') options.push([parts.path, url.path]);
  if (parts.query !== undefined) {
    options.push([parts.query, Object.fromEntries(gather(url.query))]);
  } else {
    options.push(...gather(url.query.map(([key, value]) => [key.replaceAll('-', '_'), value] as const)));
  }
  // A part whose option is in the query as well becomes a list, which the reader of options refuses.
  return Object.fromEntries(gather(options));
}

function refuseOtherParts(url: ServiceUrl, parts: UrlParts): void {
  if (parts.inner !== undefined && url.transport === undefined) {
    throw refusal(url, `it needs an inner URL, as in "${url.type}+https://…"`);
  }
  if (parts.whole !== undefined || parts.inner !== undefined) return;
  if (url.transport !== undefined) throw refusal(url, `it takes no "+${url.transport}"`);
  if (url.credentials !== undefined) throw refusal(url, 'it takes no user');
  if (url.port !== undefined) throw refusal(url, 'it takes no port');
  if ((url.host ?? '') !== '' && parts.host === undefined) {
    throw refusal(
      url,
      parts.path === undefined ? 'it takes no host' : 'it takes no host; a path follows ":" or ":///"',
    );
  }
  if (url.path !== '' && url.path !== '/' && parts.path === undefined) throw refusal(url, 'it takes no path');
}

/** A key that comes twice has a list of values. */
function gather(pairs: readonly (readonly [string, unknown])[]): Map<string, unknown> {
  const gathered = new Map<string, unknown>();
  for (const [key, value] of pairs) {
    const earlier = gathered.get(key);
    if (earlier === undefined) gathered.set(key, value);
    else gathered.set(key, Array.isArray(earlier) ? [...(earlier as unknown[]), value] : [earlier, value]);
  }
  return gathered;
}

function refusal(url: ServiceUrl, why: string): CompositionError {
  const message = `${JSON.stringify(url.type)} cannot have this URL: ${why}`;
  return new CompositionError({ code: 'bad-url', path: '', message });
}
