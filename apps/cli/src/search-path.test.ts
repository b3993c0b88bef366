import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { channels, parseSearchPath } from './search-path.ts';

test.each([
  ['', []],
  [
    '/a:b=/c',
    [
      ['', '/a'],
      ['b', '/c'],
    ],
  ],
  [
    'x=https://host/y:/z',
    [
      ['x', 'https://host/y'],
      ['', '/z'],
    ],
  ],
  [
    'n=flake:nixpkgs:channel:c',
    [
      ['n', 'flake:nixpkgs'],
      ['', 'channel:c'],
    ],
  ],
])('%j', (text, expected) => {
  expect(parseSearchPath(text).map(({ prefix, path }) => [prefix, path])).toEqual(expected);
});

test('channels that are there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'neve-channels-'));
  const ofRoot = join(folder, 'state/profiles/per-user/root/channels');
  const environment = { HOME: folder, NIX_STATE_DIR: join(folder, 'state') };
  try {
    expect(channels(environment)).toEqual([]);
    mkdirSync(join(folder, '.nix-defexpr/channels'), { recursive: true });
    mkdirSync(join(ofRoot, 'nixpkgs'), { recursive: true });
    expect(channels(environment)).toEqual([
      { prefix: '', path: join(folder, '.nix-defexpr/channels') },
      { prefix: 'nixpkgs', path: join(ofRoot, 'nixpkgs') },
      { prefix: '', path: ofRoot },
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
