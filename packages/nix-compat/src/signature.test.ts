// Keys, signatures and fingerprints come from Nix 2.34.8: `nix key generate-secret`, `nix key convert-secret-to-public`,
// and `nix store sign` of a path whose narinfo `nix copy` wrote. The keys were made for these tests.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeHashes } from '@neve/bytes/node';
import {
  NixCompatError,
  StoreDirectory,
  fingerprintPathInfo,
  generateSecretKey,
  parseNarInfo,
  parsePublicKey,
  parseSecretKey,
  parseSignature,
  printPublicKey,
  printSecretKey,
  printSignature,
  publicKeyOf,
  signFingerprint,
  verifyFingerprint,
} from './index.ts';
import { nodeEd25519 } from './node/index.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);

const secretText =
  'neve-test-1:/F2BL+vn/Y9lfN62F+gSkMViCB3epUfRbMYGyC6wDSlbsTbpTw3ds7Yp0rYtwxTJSZCyO3SEQEbWF4FeGWt/OQ==';
const publicText = 'neve-test-1:W7E26U8N3bO2KdK2LcMUyUmQsjt0hEBG1heBXhlrfzk=';
const otherPublicText = 'other-2:bR+ZV6pL41tlXITGC9NPpFpnCH4vKYS0+xtI/s/gInU=';
const signatureText =
  'neve-test-1:wzcM7yHEPWxkYVNQPHHq+NKAAra5DjdVd4AEUrwRAPDqFaSFDSss5rqI+OmMhwwIEj5LGQO8gMIRd0C23FlfCw==';
const otherSignatureText =
  'other-2:c+cFCziAsbms4Ibc05ro/QBsXBaAd3zAoet0fpIhOxbqvxM5oXf4JqhcoYcLJ1PN6hYp7uzKwSdW+eO6LTNLBQ==';

// The references are in another order than Nix has them in, and one comes twice.
const info = parseNarInfo(
  `StorePath: /nix/store/cc523z4jsbcilbic2n5d8ji5micwn1xz-out
URL: nar/x.nar
NarHash: sha256:1ass8wir4j3hj6iisscdah18368hchbfaimbx3794316ycji5w2d
NarSize: 264
References: vvf235affyhw0fjwjb5lim1x4fjwanp7-text vy88akxbh1nkbgamwyczdv2j8dmpmk9a-neve.txt cc523z4jsbcilbic2n5d8ji5micwn1xz-out
Sig: ${signatureText}
Sig: ${otherSignatureText}
`,
  store,
);
const references = [...info.references.toReversed(), ...info.references];
const fingerprint = fingerprintPathInfo(store, { ...info, references });
const secretKey = parseSecretKey(secretText, nodeEd25519);
const publicKey = parsePublicKey(publicText);
const otherPublicKey = parsePublicKey(otherPublicText);

test('a fingerprint', () => {
  expect(fingerprint).toBe(
    [
      '1',
      '/nix/store/cc523z4jsbcilbic2n5d8ji5micwn1xz-out',
      'sha256:1ass8wir4j3hj6iisscdah18368hchbfaimbx3794316ycji5w2d',
      '264',
      [
        '/nix/store/cc523z4jsbcilbic2n5d8ji5micwn1xz-out',
        '/nix/store/vvf235affyhw0fjwjb5lim1x4fjwanp7-text',
        '/nix/store/vy88akxbh1nkbgamwyczdv2j8dmpmk9a-neve.txt',
      ].join(','),
    ].join(';'),
  );
});

test.each([0, -1, 1.5, 2 ** 53])('there is no fingerprint for a NAR of %s bytes', (narSize) => {
  expect(() => fingerprintPathInfo(store, { ...info, narSize })).toThrow(NixCompatError);
});

test('there is no fingerprint with a SHA-1', () => {
  const narHash = nodeHashes.hash('sha1', new Uint8Array(0));
  expect(() => fingerprintPathInfo(store, { ...info, narHash })).toThrow(NixCompatError);
});

test('signs as Nix does', () => {
  expect(printSignature(signFingerprint(fingerprint, secretKey, nodeEd25519))).toBe(signatureText);
});

