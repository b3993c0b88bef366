// JWT is RFC 7519, HS256 is RFC 7518, 3.2. What other programs would make is made here with HMAC of node:crypto.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type TokenClaims,
  TokenKey,
  grants,
  newTokenClaims,
  readTokenClaims,
  scopes,
} from './access-token.ts';

const secret = new Uint8Array(32).fill(7);
const nowMs = 1_700_000_000_000;

const claims: TokenClaims = {
  subject: 'ci',
  id: 'abc',
  issuedAtMs: nowMs,
  expiresAtMs: nowMs + 3_600_000,
  scopes: { pull: ['team-*'], push: ['team-a'] },
};

/** As any library would make it. */
function foreignToken(header: object, payload: object, key: Uint8Array = secret): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

const header = { alg: 'HS256', typ: 'JWT' };
const payload = {
  iss: 'neve',
  sub: 'ci',
  jti: 'abc',
  iat: nowMs / 1000,
  exp: nowMs / 1000 + 3600,
  scopes: { pull: ['team-*'], push: ['team-a'] },
};

test('a token is what other programs make of the same claims', async () => {
  const key = await TokenKey.import(secret);
  const [head, body, signature] = (await key.sign(claims)).split('.');
  expect(JSON.parse(Buffer.from(head ?? '', 'base64url').toString())).toEqual(header);
  expect(JSON.parse(Buffer.from(body ?? '', 'base64url').toString())).toEqual(payload);
  expect(signature).toBe(createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url'));
});

test('a token of another program with the same key counts, whatever order its members have', async () => {
  const key = await TokenKey.import(secret);
  const token = foreignToken({ typ: 'JWT', alg: 'HS256' }, { ...payload, aud: 'x' });
  expect(await key.check(token, nowMs)).toEqual({ kind: 'valid', claims });
});

test('it counts until it expires', async () => {
  const key = await TokenKey.import(secret);
  const token = await key.sign(claims);
  const end = claims.expiresAtMs ?? NaN;
  expect((await key.check(token, end - 1)).kind).toBe('valid');
  expect(await key.check(token, end)).toEqual({ kind: 'expired', claims });
  const { exp: _, ...endless } = payload;
  expect((await key.check(foreignToken(header, endless), end * 2)).kind).toBe('valid');
});

describe('what counts for nothing', () => {
  const encode = (text: string): string => Buffer.from(text).toString('base64url');
  test.each([
    ['nothing', ''],
    ['two parts', 'a.b'],
    ['no base 64', '!.!.!'],
    ['no algorithm', `${encode('{"alg":"none"}')}.${encode(JSON.stringify(payload))}.`],
    ['the algorithm none with a signature', foreignToken({ alg: 'none', typ: 'JWT' }, payload)],
    ['another algorithm', foreignToken({ alg: 'HS512', typ: 'JWT' }, payload)],
    ['another type', foreignToken({ alg: 'HS256', typ: 'JOSE' }, payload)],
    ['another key', foreignToken(header, payload, new Uint8Array(32).fill(8))],
    ['another issuer', foreignToken(header, { ...payload, iss: 'other' })],
    ['no scopes', foreignToken(header, { ...payload, scopes: undefined })],
    ['scopes as a text', foreignToken(header, { ...payload, scopes: 'pull' })],
    ['a scope as a text', foreignToken(header, { ...payload, scopes: { pull: '*' } })],
    ['an expiry as a text', foreignToken(header, { ...payload, exp: '9999999999' })],
    ['no object', foreignToken(header, [])],
    ['something huge', 'x'.repeat(100_000)],
  ])('%s', async (_, token) => {
    expect(await (await TokenKey.import(secret)).check(token, nowMs)).toEqual({ kind: 'foreign' });
  });

  test('any change of a token', async () => {
    const key = await TokenKey.import(secret);
    const token = await key.sign(claims);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.constantFrom(...'ABCDEFGHabcdefgh0123-_.=+/'.split('')),
        async (index, character) => {
          const changed = token.slice(0, index) + character + token.slice(index + 1);
          const check = await key.check(changed, nowMs);
          // The last character of the signature has two bits that mean nothing.
          if (changed !== token && index < token.length - 1) expect(check.kind).toBe('foreign');
        },
      ),
    );
  });

  test('text that is made up', async () => {
    const key = await TokenKey.import(secret);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (text) => {
        expect((await key.check(text, nowMs)).kind).toBe('foreign');
      }),
    );
  });
});

test('every claim comes back', async () => {
  const key = await TokenKey.import(secret);
  const glob = fc.constantFrom('*', 'a', 'team-*', 'x_y');
  const anyClaims = fc.record({
    subject: fc.string({ unit: 'grapheme' }),
    id: fc.string(),
    issuedAtMs: fc.nat().map((it) => it * 1000),
    expiresAtMs: fc.constant(undefined),
    scopes: fc.dictionary(fc.constantFrom(...scopes), fc.array(glob), { noNullPrototype: true }),
  });
  await fc.assert(
    fc.asyncProperty(anyClaims, async (given) => {
      expect(await key.check(await key.sign(given), nowMs)).toEqual({ kind: 'valid', claims: given });
    }),
  );
});

test('a new token has an id of its own and whole seconds', () => {
  const given = { subject: 'x', scopes: { pull: ['*'] }, nowMs: 1999, lifetimeMs: 5500 };
  const [a, b] = [newTokenClaims(given), newTokenClaims(given)];
  expect(a.id).not.toBe(b.id);
  expect([a.issuedAtMs, a.expiresAtMs]).toEqual([1000, 6000]);
  expect(() => newTokenClaims({ ...given, scopes: {} })).toThrow('good for nothing');
  expect(() => newTokenClaims({ ...given, scopes: { pull: ['No/pe'] } })).toThrow('no pattern');
});

test('what a token says is read without the key', () => {
  expect(readTokenClaims(foreignToken(header, payload, new Uint8Array(1)))).toEqual(claims);
  expect(readTokenClaims('nonsense')).toBeUndefined();
});

test('scopes are for caches', () => {
  expect(scopes.map((scope) => grants(claims, scope, 'team-b'))).toEqual([true, false, false, false]);
  expect(scopes.map((scope) => grants(claims, scope, 'team-a'))).toEqual([true, true, false, false]);
  expect(scopes.map((scope) => grants(claims, scope, 'other'))).toEqual([false, false, false, false]);
});

test('a key has 32 bytes', async () => {
  await expect(TokenKey.import(new Uint8Array(31))).rejects.toMatchObject({ code: 'bad-option' });
});
