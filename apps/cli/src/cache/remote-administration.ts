/** The administration of a server's caches over its API (`/_api/v1`). */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { HttpClient } from '@neve/http/node';
import { type CacheAdministration, type CacheDescription, NarBridgeError } from '@neve/nar-bridge';
import type { CacheUsage, CollectionReport } from '@neve/nar-bridge';
import { StoreError } from '@neve/store';
import { httpSettings } from '../store/http-settings.ts';
import { UsageError } from '../usage-error.ts';
import { findServerToken, withoutSlash } from './known-caches.ts';

/** Throws `UsageError` without a token. */
export function openRemoteAdministration(server: string): CacheAdministration & AsyncDisposable {
  const token = findServerToken(server);
  if (token === undefined) {
    throw new UsageError(`there is no token for ${server}: use neve cache login, or set NEVE_CACHE_TOKEN`);
  }
  const machine = new URL(server).hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const client = new HttpClient({
    ...httpSettings(),
    baseUrl: `${withoutSlash(server)}/_api/v1`,
    netrc: [{ machine, login: 'neve', password: token }],
  });
  // Nobody but the server writes what is read here.
  const get = async <T>(url: string): Promise<T> => JSON.parse(await read(client, url)) as T;
  const send = async <T>(method: 'PUT' | 'PATCH' | 'POST', url: string, value: unknown): Promise<T> =>
    JSON.parse((await change(client, { method, url, value })) || 'null') as T;
  return {
    list: async () => (await get<{ readonly caches: readonly CacheDescription[] }>('caches')).caches,
    describe: (name) => get(cachePath(name)),
    usage: async (name) => (await get<{ readonly usage: CacheUsage }>(cachePath(name))).usage,
    create: (name, settings) => send('PUT', cachePath(name), settings),
    configure: (name, settings) => send('PATCH', cachePath(name), withNulls(settings)),
    remove: async (name) => void (await change(client, { method: 'DELETE', url: cachePath(name) })),
    collect: ({ name, dryRun = false, graceMs }) =>
      send<CollectionReport>('POST', name === undefined ? 'gc' : `${cachePath(name)}/gc`, {
        dryRun,
        graceMs,
      }),
    revoke: async ({ id, expiresAtMs }) => void (await send('POST', 'revoked-tokens', { id, expiresAtMs })),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

function cachePath(name: string): string {
  return `caches/${encodeURIComponent(name)}`;
}

/** A limit that is taken away. */
function withNulls(settings: object): object {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, value ?? null]));
}

async function read(client: HttpClient, url: string): Promise<string> {
  const { status, body } = await client.request({ url });
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece.slice());
  const text = Buffer.concat(pieces).toString();
  if (status === 200) return text;
  throw refused(client.resolve(url).href, status, text);
}

type Change = {
  readonly method: 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  readonly url: string;
  readonly value?: unknown;
};

async function change(client: HttpClient, { method, url, value }: Change): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const content = value === undefined ? {} : { body: encodeUtf8(JSON.stringify(value)) };
  const { status, body } = await client.upload({ method, url, headers, ...content });
  if (status >= 200 && status < 300) return decodeUtf8(body);
  throw refused(client.resolve(url).href, status, decodeUtf8(body));
}

function refused(url: string, status: number, text: string): Error {
  const message = `${url}: ${text.trim().split('\n')[0] ?? ''} (${status})`;
  if (status === 404) return new NarBridgeError('not-found', message);
  return status === 409 ? new NarBridgeError('exists', message) : new StoreError('io', message);
}
