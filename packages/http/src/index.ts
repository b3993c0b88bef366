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
export { defaultRetryPolicy, isTransientStatus } from './retry-policy.ts';
export type { RetryPolicy } from './retry-policy.ts';
export { findCredentials, parseNetrc } from './netrc.ts';
export type { Credentials, NetrcEntry } from './netrc.ts';
export { chooseProxy } from './proxy-choice.ts';
export type { ProxySettings } from './proxy-choice.ts';
