/**
 * HTTP for files that are read as streams. The client is in `@neve/http/node`; here is what needs no sockets: errors, the
 * rules for trying again, netrc files, the choice of a proxy.
 *
 *     await using client = new HttpClient({ baseUrl: 'https://cache.example.org', proxies, netrc });
 *     const { status, body, discard } = await client.request({ url: 'nix-cache-info' }, signal);
 *     if (status !== 200) await discard();
 *     else for await (const piece of body) …
 */
export { HttpError } from './http-error.ts';
export type { HttpErrorCode, HttpErrorOptions } from './http-error.ts';
export { statusError } from './failure.ts';
export type { RequestName } from './failure.ts';
export type { RetryPolicy } from './retry-policy.ts';
export { parseNetrc } from './netrc.ts';
export type { NetrcEntry } from './netrc.ts';
export type { ProxySettings } from './proxy-choice.ts';
