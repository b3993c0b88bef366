/**
 * Tokens: what whoever holds one may do with which caches. They are signed by a key of the server and hold everything
 * themselves, so that nothing of them is stored; one that must not count any more is put on a list by its id.
 *
 * The format is JWT (RFC 7519) in the compact form of JWS (RFC 7515), with HMAC-SHA-256 and no other algorithm:
 *
 *     header   {"alg":"HS256","typ":"JWT"}
 *     claims   {"iss":"neve","sub":"ci","jti":"<id>","iat":<s>,"exp":<s>,"scopes":{"pull":["team-*"],"push":["team-a"]}}
 *
 * Times are in seconds since 1970. A token without `exp` counts until it is revoked or the key is changed. The signature is
 * looked at before anything inside is believed.
 */
import { BytesError, decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from '@neve/bytes';
import { checkCacheGlob, matchesGlob } from './cache-name.ts';
import { NarBridgeError } from '../nar-bridge-error.ts';

/**
 *     pull        read what is in a cache
 *     push        add paths to it, and pins
 *     delete      remove paths and pins
 *     configure   make the cache, change its settings, remove it, run its retention
 */
export const scopes = ['pull', 'push', 'delete', 'configure'] as const;

export type Scope = (typeof scopes)[number];

export type TokenClaims = {
  /** Who holds it, for people. */
  readonly subject: string;
  /** By which it can be revoked. */
  readonly id: string;
  /** Milliseconds since 1970, whole seconds. */
  readonly issuedAtMs: number;
  readonly expiresAtMs: number | undefined;
  /** Patterns of the caches that each scope is for. */
  readonly scopes: Readonly<Partial<Record<Scope, readonly string[]>>>;
};

/** `foreign`: not a token, or not signed by this key. */
export type TokenCheck =
  | { readonly kind: 'valid'; readonly claims: TokenClaims }
  | { readonly kind: 'expired'; readonly claims: TokenClaims }
  | { readonly kind: 'foreign' };

export const tokenKeyLength = 32;
const maxTokenLength = 8192;
const header = encodeBase64Url(encodeUtf8('{"alg":"HS256","typ":"JWT"}'));

/** Signs tokens and checks them. */
export class TokenKey {
  readonly #key: CryptoKey;

  private constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** Of 32 secret bytes. */
  static async import(bytes: Uint8Array): Promise<TokenKey> {
    if (bytes.length !== tokenKeyLength) {
      throw new NarBridgeError(
        'bad-option',
        `a key for tokens has ${tokenKeyLength} bytes, not ${bytes.length}`,
      );
    }
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    return new TokenKey(
      await crypto.subtle.importKey('raw', new Uint8Array(bytes), algorithm, false, ['sign', 'verify']),
    );
  }

  async sign(claims: TokenClaims): Promise<string> {
    const signed = `${header}.${encodeBase64Url(encodeUtf8(printClaims(claims)))}`;
    const signature = await crypto.subtle.sign('HMAC', this.#key, new Uint8Array(encodeUtf8(signed)));
    return `${signed}.${encodeBase64Url(new Uint8Array(signature))}`;
  }

  /** Compares signatures in a time that does not depend on them. Does not know what is revoked. */
  async check(token: string, nowMs: number): Promise<TokenCheck> {
    const parts = splitToken(token);
    if (parts === undefined) return { kind: 'foreign' };
    const isRight = await crypto.subtle.verify(
      'HMAC',
      this.#key,
      new Uint8Array(parts.signature),
      new Uint8Array(encodeUtf8(parts.signed)),
    );
    const claims = isRight ? parseClaims(parts.claims) : undefined;
    if (claims === undefined) return { kind: 'foreign' };
    const isExpired = claims.expiresAtMs !== undefined && claims.expiresAtMs <= nowMs;
    return { kind: isExpired ? 'expired' : 'valid', claims };
  }
}

/** What a token says of itself, whoever signed it: to show it, not to believe it. */
export function readTokenClaims(token: string): TokenClaims | undefined {
  const parts = splitToken(token);
  return parts === undefined ? undefined : parseClaims(parts.claims);
}

export type NewToken = Pick<TokenClaims, 'subject' | 'scopes'> & {
  readonly nowMs: number;
  readonly lifetimeMs?: number | undefined;
};

/** Claims with a new id. Throws `NarBridgeError` (`bad-option`) for patterns that are none, and without any scope. */
export function newTokenClaims({ subject, scopes: granted, nowMs, lifetimeMs }: NewToken): TokenClaims {
  const globs = scopes.flatMap((scope) => granted[scope] ?? []);
  if (globs.length === 0)
    throw new NarBridgeError('bad-option', 'a token without any scope would be good for nothing');
  globs.forEach(checkCacheGlob);
  const issuedAtMs = wholeSeconds(nowMs);
  return {
    subject,
    id: encodeBase64Url(crypto.getRandomValues(new Uint8Array(16))),
    issuedAtMs,
    expiresAtMs: lifetimeMs === undefined ? undefined : wholeSeconds(issuedAtMs + lifetimeMs),
    scopes: granted,
  };
}

export function grants(claims: TokenClaims, scope: Scope, cache: string): boolean {
  return claims.scopes[scope]?.some((glob) => matchesGlob(glob, cache)) === true;
}

type TokenParts = { readonly signed: string; readonly claims: Uint8Array; readonly signature: Uint8Array };

function splitToken(token: string): TokenParts | undefined {
  if (token.length > maxTokenLength) return undefined;
  const parts = token.split('.');
  const [head, payload, signature] = parts;
  if (parts.length !== 3 || head === undefined || payload === undefined || signature === undefined)
    return undefined;
  const [headBytes, claims, signatureBytes] = [head, payload, signature].map(decodeBase64Url);
  if (headBytes === undefined || claims === undefined || signatureBytes === undefined) return undefined;
  return isOurHeader(headBytes)
    ? { signed: `${head}.${payload}`, claims, signature: signatureBytes }
    : undefined;
}

/** Other tools may print it otherwise; the algorithm is never theirs to choose. */
function isOurHeader(bytes: Uint8Array): boolean {
  const value = parseObject(bytes);
  return value?.['alg'] === 'HS256' && (value['typ'] === undefined || value['typ'] === 'JWT');
}

function printClaims({ subject, id, issuedAtMs, expiresAtMs, scopes: granted }: TokenClaims): string {
  return JSON.stringify({
    iss: 'neve',
    sub: subject,
    jti: id,
    iat: issuedAtMs / 1000,
    ...(expiresAtMs !== undefined && { exp: expiresAtMs / 1000 }),
    scopes: granted,
  });
}

function parseClaims(bytes: Uint8Array): TokenClaims | undefined {
  const value = parseObject(bytes);
  if (value === undefined) return undefined;
  const { iss, sub, jti, iat, exp } = value;
  const granted = parseScopes(value['scopes']);
  if (iss !== 'neve' || typeof sub !== 'string' || typeof jti !== 'string' || typeof iat !== 'number')
    return undefined;
  if (granted === undefined || (exp !== undefined && typeof exp !== 'number')) return undefined;
  return {
    subject: sub,
    id: jti,
    issuedAtMs: iat * 1000,
    expiresAtMs: exp === undefined ? undefined : exp * 1000,
    scopes: granted,
  };
}

/** A scope of a later version grants nothing here. */
function parseScopes(value: unknown): TokenClaims['scopes'] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const given = new Map<string, unknown>(Object.entries(value));
  const result: Partial<Record<Scope, readonly string[]>> = {};
  for (const scope of scopes) {
    const globs = given.get(scope);
    if (globs === undefined) continue;
    if (!Array.isArray(globs) || !globs.every((it) => typeof it === 'string')) return undefined;
    result[scope] = globs;
  }
  return result;
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes));
    // Narrowed to what every object is.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function decodeBase64Url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  try {
    return decodeBase64(text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat(-text.length & 3));
  } catch (error) {
    if (error instanceof BytesError) return undefined;
    throw error;
  }
}