describe('verifies', () => {
  const signature = parseSignature(signatureText);
  const check = (keys: readonly (typeof publicKey)[], signed = signature, text = fingerprint): boolean =>
    verifyFingerprint(text, { signature: signed, keys }, nodeEd25519);

  test('what Nix signed', () => {
    expect(check([publicKey])).toBe(true);
    expect(check([otherPublicKey, publicKey])).toBe(true);
    expect(check([otherPublicKey], parseSignature(otherSignatureText))).toBe(true);
  });

  test('only by a key of that name', () => {
    expect(check([])).toBe(false);
    expect(check([otherPublicKey])).toBe(false);
    expect(check([{ ...publicKey, name: 'neve-test-2' }])).toBe(false);
    expect(check([{ ...otherPublicKey, name: 'neve-test-1' }])).toBe(false);
    expect(check([{ ...otherPublicKey, name: 'neve-test-1' }, publicKey])).toBe(true);
  });

  test('nothing else', () => {
    expect(check([publicKey], signature, `${fingerprint} `)).toBe(false);
    const bytes = signature.bytes.with(63, 255);
    expect(check([publicKey], { ...signature, bytes })).toBe(false);
  });
});

test('a public key belongs to its secret key', () => {
  expect(printPublicKey(publicKeyOf(secretKey))).toBe(publicText);
});

test('keys and signatures are printed as they were read', () => {
  expect(printSecretKey(secretKey)).toBe(secretText);
  expect(printPublicKey(publicKey)).toBe(publicText);
  expect(printSignature(parseSignature(signatureText))).toBe(signatureText);
  expect(parseSecretKey(`${secretText}\n`, nodeEd25519)).toEqual(secretKey);
  expect(parsePublicKey(` ${publicText}\n`)).toEqual(publicKey);
});

test('a generated key signs', () => {
  const key = generateSecretKey('cache.example.org-1', nodeEd25519);
  expect(parseSecretKey(printSecretKey(key), nodeEd25519)).toEqual(key);
  expect(key.seed).not.toEqual(generateSecretKey(key.name, nodeEd25519).seed);
  const signature = signFingerprint(fingerprint, key, nodeEd25519);
  expect(signature.keyName).toBe('cache.example.org-1');
  expect(verifyFingerprint(fingerprint, { signature, keys: [publicKeyOf(key)] }, nodeEd25519)).toBe(true);
});

test.each(['', 'a:b', 'a b', 'a\n'])('no key is named %j', (name) => {
  expect(() => generateSecretKey(name, nodeEd25519)).toThrow(NixCompatError);
});

describe('refuses', () => {
  const payload = (text: string): string => text.slice(text.indexOf(':') + 1);

  test.each([
    '',
    ':',
    'a:',
    'a',
    `:${payload(signatureText)}`,
    'a:AAAA',
    'a:!!!!',
    `${signatureText}\n`,
    publicText,
  ])('the signature %j', (text) => {
    expect(() => parseSignature(text)).toThrow(NixCompatError);
  });

  test.each([
    '',
    ':',
    'a:',
    'a',
    `:${payload(publicText)}`,
    'a:AAAA',
    'a:!!!!',
    secretText,
    `a b${publicText}`,
  ])('the public key %j', (text) => {
    expect(() => parsePublicKey(text)).toThrow(NixCompatError);
  });

  const halves = `neve:${payload(printSecretKey({ ...secretKey, publicKey: otherPublicKey.bytes }))}`;
  test.each([
    `:${payload(secretText)}`,
    payload(secretText),
    publicText,
    secretText.slice(0, -4),
    secretText.replace('/', '!'),
    secretText.replace(':', ': '),
    halves,
  ])('a secret key without showing it, %#', (text) => {
    const attempt = (): unknown => parseSecretKey(text, nodeEd25519);
    expect(attempt).toThrow(NixCompatError);
    try {
      attempt();
    } catch (error) {
      expect((error as Error).message).not.toContain(payload(text).trim().slice(1, 12));
      expect((error as Error).cause).toBeUndefined();
    }
  });
});

const keyName = fc.stringMatching(/^[!-9;-~]+$/);

test('what was written is read', () => {
  const property = fc.property(
    keyName,
    fc.uint8Array({ minLength: 64, maxLength: 64 }),
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
    (name, long, short) => {
      const signature = { keyName: name, bytes: long };
      expect(parseSignature(printSignature(signature))).toEqual(signature);
      const key = { name, bytes: short };
      expect(parsePublicKey(printPublicKey(key))).toEqual(key);
      const secret = { name, seed: short, publicKey: nodeEd25519.publicKey(short) };
      expect(parseSecretKey(printSecretKey(secret), nodeEd25519)).toEqual(secret);
    },
  );
  fc.assert(property, { numRuns: 50 });
});
