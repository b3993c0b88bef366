/**
 * One cache of a server: what it is called and how it is set up, as JSON in the registry. Settings come from people and over
 * HTTP, so that each is checked when it is read; a record holds only settings that were.
 */
import { NixCompatError, parsePublicKey, parseSecretKey } from '@neve/nix-compat';
import type { Ed25519 } from '@neve/nix-compat';
import { NarBridgeError } from '../nar-bridge-error.ts';
import { checkCacheName } from './cache-name.ts';

export type UpstreamSettings = {
  /** http or https; may hold a user and a password, and is shown without them. */
  readonly url: string;
  /** Whose signatures count. Without any, only paths that prove themselves by their content address are taken. */
  readonly publicKeys: readonly string[];
  /** The lower, the sooner it is asked; what its `nix-cache-info` says unless given. */
  readonly priority?: number;
};

export type CacheSettings = {
  /** Whether anybody may read it. */
  readonly isPublic: boolean;
  /** What `nix-cache-info` says. */
  readonly priority: number;
  /** `NAME:BASE64` of secret keys, which sign whatever is put. Never shown. */
  readonly signingKeys: readonly string[];
  /** Public keys of those who may upload what is not signed by this cache. */
  readonly trustedKeys: readonly string[];
  /** An upload without a signature by one of `trustedKeys` is refused, unless its content address proves it. */
  readonly requireSignatures: boolean;
  readonly upstreams: readonly UpstreamSettings[];
  /** Whether what came from an upstream stays. */
  readonly keepsFromUpstreams: boolean;
  /** A path that no upstream could be asked for counts as absent; otherwise that is an error. */
  readonly upstreamFallback: boolean;
  /** Paths that were not used for so long go, milliseconds. */
  readonly maxAgeMs: number | undefined;
  /** Paths go, those first that were not used for longest, until their NARs are not larger. */
  readonly maxBytes: number | undefined;
};

export type CacheRecord = CacheSettings & {
  readonly name: string;
  /** Another one when a cache is removed and made again: 16 hexadecimal digits. */
  readonly id: string;
  readonly createdAtMs: number;
};

export const defaultCacheSettings: CacheSettings = {
  isPublic: false,
  priority: 40,
  signingKeys: [],
  trustedKeys: [],
  requireSignatures: false,
  upstreams: [],
  keepsFromUpstreams: true,
  upstreamFallback: false,
  maxAgeMs: undefined,
  maxBytes: undefined,
};

/**
 * The settings of a JSON object, which need not have all; `null` for what may be absent. Throws `NarBridgeError`
 * (`bad-option`), which names the setting.
 */
export function parseCacheSettings(value: unknown, ed25519: Ed25519): Partial<CacheSettings> {
  if (!isObject(value)) throw bad('the settings of a cache are a JSON object');
  const result: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(value)) {
    if (!isSettingName(name)) throw bad(`there is no setting '${name}'`);
    result[name] = readers[name](given, { name, ed25519 });
  }
  // Each reader gives what its setting is.
  return result;
}

export function printCacheRecord(record: CacheRecord): string {
  return JSON.stringify(record);
}

/** Throws `NarBridgeError` (`corrupt`). A setting that is not there, from an earlier version, has its default. */
export function parseCacheRecord(text: string, ed25519: Ed25519): CacheRecord {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) throw bad('it is no object');
    const { name, id, createdAtMs, ...settings } = value;
    if (typeof name !== 'string' || typeof id !== 'string' || typeof createdAtMs !== 'number') {
      throw bad('it has no name');
    }
    const read = parseCacheSettings(settings, ed25519);
    return { ...defaultCacheSettings, ...read, name: checkCacheName(name), id, createdAtMs };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NarBridgeError('corrupt', `a stored cache cannot be read: ${reason}`, { cause });
  }
}

/** What may be shown to whoever configures the cache: no secret key, no password. */
export function describeCache(record: CacheRecord): Readonly<Record<string, unknown>> {
  const { signingKeys, upstreams, id: _, ...shown } = record;
  return {
    ...shown,
    signingKeyNames: signingKeys.map((key) => key.slice(0, key.indexOf(':'))),
    upstreams: upstreams.map((it) => ({ ...it, url: withoutCredentials(it.url) })),
  };
}

type ReaderContext = { readonly name: string; readonly ed25519: Ed25519 };
type Reader = (value: unknown, context: ReaderContext) => unknown;

const readers: Readonly<Record<keyof CacheSettings, Reader>> = {
  isPublic: readSwitch,
  priority: readPriority,
  signingKeys: (value, context) =>
    readTexts(value, context).map((text) =>
      checkKey(text, context, () => parseSecretKey(text, context.ed25519)),
    ),
  trustedKeys: readPublicKeys,
  requireSignatures: readSwitch,
  upstreams: readUpstreams,
  keepsFromUpstreams: readSwitch,
  upstreamFallback: readSwitch,
  maxAgeMs: readLimit,
  maxBytes: readLimit,
};

function isSettingName(name: string): name is keyof CacheSettings {
  return Object.hasOwn(readers, name);
}

function readSwitch(value: unknown, { name }: ReaderContext): boolean {
  if (typeof value === 'boolean') return value;
  throw bad(`'${name}' is true or false`);
}

function readPriority(value: unknown, { name }: ReaderContext): number {
  if (typeof value === 'number' && Number.isInteger(value) && (value | 0) === value) return value;
  throw bad(`'${name}' is a whole number of 32 bits`);
}

function readLimit(value: unknown, { name }: ReaderContext): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw bad(`'${name}' is a whole number from 0, or null for no limit`);
}

function readTexts(value: unknown, { name }: ReaderContext): readonly string[] {
  if (Array.isArray(value) && value.every((it) => typeof it === 'string')) return value;
  throw bad(`'${name}' is a list of texts`);
}

function readPublicKeys(value: unknown, context: ReaderContext): readonly string[] {
  return readTexts(value, context).map((text) => checkKey(text, context, () => parsePublicKey(text)));
}

/** The message of the parser shows no secret. */
function checkKey(text: string, { name }: ReaderContext, parse: () => unknown): string {
  try {
    parse();
    return text.trim();
  } catch (cause) {
    if (!(cause instanceof NixCompatError)) throw cause;
    throw bad(`'${name}': ${cause.message}`);
  }
}

function readUpstreams(value: unknown, context: ReaderContext): readonly UpstreamSettings[] {
  if (!Array.isArray(value)) throw bad(`'${context.name}' is a list`);
  return value.map((it: unknown): UpstreamSettings => {
    if (!isObject(it)) throw bad(`each of '${context.name}' is an object`);
    const { url, publicKeys, priority, ...others } = it;
    if (typeof url !== 'string') throw bad(`each of '${context.name}' has a 'url'`);
    const [other] = Object.keys(others);
    if (other !== undefined) throw bad(`'${context.name}' knows no '${other}'`);
    return {
      url: readHttpUrl(url),
      publicKeys: readPublicKeys(publicKeys ?? [], { ...context, name: 'publicKeys' }),
      ...(priority !== undefined && { priority: readPriority(priority, { ...context, name: 'priority' }) }),
    };
  });
}

/** Files of the server are nobody's upstream. */
function readHttpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text;
  throw bad('an upstream cache is at an http or https URL');
}

function withoutCredentials(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(problem: string): NarBridgeError {
  return new NarBridgeError('bad-option', problem);
}
