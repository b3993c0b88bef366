/**
 * Who may do what, and what others are told. Whether a cache exists is known only to those who may use it:
 *
 *     who asks                               public cache        private cache       no such cache
 *     nobody, or a token that does not count 200 for pull,       401                 401
 *                                            401 for the rest
 *     a token without any scope for the name the same            404                 404
 *     a token with other scopes for it       403                 403                 404
 *     a token with the scope                 served              served              404
 *
 * Answers in one row that have one status are the same bytes, whatever the name. A token that is expired, revoked or of another
 * server counts for as much as none, and the answer says so: it depends on the token alone. What is public can be read with
 * any token, so that one that has expired breaks no substitution from there.
 *
 * The third row tells somebody that a cache exists of whose name he has a scope; he could find out by using it.
 */
import type { CacheResponse } from '../http-exchange.ts';
import { textResponse } from '../text-response.ts';
import { type Scope, type TokenClaims, type TokenKey, grants, scopes } from './access-token.ts';
import type { CacheRecord } from './cache-record.ts';
import type { CacheRegistry } from './cache-registry.ts';
import { presentedToken } from './credentials.ts';

export type Caller =
  | { readonly kind: 'anonymous' }
  /** `reason` may be told to him. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'known'; readonly claims: TokenClaims };

export type IdentifyOptions = {
  readonly key: TokenKey;
  readonly registry: Pick<CacheRegistry, 'isRevoked'>;
  readonly nowMs: number;
};

export async function identify(authorization: string | undefined, options: IdentifyOptions): Promise<Caller> {
  const token = presentedToken(authorization);
  if (token === undefined) return { kind: 'anonymous' };
  const check = await options.key.check(token, options.nowMs);
  if (check.kind === 'foreign') {
    return {
      kind: 'refused',
      reason: 'the token is none of this server; log in again, or ask for another one',
    };
  }
  const whose = `the token of '${printable(check.claims.subject)}'`;
  if (check.kind === 'expired') {
    const when = new Date(check.claims.expiresAtMs ?? 0).toISOString();
    return { kind: 'refused', reason: `${whose} expired at ${when}; ask for another one` };
  }
  if (await options.registry.isRevoked(check.claims.id)) {
    return { kind: 'refused', reason: `${whose} was revoked; ask for another one` };
  }
  return { kind: 'known', claims: check.claims };
}

export type Question = {
  readonly caller: Caller;
  readonly name: string;
  /** Of the cache with that name, if there is one. */
  readonly record: Pick<CacheRecord, 'isPublic'> | undefined;
  readonly scope: Scope;
};

/** The answer to whoever may not do it; nothing when he may and the cache is there. */
export function refusal({ caller, name, record, scope }: Question): CacheResponse | undefined {
  const isReadable = record?.isPublic === true && scope === 'pull';
  if (isReadable) return undefined;
  if (caller.kind !== 'known') return unauthorised(caller);
  const { claims } = caller;
  if (record === undefined) return notVisible();
  if (grants(claims, scope, name)) return undefined;
  const hasAny = record.isPublic || scopes.some((it) => grants(claims, it, name));
  return hasAny ? forbidden(claims, scope) : notVisible();
}

/** 401 for whoever did not say who he is. */
export function unauthorised(caller: Exclude<Caller, { readonly kind: 'known' }>): CacheResponse {
  const problem =
    caller.kind === 'refused'
      ? caller.reason
      : 'this needs a token: send it as a bearer token, or as the password for this host in a netrc file';
  return textResponse(401, problem, { 'www-authenticate': 'Basic realm="binary cache", charset="UTF-8"' });
}

export function forbidden({ subject }: TokenClaims, scope: Scope): CacheResponse {
  return textResponse(
    403,
    `the token of '${printable(subject)}' has not the scope '${scope}' for this cache`,
  );
}

function notVisible(): CacheResponse {
  return textResponse(404, 'there is no cache with this name that your token is for');
}

/** A subject stands in messages and logs. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
