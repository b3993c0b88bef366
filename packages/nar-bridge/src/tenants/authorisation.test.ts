import { beforeAll, describe, expect, test } from 'vitest';
import { decodeUtf8 } from '@neve/bytes';
import type { CacheResponse } from '../http-exchange.ts';
import { type Scope, type TokenClaims, TokenKey, newTokenClaims, scopes } from './access-token.ts';
import { type Caller, identify, refusal } from './authorisation.ts';
import { memoryCacheRegistry } from './cache-registry.ts';

const nowMs = 1_700_000_000_000;
const open = { isPublic: true };
const closed = { isPublic: false };

function known(granted: TokenClaims['scopes']): Caller {
  return { kind: 'known', claims: newTokenClaims({ subject: 'ci', scopes: granted, nowMs }) };
}

function statusOf(caller: Caller, record: typeof open | undefined, scope: Scope): number {
  return refusal({ caller, name: 'team-a', record, scope })?.status ?? 200;
}

/** As a client would see it. */
function bytesOf(response: CacheResponse | undefined): string {
  const { status, headers, body } = response ?? { status: 200, headers: {} };
  return JSON.stringify([status, headers, body instanceof Uint8Array ? decodeUtf8(body) : '']);
}

const anonymous: Caller = { kind: 'anonymous' };
const refused: Caller = { kind: 'refused', reason: 'it expired' };
const stranger = known({ pull: ['other'], push: ['other'], configure: ['other'] });
const puller = known({ pull: ['team-*'] });
const owner = known({ pull: ['*'], push: ['*'], delete: ['*'], configure: ['*'] });

describe('the table', () => {
  test.each<[string, Caller, readonly number[], readonly number[], readonly number[]]>([
    // pull, push, delete, configure of a public, a private and no cache
    ['nobody', anonymous, [200, 401, 401, 401], [401, 401, 401, 401], [401, 401, 401, 401]],
    [
      'a token that does not count',
      refused,
      [200, 401, 401, 401],
      [401, 401, 401, 401],
      [401, 401, 401, 401],
    ],
    ['a stranger', stranger, [200, 403, 403, 403], [404, 404, 404, 404], [404, 404, 404, 404]],
    ['who may pull', puller, [200, 403, 403, 403], [200, 403, 403, 403], [404, 404, 404, 404]],
    ['who may all', owner, [200, 200, 200, 200], [200, 200, 200, 200], [404, 404, 404, 404]],
  ])('%s', (_, caller, ofOpen, ofClosed, ofNone) => {
    expect(scopes.map((scope) => statusOf(caller, open, scope))).toEqual(ofOpen);
    expect(scopes.map((scope) => statusOf(caller, closed, scope))).toEqual(ofClosed);
    expect(scopes.map((scope) => statusOf(caller, undefined, scope))).toEqual(ofNone);
  });
});

test('who may not use a cache sees the same bytes when there is none', () => {
  for (const caller of [anonymous, refused, stranger]) {
    for (const scope of scopes) {
      const absent = bytesOf(refusal({ caller, name: 'absent', record: undefined, scope }));
      expect(bytesOf(refusal({ caller, name: 'team-a', record: closed, scope }))).toBe(absent);
    }
  }
});

test('a client is asked for a user and a password', () => {
  const response = refusal({ caller: anonymous, name: 'x', record: undefined, scope: 'pull' });
  expect(response?.headers['www-authenticate']).toMatch(/^Basic realm="/);
});

describe('who somebody is', () => {
  const registry = memoryCacheRegistry();
  let key: TokenKey;
  beforeAll(async () => {
    key = await TokenKey.import(new Uint8Array(32));
  });
  const claims = newTokenClaims({ subject: 'ci\n', scopes: { pull: ['*'] }, nowMs, lifetimeMs: 1000 });
  const ask = (authorization: string | undefined, atMs = nowMs): Promise<Caller> =>
    identify(authorization, { key, registry, nowMs: atMs });

  test('nobody, somebody, and somebody else', async () => {
    expect(await ask(undefined)).toEqual({ kind: 'anonymous' });
    const token = await key.sign(claims);
    expect(await ask(`Bearer ${token}`)).toEqual({ kind: 'known', claims });
    expect(await ask(`Basic ${Buffer.from(`x:${token}`).toString('base64')}`)).toEqual({
      kind: 'known',
      claims,
    });
    expect(await ask('Bearer nonsense')).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('none of this server'),
    });
  });

  test('a token that has expired or was revoked says so, without what could spoil a log', async () => {
    const token = `Bearer ${await key.sign(claims)}`;
    expect(await ask(token, nowMs + 1000)).toEqual({
      kind: 'refused',
      reason: "the token of 'ci?' expired at 2023-11-14T22:13:21.000Z; ask for another one",
    });
    await registry.revoke({ id: claims.id, revokedAtMs: nowMs, expiresAtMs: undefined });
    expect(await ask(token)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('was revoked'),
    });
  });
});
