// Hashes were printed by Nix 2.34: `nix-hash --type sha256 --base32` of the same trees on disk.
import { expect, test } from 'vitest';
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { NarWriter, NixCompatError } from './index.ts';

type Tree = string | { run: string } | { link: string } | Map<string, Tree>;

function write(writer: NarWriter, tree: Tree): void {
  if (tree instanceof Map) {
    writer.startDirectory();
    for (const [name, child] of tree) {
      writer.entry(encodeUtf8(name));
      write(writer, child);
    }
    writer.endDirectory();
  } else if (typeof tree === 'object' && 'link' in tree) {
    writer.symlink(encodeUtf8(tree.link));
  } else {
    const bytes = encodeUtf8(typeof tree === 'string' ? tree : tree.run);
    writer.startRegular(bytes.length, typeof tree !== 'string');
    for (let at = 0; at < bytes.length; at += 100_000) writer.contents(bytes.subarray(at, at + 100_000));
    writer.endRegular();
  }
}

function nar(tree: Tree): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new NarWriter((bytes) => parts.push(bytes.slice()));
  write(writer, tree);
  writer.end();
  return concatBytes(parts);
}

const tree: Tree = new Map<string, Tree>([
  ['B', { run: '#!/bin/sh\n' }],
  ['a', 'hello'],
  [
    'b',
    new Map<string, Tree>([
      ['empty', new Map()],
      ['link', { link: '../a' }],
    ]),
  ],
  ['b.x', '12345678'],
]);

test.each<[string, Tree, string]>([
  ['a tree', tree, '0bd32qpfxiz1hpad0i02sl30p6ywy33v40qrqvyva5fr7dbgyvar'],
  ['a large file', 'neve\n'.repeat(100_000), '0k3fclxc4b503hd9bssj96sy0pkab0gkq4chmm88cbk2xl7mlf1b'],
  [
    'many names',
    new Map(Array.from({ length: 5000 }, (_, i) => [`f${10_000 + i}`, `${i}`])),
    '1kvpyap58cjrav62h0rkvpyhm70a1s858mnwv1fwahqs0zxb1qi9',
  ],
])('%s', (_, value, expected) => {
  expect(nodeHashes.hash('sha256', nar(value)).format('nix32')).toBe(expected);
});

test('the bytes of a small file', () => {
  const text = decodeUtf8(nar('snow\n')).replaceAll('\0', '');
  expect(text).toBe('\rnix-archive-1\u0001(\u0004type\u0007regular\bcontents\u0005snow\n\u0001)');
});

const wrong: [string, (writer: NarWriter) => void][] = [
  ['nothing at all', () => undefined],
  ['two objects', (writer) => ['1', '2'].forEach((text) => write(writer, text))],
  ['an entry of no directory', (writer) => writer.entry(encodeUtf8('a'))],
  ['a name twice', (writer) => writeNames(writer, ['a', 'a'])],
  ['names out of order', (writer) => writeNames(writer, ['a', 'B'])],
  ['names in UTF-16 order', (writer) => writeNames(writer, ['\u{10000}', '\uffff'])],
  ['an empty name', (writer) => writeNames(writer, [''])],
  ['the name .', (writer) => writeNames(writer, ['.'])],
  ['the name ..', (writer) => writeNames(writer, ['..'])],
  ['a name with a slash', (writer) => writeNames(writer, ['a/b'])],
  ['a name with a NUL', (writer) => writeNames(writer, ['a\0'])],
  ['a name of 256 bytes', (writer) => writeNames(writer, ['a'.repeat(256)])],
  ['an empty target', (writer) => writer.symlink(encodeUtf8(''))],
  ['a target with a NUL', (writer) => writer.symlink(encodeUtf8('a\0'))],
  ['a target of 4096 bytes', (writer) => writer.symlink(encodeUtf8('a'.repeat(4096)))],
  ['an open directory', (writer) => writer.startDirectory()],
  [
    'an entry without a node',
    (writer) => {
      writer.startDirectory();
      writer.entry(encodeUtf8('a'));
      writer.endDirectory();
    },
  ],
  [
    'too few contents',
    (writer) => {
      writer.startRegular(2, false);
      writer.contents(encodeUtf8('1'));
      writer.endRegular();
    },
  ],
  [
    'too many contents',
    (writer) => {
      writer.startRegular(0, false);
      writer.contents(encodeUtf8('1'));
    },
  ],
];

function writeNames(writer: NarWriter, names: readonly string[]): void {
  writer.startDirectory();
  for (const name of names) {
    writer.entry(encodeUtf8(name));
    write(writer, 'x');
  }
  writer.endDirectory();
}

test.each(wrong)('refuses %s', (_, misuse) => {
  const writer = new NarWriter(() => undefined);
  const attempt = (): void => {
    misuse(writer);
    writer.end();
  };
  expect(attempt).toThrow(NixCompatError);
});
