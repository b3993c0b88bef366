import { expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '@neve/bytes';
import { type NarEvent, NarWriter, NixCompatError, readNar } from './index.ts';

/** A directory of a file and a link. */
function archive(): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new NarWriter((bytes) => parts.push(bytes.slice()));
  writer.startDirectory();
  writer.entry(encodeUtf8('file'));
  writer.startRegular(4, true);
  writer.contents(encodeUtf8('snow'));
  writer.endRegular();
  writer.entry(encodeUtf8('link'));
  writer.symlink(encodeUtf8('file'));
  writer.endDirectory();
  writer.end();
  return concatBytes(parts);
}

const expected: NarEvent[] = [
  { kind: 'startDirectory' },
  { kind: 'entry', name: encodeUtf8('file') },
  { kind: 'startRegular', size: 4, executable: true },
  { kind: 'contents', bytes: encodeUtf8('snow') },
  { kind: 'endRegular' },
  { kind: 'entry', name: encodeUtf8('link') },
  { kind: 'symlink', target: encodeUtf8('file') },
  { kind: 'endDirectory' },
];

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function batchesOf(source: AsyncIterable<Uint8Array>): Promise<(readonly NarEvent[])[]> {
  const batches: (readonly NarEvent[])[] = [];
  for await (const batch of readNar(source)) batches.push(batch);
  return batches;
}

test('all events of a piece come at once', async () => {
  expect(await batchesOf(pieces(archive(), 10_000))).toEqual([expected]);
});

test('no batch is empty', async () => {
  const batches = await batchesOf(pieces(archive(), 8));
  expect(batches.flat()).toEqual(expected);
  expect(batches.every((batch) => batch.length > 0)).toBe(true);
});

test('a piece is asked for when the events of the last one were taken', async () => {
  const asked: number[] = [];
  async function* source(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces(archive(), 200)) {
      asked.push(piece.length);
      yield piece;
    }
  }
  const events = readNar(source());
  await events.next();
  expect(asked).toHaveLength(1);
  await events.next();
  expect(asked).toHaveLength(2);
});

test('a reader who stops ends the source', async () => {
  let ended = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* pieces(archive(), 100);
    } finally {
      ended = true;
    }
  }
  for await (const batch of readNar(source())) {
    expect(batch.length).toBeGreaterThan(0);
    break;
  }
  expect(ended).toBe(true);
});

test.each<[string, Uint8Array, string]>([
  ['nothing', new Uint8Array(0), 'cut off, at byte 0'],
  ['half an archive', archive().subarray(0, 300), 'cut off, at byte 300'],
  ['more than an archive', concatBytes([archive(), new Uint8Array(8)]), 'something follows the end'],
  ['something else', encodeUtf8('<!DOCTYPE html><html>'), 'does not look like a Nix archive, at byte 0'],
])('refuses %s', async (_, bytes, problem) => {
  await expect(batchesOf(pieces(bytes, 64))).rejects.toThrow(NixCompatError);
  await expect(batchesOf(pieces(bytes, 64))).rejects.toThrow(problem);
});
