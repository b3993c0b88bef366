/** What a real Nix 2.34 says about the same is compared in `tests/fetch`; here is what needs none. */
import { describe, expect, test } from 'vitest';
import type { InputAttributes } from './input-attributes.ts';
import {
  checkPurity,
  fetchOfTreeReference,
  isLocked,
  parseTreeReference,
  printTreeReference,
  treeReferenceOfAttributes,
} from './tree-reference.ts';

const options = { features: new Set(['flakes'] as const) };
const revision = '0123456789abcdef0123456789abcdef01234567';
const narHash = 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

describe('texts and the attributes that they stand for', () => {
  test.each<[string, Record<string, string | bigint | boolean>]>([
    [
      'git+https://host/x?ref=main&shallow=1',
      { type: 'git', url: 'https://host/x', ref: 'main', shallow: true },
    ],
    ['git://host/x?a=b', { type: 'git', url: 'git://host/x?a=b' }],
    [`git+file:///x?rev=${revision}`, { type: 'git', url: 'file:///x', rev: revision }],
    ['path:/x?lastModified=5', { type: 'path', path: '/x', lastModified: 5n }],
    ['github:o/r/main', { type: 'github', owner: 'o', repo: 'r', ref: 'main' }],
    [
      `gitlab:o/r/${revision}?host=h.org`,
      { type: 'gitlab', owner: 'o', repo: 'r', rev: revision, host: 'h.org' },
    ],
    ['sourcehut:~o/r', { type: 'sourcehut', owner: '~o', repo: 'r' }],
    ['hg+https://host/x?ref=default', { type: 'hg', url: 'https://host/x', ref: 'default' }],
    [`flake:nixpkgs/main/${revision}`, { type: 'indirect', id: 'nixpkgs', ref: 'main', rev: revision }],
    ['https://host/x.tar.gz?a=b', { type: 'tarball', url: 'https://host/x.tar.gz?a=b' }],
  ])('%s', (text, attributes) => {
    const reference = parseTreeReference(text, options);
    expect(Object.fromEntries(reference.attributes)).toEqual(attributes);
    expect(printTreeReference(reference)).toBe(text);
    expect(treeReferenceOfAttributes(mapOf(attributes), options)).toEqual(reference);
  });

  test('a text has more forms than it is printed in', () => {
    const shown = (text: string): string => printTreeReference(parseTreeReference(text, options));
    expect(shown(`github:o/r?ref=main`)).toBe('github:o/r/main');
    expect(shown('tarball+https://host/x?revCount=1&lastModified=2')).toBe('https://host/x');
    expect(shown(`https://host/x?narHash=${narHash}`)).toBe(
      `https://host/x?narHash=${encodeURIComponent(narHash).replace('%2F', '/')}`,
    );
  });
});

test.each<[Record<string, string | boolean>, boolean]>([
  [{ type: 'git', url: 'https://h/x' }, false],
  [{ type: 'git', url: 'https://h/x', narHash }, false],
  [{ type: 'git', url: 'https://h/x', rev: revision }, true],
  [{ type: 'git', url: 'https://h/x', rev: '0'.repeat(40) }, false],
  [{ type: 'tarball', url: 'https://h/x', rev: revision }, false],
  [{ type: 'tarball', url: 'https://h/x', narHash }, true],
  [{ type: 'file', url: 'https://h/x', narHash }, true],
  [{ type: 'path', path: '/x' }, false],
  [{ type: 'path', path: '/x', narHash }, true],
  [{ type: 'github', owner: 'o', repo: 'r' }, false],
  [{ type: 'github', owner: 'o', repo: 'r', rev: revision }, true],
  [{ type: 'hg', url: 'https://h/x', rev: revision }, true],
  [{ type: 'indirect', id: 'x', rev: revision }, false],
])('%o is locked: %s', (attributes, locked) => {
  expect(isLocked(treeReferenceOfAttributes(mapOf(attributes), options))).toBe(locked);
});

test('the archive of a forge is believed, unless it is said otherwise', () => {
  const attributes = mapOf({ type: 'github', owner: 'o', repo: 'r', rev: revision });
  const reference = treeReferenceOfAttributes(attributes, options);
  expect(isLocked(reference, { trustForges: false })).toBe(false);
});

test('in pure evaluation what is not locked is refused, and with a hash warned of', () => {
  const git = (more: Record<string, string>): ReturnType<typeof treeReferenceOfAttributes> =>
    treeReferenceOfAttributes(mapOf({ type: 'git', url: 'https://h/x', ...more }));
  expect(checkPurity(git({ rev: revision }), { builtin: 'fetchGit' })).toBeUndefined();
  expect(checkPurity(git({ narHash }), { builtin: 'fetchGit' })).toMatch(
    /^Input 'git\+https:\/\/h\/x' is unlocked/,
  );
  expect(() => checkPurity(git({}), { builtin: 'fetchTree' })).toThrow(
    "in pure evaluation mode, 'fetchTree' doesn't fetch unlocked input 'git+https://h/x'",
  );
});

test('what needs an experimental feature is refused without it', () => {
  expect(() => parseTreeReference('github:o/r')).toThrow(
    "experimental Nix feature 'flakes' is disabled; add '--extra-experimental-features flakes' to enable it",
  );
});

test('a name that a registry would know is read, but not fetched', () => {
  const reference = parseTreeReference('flake:nixpkgs', options);
  expect(() => fetchOfTreeReference(reference)).toThrow(
    expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('flake registries') }),
  );
});

function mapOf(attributes: Record<string, string | bigint | boolean>): InputAttributes {
  return new Map(Object.entries(attributes));
}
