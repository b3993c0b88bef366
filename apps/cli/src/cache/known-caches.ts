/**
 * The caches that `neve cache login` knows, in `neve/caches.json` of the user's XDG configuration, which nobody else may read:
 *
 *     { "caches": { "<name>": { "url": "https://host/team", "token": "…", "publicKeys": ["team-1:…"] } } }
 *
 * A command line names a cache by its name there or by its URL. A token is for the URL that it was given for, and for those
 * below the same server: one that comes from `NEVE_CACHE_TOKEN` is for whatever the command asks.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { redactUrl } from '@neve/diagnostics';
import { UsageError } from '../usage-error.ts';

export type KnownCache = {
  /** Of the cache, without a slash at the end. */
  readonly url: string;
  readonly token: string | undefined;
  /** Whose signatures count. */
  readonly publicKeys: readonly string[];
};

/** `neve/caches.json` in the XDG configuration directory. */
export function knownCachesFile(): string {
  const { XDG_CONFIG_HOME: home = '' } = process.env;
  return join(home === '' ? join(homedir(), '.config') : home, 'neve/caches.json');
}

/** By name. Throws `UsageError` for a file that cannot be used. */
export function readKnownCaches(file: string = knownCachesFile()): ReadonlyMap<string, KnownCache> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return new Map();
    throw new UsageError(
      `'${file}' cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  try {
    // Every member is looked at below.
    const { caches } = JSON.parse(text) as { readonly caches?: Readonly<Record<string, unknown>> };
    return new Map(Object.entries(caches ?? {}).map(([name, value]) => [name, readEntry(value)]));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`'${file}' is damaged: ${reason}; mend it, or remove it and log in again`);
  }
}

/** In one step, so that no other command reads a half of it. */
export function writeKnownCaches(
  caches: ReadonlyMap<string, KnownCache>,
  file: string = knownCachesFile(),
): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, `${JSON.stringify({ caches: Object.fromEntries(caches) }, undefined, 2)}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  renameSync(temporary, file);
}

/** The cache that is called so on the command line: a name, or a URL. Throws `UsageError`. */
export function findCache(text: string | undefined): KnownCache {
  if (text === undefined)
    throw new UsageError('a cache is missing: its URL, or its name after neve cache login');
  const known = readKnownCaches();
  const byName = known.get(text);
  const given = byName ?? (isHttpUrl(text) ? withLogin(text, [...known.values()]) : undefined);
  if (given === undefined) {
    throw new UsageError(
      `there is no cache '${text}' here; write its URL, or use 'neve cache login ${text} URL' first`,
    );
  }
  return { ...given, token: environmentToken() ?? given.token };
}

/** The token for a server, by whichever of its caches was logged in to. */
export function findServerToken(server: string): string | undefined {
  return (
    environmentToken() ?? [...readKnownCaches().values()].find(({ url }) => isAtServer(url, server))?.token
  );
}

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

function withLogin(text: string, known: readonly KnownCache[]): KnownCache {
  const url = withoutSlash(text);
  const same = known.find((it) => it.url === url);
  const token = same?.token ?? known.find((it) => isAtServer(it.url, url))?.token;
  return { url, token, publicKeys: same?.publicKeys ?? [] };
}

function isAtServer(url: string, server: string): boolean {
  return new URL(url).origin === new URL(server).origin;
}

function environmentToken(): string | undefined {
  const { NEVE_CACHE_TOKEN: token = '' } = process.env;
  return token === '' ? undefined : token;
}

function readEntry(value: unknown): KnownCache {
  const entry = new Map<string, unknown>(Object.entries(value ?? {}));
  const [url, token, keys = []] = [entry.get('url'), entry.get('token'), entry.get('publicKeys')];
  if (typeof url !== 'string' || !isHttpUrl(url))
    throw new Error(`'${redactUrl(String(url))}' is no URL of a cache`);
  if (!Array.isArray(keys) || !keys.every((it) => typeof it === 'string'))
    throw new Error('publicKeys is no list of texts');
  return { url, token: typeof token === 'string' ? token : undefined, publicKeys: keys };
}
