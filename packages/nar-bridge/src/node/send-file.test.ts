// A NAR of a real store with large and small files, over a real connection; what it must be is rendered without files.
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { concatBytes } from '@neve/bytes';
import { Directory, pathComponent } from '@neve/castore';
import { lmdbDirectories, openLocalBlobs } from '@neve/castore/node';
import { renderNar, renderNarPieces } from '@neve/store';
import { serveCache } from './cache-server.ts';

function contents(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.imul(i + seed, 2654435761) >>> 13;
  return bytes;
}

test('a NAR of large and small files is the same with files as with bytes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'neve-send-'));
  try {
    await using blobs = await openLocalBlobs({ path: folder });
    await using directories = await lmdbDirectories(join(folder, 'db'));
    const sizes = [0, 100, 40_000, 262_144, 262_145, 3_000_001, 5, 1_200_000, 300_000];
    const entries = await Promise.all(
      sizes.map(async (size, index) => {
        const digest = await blobs.put(contents(size, index));
        const node = { kind: 'file', digest, size, executable: index % 2 === 0 } as const;
        return { name: pathComponent(`file-${index}`), node };
      }),
    );
    const directory = Directory.of(entries);
    await using putter = directories.putClosure();
    await putter.put(directory);
    await putter.close();
    const { node } = directory;

    const pieces: Uint8Array[] = [];
    for await (const piece of renderNar(node, { blobs, directories })) pieces.push(piece.slice());
    const expected = Buffer.from(concatBytes(pieces));

    let files = 0;
    await using server = await serveCache(
      async () => ({
        status: 200,
        headers: { 'content-length': String(expected.length) },
        body: {
          pieces: (async function* () {
            const fileOf = (digest: (typeof entries)[0]['node']['digest']): Promise<string | undefined> =>
              blobs.filePath(digest, false);
            for await (const piece of renderNarPieces(node, { blobs, directories, fileOf })) {
              if (!(piece instanceof Uint8Array)) files++;
              yield piece;
            }
          })(),
        },
      }),
      { listen: ['127.0.0.1:0'] },
    );
    const port = Number(server.addresses[0]?.split(':').at(-1));
    const received = await new Promise<Buffer>((resolve, reject) => {
      const got: Buffer[] = [];
      const socket = connect(port, '127.0.0.1');
      socket.on('error', reject);
      socket.on('data', (piece) => got.push(piece));
      socket.on('close', () => resolve(Buffer.concat(got)));
      // Two on one connection: the second has to begin where the first ends.
      const head = 'host: x\r\n';
      socket.write(`GET / HTTP/1.1\r\n${head}\r\nGET / HTTP/1.1\r\n${head}connection: close\r\n\r\n`);
    });
    const first = received.indexOf('\r\n\r\n') + 4;
    expect(received.subarray(first, first + expected.length).equals(expected)).toBe(true);
    const second = received.indexOf('\r\n\r\n', first + expected.length) + 4;
    expect(received.subarray(second).equals(expected)).toBe(true);
    expect(files).toBe(8);
  } finally {
    await rm(folder, { recursive: true });
  }
});
