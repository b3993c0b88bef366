// Expected paths were printed by Nix 2.34: `builtins.toFile`, `builtins.path` and `nix-store --print-fixed-path` of a
// file that holds "snow\n".
import { describe, expect, test } from 'vitest';
import { type HashAlgorithm, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { NarWriter, NixCompatError, StoreDirectory, type FixedMethod, parseStorePath } from './index.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);
const snow = encodeUtf8('snow\n');

function narOfFile(contents: Uint8Array, algorithm: HashAlgorithm) {
  const hasher = nodeHashes.create(algorithm);
  const writer = new NarWriter((bytes) => hasher.update(bytes));
  writer.startRegular(contents.length, false);
  writer.contents(contents);
  writer.endRegular();
  writer.end();
  return hasher.digest();
}

describe('paths', () => {
  test('a text', () => {
    const digest = nodeHashes.hash('sha256', snow);
    const path = store.textPath({ name: 'neve.txt', digest, references: [] });
    expect(store.print(path)).toBe('/nix/store/5jb4n5q9rhsj27c4y15lmizwls7rs1ks-neve.txt');
  });

  test('a text with references, in any order', () => {
    const references = ['ny6smjvdk43csfmxpkkyhxw4camyy72k-z', 'w6pyj3vdp5dh90d4wxi6shycl9cf7r3b-y'].map(
      (name) => `/nix/store/${name}`,
    );
    const digest = nodeHashes.hash('sha256', encodeUtf8(`a ${references.join(' ')}`));
    for (const order of [references, references.toReversed()]) {
      const path = store.textPath({ name: 'two', digest, references: order });
      expect(store.print(path)).toBe('/nix/store/iicvgna9kmdn1k0f41lxmxiv72bgwfdy-two');
    }
  });

  const fixed: [FixedMethod, HashAlgorithm, string][] = [
    ['flat', 'md5', 'hdpjxj75kxxd32nvbwzxp2mg8i7g1wq0-fixed'],
    ['nar', 'md5', '6nz2cs4j6r7zk3j6q6nfl3i9l78smarf-fixed'],
    ['flat', 'sha1', 'vsdpvg4m7zwq9qf34idlk5yq4qawl357-fixed'],
    ['nar', 'sha1', 'wmvi5lfc2z3zg0aha322kz9775n35zy9-fixed'],
    ['flat', 'sha512', 'n8ll1rh5mx7936kccq8r2ly8kvnaz1n9-fixed'],
    ['nar', 'sha512', '1w176inwp32m384mn78w4sfaax3jbnlw-fixed'],
    ['flat', 'sha256', '2p01g5hg04llxw4rzjdyd7xyhngjjjli-fixed'],
    ['nar', 'sha256', '6mic023ygqwrawdfl8h36p1vs4aixqf5-tree'],
    ['flat', 'sha256', '0yrlkzhgabhwddakjlv2sclxnjrpinw5-plain'],
  ];
  test.each(fixed)('a fixed content, %s %s', (method, algorithm, expected) => {
    const digest = method === 'nar' ? narOfFile(snow, algorithm) : nodeHashes.hash(algorithm, snow);
    expect(store.fixedPath({ name: expected.slice(33), method, digest }).baseName).toBe(expected);
  });

  test('only the SHA-256 of a NAR may have references', () => {
    const digest = nodeHashes.hash('sha1', snow);
    const references = ['/nix/store/ny6smjvdk43csfmxpkkyhxw4camyy72k-z'];
    expect(() => store.fixedPath({ name: 'x', method: 'nar', digest, references })).toThrow(NixCompatError);
  });
});

describe('reading', () => {
  const baseName = '5jb4n5q9rhsj27c4y15lmizwls7rs1ks-neve.txt';

  test('a path and what is below it', () => {
    expect(store.parse(`/nix/store/${baseName}`).name).toBe('neve.txt');
    expect(store.locate(`/nix/store/${baseName}/a/b`)).toEqual({
      storePath: parseStorePath(baseName),
      rest: '/a/b',
    });
  });

  test.each([
    '/nix/store',
    '/nix/store/',
    '/nix/stores/x',
    'nix/store/x',
    `/nix/store/${baseName}/a`,
    '/nix/store/x',
  ])('refuses %s', (path) => {
    expect(() => store.parse(path)).toThrow(NixCompatError);
  });

  const hashPart = '9d0sm13c3pj0msx6gd27izjkbmdnpbf2';
  const badNames: [string, string][] = [
    ['a/b', "name 'a/b' contains illegal character '/'"],
    ['', 'name must not be empty'],
    ['.', "name '.' is not valid"],
    ['..', "name '..' is not valid"],
    ['.-a', "name '.-a' is not valid: first dash-separated component must not be '.'"],
    ['..-a', "name '..-a' is not valid: first dash-separated component must not be '..'"],
    ['x'.repeat(212), `name '${'x'.repeat(212)}' must be no longer than 211 characters`],
  ];
  test.each(badNames)('the name %j', (name, problem) => {
    const message = `path '${hashPart}-${name}' is not a valid store path: ${problem}`;
    expect(() => parseStorePath(`${hashPart}-${name}`)).toThrow(message);
  });

  test.each(['.a', '...', 'a', 'x'.repeat(211), '+-._?='])('accepts the name %j', (name) => {
    expect(parseStorePath(`${hashPart}-${name}`).name).toBe(name);
  });

  test.each(['e', 'o', 'u', 't', 'A', '_'])('the hash part cannot contain %s', (character) => {
    expect(() => parseStorePath(`${hashPart.slice(1)}${character}-x`)).toThrow(/illegal base-32 character/);
  });
});
