/** Batches of blobs between our client and server; and with servers that have none, as those of Snix. */
import { createServer, connect } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { B3Digest, hashBlake3, memoryBlobs, readOnlyBlobs } from '@neve/castore';
import type { BlobService } from '@neve/castore';
import { blobCompliance } from '@neve/castore/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { blobHandlers } from '../blob-handlers.ts';
import type { Handler } from '../handler.ts';
import { pathOf } from '../method.ts';
import { blobBatchMethods, maxBatchBlobs } from '../services.ts';
import { GrpcBlobs } from './grpc-blobs.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { implement } from './implement-handler.ts';
import { openGrpcBlobs, serveGrpc } from './index.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(blobs: BlobService): Promise<string> {
  const server = await serveGrpc({ blobs }, { listen: '127.0.0.1:0', graceMs: 500 });
  cleanups.push(() => server[Symbol.asyncDispose]());
  return server.url;
}

/** The URL of a server with the service of Snix alone. */
async function serveSingle(blobs: BlobService): Promise<string> {
  const same = (message: Buffer): Buffer => message;
  const handlers: readonly Handler[] = blobHandlers(blobs);
  const definitions = handlers.map(({ method }) => [
    method.name,
    {
      path: pathOf(method),
      requestStream: method.streams.request,
      responseStream: method.streams.answer,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  ]);
  const server = new grpc.Server();
  server.addService(
    Object.fromEntries(definitions) as grpc.ServiceDefinition,
    Object.fromEntries(
      handlers.map((it) => [it.method.name, implement(it, () => undefined)]),
    ) as grpc.UntypedServiceImplementation,
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, it) =>
      error === null ? resolve(it) : reject(error),
    );
  });
  cleanups.push(() => server.forceShutdown());
  return `grpc+http://127.0.0.1:${port}`;
}

/** The paths of all calls from now on. */
function callsOf(channel: GrpcChannel): readonly string[] {
  const calls: string[] = [];
  const [unary, download] = [channel.unary.bind(channel), channel.download.bind(channel)];
  channel.unary = (method, ...rest) => {
    calls.push(pathOf(method));
    return unary(method, ...rest);
  };
  channel.download = (method, ...rest) => {
    calls.push(pathOf(method));
    return download(method, ...rest);
  };
  return calls;
}

const samples = Array.from({ length: 50 }, (_, index) => new Uint8Array(10 + index).fill(index));
const digests = samples.map((it) => new B3Digest(hashBlake3(it)));

async function readAll(blobs: BlobService, maxBytes = 1000): Promise<(Uint8Array | undefined)[]> {
  const all: (Uint8Array | undefined)[] = [];
  for await (const bytes of blobs.batch?.readAll(digests, maxBytes) ?? []) all.push(bytes);
  return all;
}

describe('a server without batches', () => {
  for (const each of blobCompliance) {
    test(each.name, () =>
      each.run(async () => openGrpcBlobs(await serveSingle(memoryBlobs())), {
        splits: false,
        outboards: true,
      }),
    );
  }

  test('is asked for them once', async () => {
    const channel = await GrpcChannel.open(await serveSingle(memoryBlobs()));
    const calls = callsOf(channel);
    await using blobs = await GrpcBlobs.over(channel);
    for (let round = 0; round < 3; round++) {
      expect(await blobs.batch?.hasAll(digests)).toEqual(digests.map(() => round > 0));
      expect(await blobs.batch?.putAll(samples)).toEqual(digests);
      expect(await readAll(blobs)).toEqual(samples);
    }
    const batches = calls.filter((path) => path.startsWith('/neve.'));
    expect(batches.toSorted()).toEqual(
      ['Get', 'Has', 'Put'].map((name) => `/neve.castore.v1.BlobBatchService/${name}`),
    );
  });
});

test('wrappers that have no batches are served with them', async () => {
  const inner = memoryBlobs();
  for (const bytes of samples) await inner.put(bytes);
  await using blobs = await openGrpcBlobs(await serve(readOnlyBlobs(inner)));
  expect(await readAll(blobs)).toEqual(samples);
  expect(await blobs.batch?.hasAll(digests)).toEqual(digests.map(() => true));
  await expect(blobs.batch?.putAll(samples)).rejects.toMatchObject({ code: 'unsupported' });
  // What cannot be written can still be read in batches.
  expect(await readAll(blobs, 30)).toEqual(samples.map((it) => (it.length <= 30 ? it : undefined)));
});

test('blobs that are larger than a message are stored and left out when reading', async () => {
  const sizes = [3_000_000, 10, 6_000_000, 700_000, 700_000, 700_000, 1_048_576, 1_048_577];
  const large = sizes.map((size, index) => new Uint8Array(size).fill(index));
  await using blobs = await openGrpcBlobs(await serve(memoryBlobs()));
  const stored = (await blobs.batch?.putAll(large)) ?? [];
  expect(stored).toEqual(large.map((it) => new B3Digest(hashBlake3(it))));
  const lengths: (number | undefined)[] = [];
  for await (const bytes of blobs.batch?.readAll(stored, 10_000_000) ?? []) lengths.push(bytes?.length);
  expect(lengths).toEqual(sizes.map((size) => (size <= 1_048_576 ? size : undefined)));
  for (const [index, digest] of stored.entries()) {
    expect((await blobs.open(digest))?.size).toBe(sizes[index]);
  }
});

