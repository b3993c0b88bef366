// The first listing is what Nix 2.34.8 wrote for this tree with `nix copy --to file:///…?write-nar-listing=true`. Offsets of
// generated trees are compared with where the contents are in the NAR that the renderer gives.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { type Node, memoryBlobs, memoryDirectories } from '@neve/castore';
import { NarWriter } from '@neve/nix-compat';
import { StoreError, ingestNar, renderNar } from '@neve/store';
import { narListing } from './nar-listing.ts';

type Tree =
  | { readonly kind: 'file'; readonly text: string; readonly executable: boolean }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory'; readonly entries: readonly (readonly [string, Tree])[] };

const file = (text: string, executable = false): Tree => ({ kind: 'file', text, executable });
const directory = (entries: Readonly<Record<string, Tree>>): Tree => ({
  kind: 'directory',
  entries: Object.entries(entries).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
});

function writeTree(tree: Tree, writer: NarWriter): void {
  if (tree.kind === 'link') writer.symlink(encodeUtf8(tree.target));
  else if (tree.kind === 'file') {
    const contents = encodeUtf8(tree.text);
    writer.startRegular(contents.length, tree.executable);
    writer.contents(contents);
    writer.endRegular();
  } else {
    writer.startDirectory();
    for (const [name, entry] of tree.entries) {
      writer.entry(encodeUtf8(name));
      writeTree(entry, writer);
    }
    writer.endDirectory();
  }
}

async function list(tree: Tree): Promise<{ readonly text: string; readonly nar: Uint8Array }> {
  const castore = { blobs: memoryBlobs(), directories: memoryDirectories() };
  const written: Uint8Array[] = [];
  const writer = new NarWriter((bytes) => written.push(bytes.slice()));
  writeTree(tree, writer);
  writer.end();
  const source = (async function* () {
    yield* written;
  })();
  const { node } = await ingestNar(source, { ...castore, hashes: nodeHashes });
  const pieces: Uint8Array[] = [];
  for await (const piece of renderNar(node, castore)) pieces.push(piece.slice());
  let text = '';
  for await (const piece of narListing(node, castore.directories)) text += piece;
  return { text, nar: concatBytes(pieces) };
}

test('as Nix writes it', async () => {
  const tree = directory({
    a: file('hello\n'),
    empty: directory({}),
    sub: directory({ l: { kind: 'link', target: '../a' }, x: file('#!/bin/sh\n', true) }),
    zero: file(''),
    'é"q': file('x'),
  });
  expect((await list(tree)).text).toBe(
    '{"root":{"entries":{"a":{"narOffset":232,"size":6,"type":"regular"},"empty":{"entries":{},"type":"directory"},' +
      '"sub":{"entries":{"l":{"target":"../a","type":"symlink"},"x":{"executable":true,"narOffset":952,"size":10,' +
      '"type":"regular"}},"type":"directory"},"zero":{"narOffset":1184,"size":0,"type":"regular"},' +
      '"é\\"q":{"narOffset":1368,"size":1,"type":"regular"}},"type":"directory"},"version":1}',
  );
  expect((await list(file('hello\n'))).text).toBe(
    '{"root":{"narOffset":96,"size":6,"type":"regular"},"version":1}',
  );
});

const name = fc.string({
  unit: fc.constantFrom('a', 'b', '1', '0', 'é', '"', '\\'),
  minLength: 1,
  maxLength: 9,
});
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.record({
      kind: fc.constant('file' as const),
      text: fc.string({ maxLength: 40 }),
      executable: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('link' as const), target: name }),
    fc.dictionary(name, tie('tree'), { maxKeys: 5, noNullPrototype: true }).map(directory),
  ),
}));

type Listed = { readonly [key: string]: unknown; readonly entries?: Readonly<Record<string, Listed>> };

test('offsets are where contents are', async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (given) => {
      const { text, nar } = await list(given);
      const check = (expected: Tree, listed: Listed | undefined): void => {
        if (expected.kind === 'directory') {
          expect(Object.keys(listed?.entries ?? {}).toSorted()).toEqual(
            expected.entries.map(([it]) => it).toSorted(),
          );
          for (const [it, entry] of expected.entries) check(entry, listed?.entries?.[it]);
        } else if (expected.kind === 'file') {
          const contents = encodeUtf8(expected.text);
          const offset = Number(listed?.['narOffset']);
          expect(listed?.['size']).toBe(contents.length);
          expect(listed?.['executable'] ?? false).toBe(expected.executable);
          expect(nar.slice(offset, offset + contents.length)).toEqual(contents);
        } else expect(listed?.['target']).toBe(expected.target);
      };
      check(given, (JSON.parse(text) as { readonly root: Listed }).root);
    }),
    { numRuns: 60 },
  );
});

test('keys are in bytewise order, also those that look like numbers', async () => {
  const { text } = await list(directory({ '10': file(''), '9': file(''), b: file(''), a: file('') }));
  expect([...text.matchAll(/"(10|9|a|b)":/g)].map(([, key]) => key)).toEqual(['10', '9', 'a', 'b']);
});

test('what is missing or endless', async () => {
  const missing = async (node: Node): Promise<void> => {
    for await (const _ of narListing(node, memoryDirectories())) expect.unreachable();
  };
  const digest = await memoryBlobs().put(new Uint8Array(3));
  await expect(missing({ kind: 'directory', digest, size: 2 })).rejects.toThrow(StoreError);
  await expect(missing({ kind: 'directory', digest, size: 1e9 })).rejects.toThrow('is not listed');
});
