/**
 * The administration of a server's caches over HTTP, below `/_api/v1`, in JSON. It needs a token with the scope `configure` for
 * the cache; what concerns all caches needs it for `*`, that is one with the pattern `*`.
 *
 *     GET    caches                  those that the token may configure
 *     GET    caches/<name>           its settings, its public keys and what is in it
 *     PUT    caches/<name>           makes it, with the settings of the body
 *     PATCH  caches/<name>           changes the settings that are in the body
 *     DELETE caches/<name>           removes it with all that is in it
 *     POST   caches/<name>/gc        `{ dryRun, graceMs }`: retention of this cache
 *     POST   gc                      of all
 *     POST   revoked-tokens          `{ id, expiresAtMs }`
 *
 * Whoever has not the scope hears the same of caches that are there and of others.
 */
import type { Ed25519 } from '@neve/nix-compat';
import type { CacheRequest, CacheResponse } from '../http-exchange.ts';
import { NarBridgeError } from '../nar-bridge-error.ts';
import { methodNotAllowed, notFound, textResponse } from '../text-response.ts';
import { grants, scopes } from './access-token.ts';
import { type Caller, forbidden, unauthorised } from './authorisation.ts';
import type { CacheAdministration } from './cache-administration.ts';
import { isCacheName } from './cache-name.ts';
import { parseCacheSettings } from './cache-record.ts';
import { answerOfError, jsonResponse, memberOf, readJson } from './json-exchange.ts';

export type AdminApiOptions = {
  readonly administration: CacheAdministration;
  readonly ed25519: Ed25519;
  readonly now?: () => number;
};

/** Paths begin after `/_api/v1`. */
export function adminApi(
  options: AdminApiOptions,
): (request: CacheRequest, caller: Caller) => Promise<CacheResponse> {
  return async (request, caller) => {
    try {
      return await answer(request, caller, options);
    } catch (error) {
      return answerOfError(error);
    }
  };
}

type Answer = (request: CacheRequest, caller: Caller, options: AdminApiOptions) => Promise<CacheResponse>;

const answer: Answer = (request, caller, options) => {
  if (caller.kind !== 'known') return Promise.resolve(unauthorised(caller));
  const [, name, action] = /^\/caches\/([^/]+)(?:\/(gc))?$/.exec(request.path) ?? [];
  if (request.path === '/caches') return listCaches(request, caller, options);
  if (name !== undefined) {
    const refused = refusalFor(name, caller);
    if (refused !== undefined) return Promise.resolve(refused);
    return action === undefined ? answerCache(name, request, options) : collect(name, request, options);
  }
  if (request.path !== '/gc' && request.path !== '/revoked-tokens') return Promise.resolve(notFound('this'));
  if (!hasAll(caller)) return Promise.resolve(forbidden(caller.claims, 'configure'));
  return request.path === '/gc' ? collect(undefined, request, options) : revoke(request, options);
};

type KnownCaller = Extract<Caller, { readonly kind: 'known' }>;

/** Depends on the token and the name only. */
function refusalFor(name: string, { claims }: KnownCaller): CacheResponse | undefined {
  if (isCacheName(name) && grants(claims, 'configure', name)) return undefined;
  const hasOther = isCacheName(name) && scopes.some((it) => grants(claims, it, name));
  return hasOther
    ? forbidden(claims, 'configure')
    : textResponse(404, 'there is no cache with this name that your token is for');
}

function hasAll({ claims }: KnownCaller): boolean {
  return claims.scopes.configure?.includes('*') === true;
}

async function listCaches(
  { method }: CacheRequest,
  { claims }: KnownCaller,
  { administration }: AdminApiOptions,
): Promise<CacheResponse> {
  if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(['GET', 'HEAD']);
  const all = await administration.list();
  return jsonResponse({ caches: all.filter(({ name }) => grants(claims, 'configure', name)) });
}

async function answerCache(
  name: string,
  request: CacheRequest,
  { administration, ed25519 }: AdminApiOptions,
): Promise<CacheResponse> {
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      const description = await administration.describe(name);
      return jsonResponse({ ...description, usage: await administration.usage(name) });
    }
    case 'PUT':
      return jsonResponse(
        await administration.create(name, parseCacheSettings(await readJson(request), ed25519)),
        201,
      );
    case 'PATCH':
      return jsonResponse(
        await administration.configure(name, parseCacheSettings(await readJson(request), ed25519)),
      );
    case 'DELETE':
      await administration.remove(name);
      return { status: 204, headers: {} };
    default:
      return methodNotAllowed(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']);
  }
}

async function collect(
  name: string | undefined,
  request: CacheRequest,
  { administration }: AdminApiOptions,
): Promise<CacheResponse> {
  if (request.method !== 'POST') return methodNotAllowed(['POST']);
  const body = await readJson(request);
  const [dryRun, graceMs] = [memberOf(body, 'dryRun') === true, memberOf(body, 'graceMs')];
  return jsonResponse(
    await administration.collect({
      name,
      dryRun,
      graceMs: typeof graceMs === 'number' ? graceMs : undefined,
    }),
  );
}

async function revoke(
  request: CacheRequest,
  { administration, now = Date.now }: AdminApiOptions,
): Promise<CacheResponse> {
  if (request.method !== 'POST') return methodNotAllowed(['POST']);
  const body = await readJson(request);
  const [id, expiresAtMs] = [memberOf(body, 'id'), memberOf(body, 'expiresAtMs')];
  if (typeof id !== 'string') throw new NarBridgeError('bad-option', "the body has no text 'id'");
  await administration.revoke({
    id,
    revokedAtMs: now(),
    expiresAtMs: typeof expiresAtMs === 'number' ? expiresAtMs : undefined,
  });
  return { status: 204, headers: {} };
}
