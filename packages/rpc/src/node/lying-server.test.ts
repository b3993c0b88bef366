/** Servers that lie, break off or send too much: whatever comes from them is refused, and nothing of it is given out as true. */
import * as grpc from '@grpc/grpc-js';
import { B3Digest, Directory, hashBlake3, pathComponent } from '@neve/castore';
import type { BlobReader } from '@neve/castore';
import { encodePathInfo } from '@neve/store';
import { samplePathInfo } from '@neve/store/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { blobChunkCodec } from '../blob-chunk.ts';
import type { AnyMethod } from '../method.ts';
import { pathOf } from '../method.ts';
import {
  blobBatchMethods,
  blobMethods,
  directoryMethods,
  maxBatchBlobs,
  pathInfoMethods,
} from '../services.ts';
import { openGrpcBlobs, openGrpcDirectories, openGrpcPathInfos } from './index.ts';

const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

type Answer = {
  readonly messages?: readonly Uint8Array[];
  readonly status?: number;
  readonly hangs?: boolean;
};

/** A server that gives prepared answers, whatever is asked. */
async function lyingServer(answers: readonly (readonly [AnyMethod, Answer])[]): Promise<string> {
  const server = new grpc.Server({ 'grpc.max_send_message_length': -1 });
  const same = (it: Buffer): Buffer => it;
  for (const service of new Set(answers.map(([method]) => method.service))) {
    const own = answers.filter(([method]) => method.service === service);
    server.addService(
      Object.fromEntries(
        own.map(([method]) => [
          method.name,
          {
            path: pathOf(method),
            requestStream: method.streams.request,
            responseStream: true,
            requestSerialize: same,
            requestDeserialize: same,
            responseSerialize: same,
            responseDeserialize: same,
          },
        ]),
      ),
      Object.fromEntries(own.map(([method, answer]) => [method.name, answering(answer)])),
    );
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, it) =>
      error === null ? resolve(it) : reject(error),
    );
  });
  cleanups.push(() => server.forceShutdown());
  return `grpc+http://127.0.0.1:${port}`;
}

function answering({ messages = [], status = 0, hangs = false }: Answer) {
  return (call: grpc.ServerDuplexStream<Buffer, Buffer>): void => {
    call.on?.('data', () => undefined);
    const answer = (): void => {
      for (const message of messages) call.write(Buffer.from(message));
      if (hangs) return;
      if (status === 0) call.end();
      else
        call.emit('error', Object.assign(new Error('broken off'), { code: status, details: 'broken off' }));
    };
    answer();
  };
}

const contents = new Uint8Array(3_000_000).map((_, index) => (index * 2654435761) >>> 24);
const digest = new B3Digest(hashBlake3(contents));
const parts = [0, 1, 2].map((index) => contents.slice(index * 1_000_000, (index + 1) * 1_000_000));
const messagesOf = (pieces: readonly Uint8Array[]): Uint8Array[] =>
  pieces.map((it) => blobChunkCodec.encode(it).slice());

function stat(chunks: readonly (readonly [Uint8Array, number])[]): Answer {
  const encoded = blobMethods.stat.answer.encode({
    chunks: chunks.map(([it, size]) => ({ digest: it, size: BigInt(size) })),
  });
  return { messages: [encoded] };
}

const whole = stat([[digest.bytes, contents.length]]);

/** All that a reader gives before it fails or ends. */
async function readAll(reader: BlobReader, range = {}): Promise<{ bytes: Uint8Array; error: unknown }> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of reader.stream(range)) pieces.push(piece.slice());
  } catch (error) {
    return { bytes: Buffer.concat(pieces), error };
  }
  return { bytes: Buffer.concat(pieces), error: undefined };
}