test('more blobs than a request may name', async () => {
  const count = maxBatchBlobs + 10;
  const many = Array.from({ length: count }, (_, index) => Uint8Array.of(index, index >> 8));
  await using blobs = await openGrpcBlobs(await serve(memoryBlobs()));
  const stored = (await blobs.batch?.putAll(many)) ?? [];
  expect((await blobs.batch?.hasAll(stored))?.filter(Boolean)).toHaveLength(count);
  let read = 0;
  for await (const bytes of blobs.batch?.readAll(stored, 2) ?? []) {
    if (bytes?.[0] === (read & 0xff) && bytes[1] === read >> 8) read++;
  }
  expect(read).toBe(count);
});

test('many batches at the same time do not stand still', async () => {
  await using blobs = await openGrpcBlobs(await serve(memoryBlobs()), { timeoutMs: 10_000 });
  const { batch } = blobs;
  const all = Array.from({ length: 32 }, (_, i) =>
    Array.from({ length: 250 }, (_, j) => new Uint8Array(4096).fill(i).fill(j, 1, 3)),
  );
  const stored = await Promise.all(all.map((part) => batch?.putAll(part)));
  const sizes = stored.map(async (part) => {
    let size = 0;
    for await (const bytes of batch?.readAll(part ?? [], 4096) ?? []) size += bytes?.length ?? 0;
    return size;
  });
  expect(await Promise.all(sizes)).toEqual(all.map((part) => part.length * 4096));
});

test('what a caller says of the digests is not taken on trust', async () => {
  const inner = memoryBlobs();
  await using blobs = await openGrpcBlobs(await serve(inner));
  const [bytes, wrong] = [samples[0] ?? new Uint8Array(), digests[1] as B3Digest];
  await expect(blobs.trusting?.putAll([{ digest: wrong, bytes }])).rejects.toMatchObject({ code: 'corrupt' });
  const writer = await blobs.trusting?.create();
  await writer?.write(bytes);
  await expect(writer?.close(wrong)).rejects.toMatchObject({ code: 'corrupt' });
  expect(await inner.has(wrong)).toBe(false);
});

describe('requests beyond the limits', () => {
  const { put, get, has } = blobBatchMethods;
  const few = Uint8Array.of();
  test.each([
    ['too many blobs', (it: GrpcChannel) => it.unary(put, { blobs: Array(maxBatchBlobs + 2).fill(few) })],
    ['too many bytes', (it: GrpcChannel) => it.unary(put, { blobs: [new Uint8Array(4 << 20)] })],
    ['a short digest', (it: GrpcChannel) => it.unary(has, { digests: [new Uint8Array(31)] })],
    [
      'a short digest to read',
      async (it: GrpcChannel) => {
        for await (const _ of it.download(get, { digests: [new Uint8Array(33)], maxBytes: 1n }));
      },
    ],
    [
      'too many digests',
      (it: GrpcChannel) => it.unary(has, { digests: Array(maxBatchBlobs + 2).fill(digests[0]?.bytes) }),
    ],
  ])('%s', async (_, call) => {
    await using channel = await GrpcChannel.open(await serve(memoryBlobs()));
    await expect(call(channel)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

test('a server sends no more than is read', async () => {
  const blob = new Uint8Array(60_000);
  let read = 0;
  const endless: BlobService = Object.assign(memoryBlobs(), {
    batch: {
      ...(memoryBlobs().batch as NonNullable<BlobService['batch']>),
      async *readAll(all: readonly B3Digest[]) {
        for (const _ of all) {
          read++;
          yield blob;
        }
      },
    },
  });
  const url = await serve(endless);
  // Whoever does not read: a connection that stands still after the first bytes.
  const stopped = createServer((near) => {
    const far = connect(Number(url.slice(url.lastIndexOf(':') + 1)), '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far);
    let bytes = 0;
    far.on('data', (data: Buffer) => {
      near.write(data);
      bytes += data.length;
      if (bytes > 1_000_000) far.pause();
    });
    cleanups.push(() => [near, far].forEach((it) => it.destroy()));
  });
  await new Promise<void>((resolve) => {
    stopped.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(() => stopped.close());
  const { port } = stopped.address() as { port: number };
  await using channel = await GrpcChannel.open(`grpc+http://127.0.0.1:${port}`, { timeoutMs: 700 });
  const wanted = Array.from({ length: 10_000 }, () => new Uint8Array(32));
  const reading = (async () => {
    for await (const _ of channel.download(blobBatchMethods.get, { digests: wanted, maxBytes: 100_000n }));
  })();
  await expect(reading).rejects.toMatchObject({ code: 'deadline-exceeded' });
  // 600 MB were asked for; windows, queues and sockets hold some dozens.
  expect(read * blob.length).toBeLessThan(64 << 20);
});
