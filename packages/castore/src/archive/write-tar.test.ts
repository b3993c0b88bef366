/**
 * The tar writer: read back by the reader (which GNU tar's and Python's archives have tested), and one archive bit by
 * bit as POSIX lays it out. GNU tar reads it in `node/tar-programs.test.ts`.
 */
import { Buffer } from 'node:buffer';
import { concatBytes, encodeUtf8 } from '@neve/bytes';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ArchiveMember } from './archive-member.ts';
import { readTar } from './read-tar.ts';
import { writeTar } from './write-tar.ts';

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) pieces.push(piece);
  return concatBytes(pieces);
}

function file(name: string, text: string, sizeBytes = text.length): ArchiveMember {
  const contents = once(encodeUtf8(text));
  return { kind: 'file', path: name.split('/').map(encodeUtf8), executable: true, sizeBytes, contents };
}

test('a header as POSIX lays it out', async () => {
  const bytes = await collect(writeTar([file('dir/run', 'hi')]));
  const text = Buffer.from(bytes).toString('latin1');
  const fields = (checksum: string): string =>
    [
      'dir/run'.padEnd(100, '\0'),
      '0000555\u00000000000\u00000000000\0',
      '00000000002\u000000000000001\0',
      checksum,
      '0',
      '\0'.repeat(100),
      'ustar\u000000',
      '\0'.repeat(64),
      '0000000\u00000000000\0',
      '\0'.repeat(167),
    ].join('');
  const sum = encodeUtf8(fields(' '.repeat(8))).reduce((total, byte) => total + byte, 0);
  expect(text.slice(0, 512)).toBe(fields(`${sum.toString(8).padStart(6, '0')}\0 `));
  expect(text.slice(512)).toBe('hi'.padEnd(512, '\0') + '\0'.repeat(1024));
});

test('what is written is read, whatever the names', async () => {
  const component = fc
    .oneof(
      fc.uint8Array({ minLength: 1, maxLength: 255 }),
      fc.string({ minLength: 1, maxLength: 120 }).map(encodeUtf8),
    )
    .map((bytes) => bytes.filter((byte) => byte !== 0 && byte !== 0x2f))
    .filter((bytes) => bytes.length > 0 && !['.', '..'].includes(Buffer.from(bytes).toString('latin1')));
  const path = fc.array(component, { minLength: 1, maxLength: 5 });
  const target = fc
    .uint8Array({ minLength: 1, maxLength: 200 })
    .map((bytes) => bytes.map((byte) => byte || 1));
  const member = fc.oneof(
    fc.record({ kind: fc.constant('directory' as const), path }),
    fc.record({ kind: fc.constant('symlink' as const), path, target }),
    fc.record({ kind: fc.constant('hardlink' as const), path, target: path }),
    fc.record({
      kind: fc.constant('file' as const),
      path,
      executable: fc.boolean(),
      bytes: fc.uint8Array({ maxLength: 1200 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(member, { maxLength: 6 }), async (members) => {
      const written = members.map((it): ArchiveMember =>
        it.kind === 'file' ? { ...it, sizeBytes: it.bytes.length, contents: once(it.bytes) } : it,
      );
      const read: unknown[] = [];
      // What is written has one time, whatever its members say.
      for await (const { modifiedSeconds: _, ...it } of readTar(writeTar(written))) {
        if (it.kind !== 'file') read.push(it);
        else
          read.push({
            kind: it.kind,
            path: it.path,
            executable: it.executable,
            bytes: await collect(it.contents),
          });
      }
      // As plain numbers, for buffers of any class.
      const plain = (value: unknown): unknown =>
        JSON.parse(JSON.stringify(value, (_, it: unknown) => (it instanceof Uint8Array ? [...it] : it)));
      expect(plain(read)).toEqual(plain(members));
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['fewer', 3],
  ['more', 1],
])('contents with %s bytes than announced', async (word, size) => {
  await expect(collect(writeTar([file('a', 'hi', size)]))).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining(`'a' have ${word}`),
  });
});