describe('blobs', () => {
  async function open(read: Answer, described: Answer = whole): Promise<BlobReader> {
    const url = await lyingServer([
      [blobMethods.stat, described],
      [blobMethods.read, read],
    ]);
    const blobs = await openGrpcBlobs(url);
    cleanups.push(() => void blobs[Symbol.asyncDispose]());
    const reader = await blobs.open(digest);
    if (reader === undefined) throw new Error('the blob is there');
    return reader;
  }

  test('an honest answer is taken', async () => {
    const reader = await open({ messages: messagesOf(parts) });
    const { bytes, error } = await readAll(reader);
    expect(error).toBeUndefined();
    expect(Buffer.compare(bytes, contents)).toBe(0);
  });

  const flipped = contents.slice();
  flipped[2_999_999] = (flipped[2_999_999] ?? 0) ^ 1;

  test.each<[string, Answer, string]>([
    ['a wrong byte at the end', { messages: messagesOf([flipped]) }, 'corrupt'],
    ['other bytes', { messages: messagesOf([new Uint8Array(3_000_000)]) }, 'corrupt'],
    ['too few bytes', { messages: messagesOf(parts.slice(0, 2)) }, 'corrupt'],
    ['nothing', { messages: [] }, 'corrupt'],
    ['too many bytes', { messages: messagesOf([...parts, Uint8Array.of(1)]) }, 'corrupt'],
    ['parts in another order', { messages: messagesOf(parts.toReversed()) }, 'corrupt'],
    ['an end by a failure', { messages: messagesOf(parts.slice(0, 2)), status: grpc.status.INTERNAL }, 'io'],
    ['an end by a failure after all', { messages: messagesOf(parts), status: grpc.status.ABORTED }, 'io'],
    ['what is no message', { messages: [Uint8Array.of(0x0a, 0x7f, 1)] }, 'corrupt'],
    ['a message above the limit', { messages: [new Uint8Array(65 * 1024 * 1024)] }, 'limit-exceeded'],
  ])('%s', async (_, read, code) => {
    const { bytes, error } = await readAll(await open(read));
    expect(error).toMatchObject({ name: 'CastoreError', code });
    expect(bytes.length).toBeLessThan(contents.length);
    const part = await readAll(await open(read), { start: 10, end: 20 });
    expect(part.error).toMatchObject({ name: 'CastoreError' });
    expect(part.bytes.length).toBe(0);
  });

  test('silence', async () => {
    const url = await lyingServer([
      [blobMethods.stat, whole],
      [blobMethods.read, { messages: messagesOf(parts.slice(0, 1)), hangs: true }],
    ]);
    const blobs = await openGrpcBlobs(url, { timeoutMs: 300 });
    const reader = await blobs.open(digest);
    if (reader === undefined) throw new Error('the blob is there');
    const { error } = await readAll(reader);
    expect(error).toMatchObject({ code: 'io', message: expect.stringContaining('silent') as string });
    await blobs[Symbol.asyncDispose]();
  });

  test.each<[string, Answer]>([
    ['with a short digest', stat([[new Uint8Array(31), 5]])],
    ['of more bytes than there are numbers', stat([[digest.bytes, 2 ** 54]])],
  ])('chunks %s', async (_, described) => {
    await expect(open({ messages: [] }, described)).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('chunks that are not those of the blob', async () => {
    const chunks = parts.map((it) => [hashBlake3(it), it.length] as const);
    const reader = await open({ messages: messagesOf([parts[1] ?? contents]) }, stat(chunks));
    expect((await readAll(reader)).error).toMatchObject({ code: 'corrupt' });
    await expect(reader.read(5, 5)).rejects.toMatchObject({ code: 'corrupt' });
    expect(await reader.read(1_000_000, 3)).toEqual(contents.slice(1_000_000, 1_000_003));
  });

  test('another digest for what was put', async () => {
    const answer = blobMethods.put.answer.encode({ digest: new Uint8Array(32) });
    const blobs = await openGrpcBlobs(await lyingServer([[blobMethods.put, { messages: [answer] }]]));
    await expect(blobs.put(contents)).rejects.toMatchObject({ name: 'CastoreError' });
    await blobs[Symbol.asyncDispose]();
  });
});

describe('batches of blobs', () => {
  const small = [0, 1, 2].map((index) => contents.slice(index * 100, (index + 1) * 100));
  const digests = small.map((it) => new B3Digest(hashBlake3(it)));
  const maxBytes = 100;
  const got = (blobs: readonly (Uint8Array | undefined)[]): Uint8Array =>
    blobBatchMethods.get.answer.encode({
      blobs: blobs.map((it) => (it === undefined ? {} : { contents: it })),
    });

  async function open(answers: readonly (readonly [AnyMethod, Answer])[]) {
    const blobs = await openGrpcBlobs(await lyingServer(answers));
    cleanups.push(() => void blobs[Symbol.asyncDispose]());
    const { batch, trusting } = blobs;
    if (batch === undefined || trusting === undefined) throw new Error('these blobs have batches');
    return { blobs, batch, trusting };
  }

  /** What is given out until it fails. */
  async function read(answer: Answer) {
    const { batch } = await open([[blobBatchMethods.get, answer]]);
    const given: (Uint8Array | undefined)[] = [];
    try {
      for await (const bytes of batch.readAll(digests, maxBytes)) given.push(bytes);
    } catch (error) {
      return { given, error };
    }
    return { given, error: undefined };
  }

  test.each<[string, Uint8Array[]]>([
    ['in one message', [got(small)]],
    ['in several', [got(small.slice(0, 1)), got([]), got(small.slice(1))]],
  ])('an honest answer is taken %s', async (_, messages) => {
    expect(await read({ messages })).toEqual({ given: small, error: undefined });
  });

  test('one that is left out', async () => {
    const answer = { messages: [got([small[0], undefined, small[2]])] };
    expect((await read(answer)).given).toEqual([small[0], undefined, small[2]]);
  });

  const manyNothings = Array.from({ length: maxBatchBlobs + 2 }, () => undefined);

  test.each<[string, Answer, string, number]>([
    ['other bytes', { messages: [got([small[0], small[2]])] }, 'corrupt', 1],
    ['another order', { messages: [got(small.toReversed())] }, 'corrupt', 0],
    ['a longer blob', { messages: [got([contents.slice(0, 101)])] }, 'corrupt', 0],
    ['too few', { messages: [got(small.slice(0, 2))] }, 'corrupt', 2],
    ['none', { messages: [] }, 'corrupt', 0],
    ['too many', { messages: [got([...small, small[0]])] }, 'corrupt', 3],
    ['what is no message', { messages: [got(small), Uint8Array.of(0x0a, 0x7f, 1)] }, 'corrupt', 3],
    ['a message that is too large', { messages: [got([contents, contents])] }, 'corrupt', 0],
    ['a message of very many', { messages: [got(manyNothings)] }, 'corrupt', 0],
    ['an end by a failure', { messages: [got(small)], status: grpc.status.INTERNAL }, 'io', 3],
    [
      'the end of the service',
      { messages: [got(small)], status: grpc.status.UNIMPLEMENTED },
      'unsupported',
      3,
    ],
  ])('%s', async (_, answer, code, trueOnes) => {
    const { given, error } = await read(answer);
    expect(error).toMatchObject({ name: 'CastoreError', code });
    expect(given).toEqual(small.slice(0, trueOnes));
  });

  test.each<[string, Uint8Array[]]>([
    ['other digests', [digests[0], digests[2], digests[1]].map((it) => it?.bytes ?? new Uint8Array())],
    ['too few digests', digests.slice(1).map(({ bytes }) => bytes)],
    ['too many digests', [...digests, digest].map(({ bytes }) => bytes)],
    ['a digest that is none', [...digests.slice(1).map(({ bytes }) => bytes), new Uint8Array(31)]],
  ])('%s for what was put', async (_, lie) => {
    const messages = [blobBatchMethods.put.answer.encode({ digests: lie })];
    const { batch, trusting } = await open([[blobBatchMethods.put, { messages }]]);
    await expect(batch.putAll(small)).rejects.toMatchObject({ name: 'CastoreError' });
    const hashed = small.map((bytes, i) => ({ bytes, digest: digests[i] ?? digest }));
    await expect(trusting.putAll(hashed)).rejects.toMatchObject({ name: 'CastoreError' });
  });

  test('another number of answers', async () => {
    const messages = [blobBatchMethods.has.answer.encode({ found: [true, true] })];
    const { batch } = await open([[blobBatchMethods.has, { messages }]]);
    await expect(batch.hasAll(digests)).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('another digest for one that is streamed than the caller knows', async () => {
    const messages = [blobMethods.put.answer.encode({ digest: new Uint8Array(32) })];
    const { trusting } = await open([[blobMethods.put, { messages }]]);
    await using writer = await trusting.create();
    await writer.write(small[0] ?? contents);
    await expect(writer.close(digests[0] ?? digest)).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('a server that has no batches, and lies', async () => {
    const { batch } = await open([
      [blobMethods.stat, stat([[digests[0]?.bytes ?? new Uint8Array(), 100]])],
      [blobMethods.read, { messages: messagesOf([new Uint8Array(100)]) }],
      [blobMethods.put, { messages: [blobMethods.put.answer.encode({ digest: new Uint8Array(32) })] }],
    ]);
    await expect(batch.readAll(digests, maxBytes)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'corrupt',
    });
    await expect(batch.putAll(small)).rejects.toMatchObject({ code: 'corrupt' });
    expect(await batch.hasAll(digests)).toEqual([true, true, true]);
  });
});

describe('directories', () => {
  const leaf = Directory.of([
    { name: pathComponent('f'), node: { kind: 'file', digest, size: 1, executable: false } },
  ]);
  const root = Directory.of([{ name: pathComponent('leaf'), node: leaf.node }]);
  const other = Directory.of([{ name: pathComponent('other'), node: leaf.node }]);

  async function open(answer: Answer) {
    const directories = await openGrpcDirectories(await lyingServer([[directoryMethods.get, answer]]));
    cleanups.push(() => void directories[Symbol.asyncDispose]());
    return directories;
  }

  async function closure(answer: Answer): Promise<number> {
    let count = 0;
    for await (const _ of (await open(answer)).closure(root.digest)) count++;
    return count;
  }

  test('an honest answer is taken', async () => {
    expect(await closure({ messages: [root.encoded, leaf.encoded] })).toBe(2);
    const directories = await open({ messages: [root.encoded] });
    expect((await directories.get(root.digest))?.digest.equals(root.digest)).toBe(true);
  });

  test.each<[string, Uint8Array[]]>([
    ['another one', [other.encoded]],
    ['no directory', [Uint8Array.of(1, 2, 3)]],
    ['one too many', [root.encoded, other.encoded]],
  ])('one, and there comes %s', async (_, messages) => {
    const directories = await open({ messages });
    await expect(directories.get(root.digest)).rejects.toMatchObject({ code: 'corrupt' });
  });

  test.each<[string, Uint8Array[]]>([
    ['another root', [other.encoded, leaf.encoded]],
    ['no root', [leaf.encoded]],
    ['half of it', [root.encoded]],
    ['one that nobody refers to', [root.encoded, leaf.encoded, other.encoded]],
    ['one twice', [root.encoded, leaf.encoded, leaf.encoded]],
    ['what is no directory', [root.encoded, Uint8Array.of(9, 9)]],
  ])('a closure, and there comes %s', async (_, messages) => {
    await expect(closure({ messages })).rejects.toMatchObject({ code: 'invalid-directory' });
  });

  test('a closure that breaks off', async () => {
    const answer = { messages: [root.encoded], status: grpc.status.INTERNAL };
    await expect(closure(answer)).rejects.toMatchObject({ code: 'io' });
  });
});

describe('path infos', () => {
  const asked = samplePathInfo('asked');

  async function get(messages: Uint8Array[]) {
    const pathInfos = await openGrpcPathInfos(
      await lyingServer([
        [pathInfoMethods.get, { messages }],
        [pathInfoMethods.put, { messages }],
      ]),
    );
    cleanups.push(() => void pathInfos[Symbol.asyncDispose]());
    return pathInfos;
  }

  test('an honest answer is taken', async () => {
    const pathInfos = await get([encodePathInfo(asked)]);
    expect((await pathInfos.get(asked.storePath.hashPart))?.storePath).toEqual(asked.storePath);
  });

  test('another path', async () => {
    const pathInfos = await get([encodePathInfo(samplePathInfo('other'))]);
    await expect(pathInfos.get(asked.storePath.hashPart)).rejects.toMatchObject({ code: 'corrupt' });
    await expect(pathInfos.has(asked.storePath.hashPart)).rejects.toMatchObject({ code: 'corrupt' });
    await expect(pathInfos.put(asked)).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('what is no path info', async () => {
    const pathInfos = await get([Uint8Array.of(0x0a, 0)]);
    await expect(pathInfos.get(asked.storePath.hashPart)).rejects.toMatchObject({ name: 'StoreError' });
  });
});
