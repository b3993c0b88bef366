/** The server as others see it: names, health, reflection, statuses, what it says of its failures, uploads that break off. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileRegistry, create, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import {
  B3Digest,
  CastoreError,
  Directory,
  encodeEntry,
  hashBlake3,
  memoryBlobs,
  memoryDirectories,
} from '@neve/castore';
import type { BlobService } from '@neve/castore';
import { memoryPathInfos } from '@neve/store';
import { afterEach, describe, expect, test } from 'vitest';
import { BlobChunkBuffer } from '../blob-chunk.ts';
import { HealthCheckResponse_ServingStatus as Status } from '../generated/grpc/health/v1/health_pb.ts';
import { healthMethods } from '../health-handlers.ts';
import type { AnyCodec, Method } from '../method.ts';
import { reflectionMethod } from '../reflection-handlers.ts';
import { blobMethods, directoryMethods, pathInfoMethods } from '../services.ts';
import { tvixName } from '../tvix-names.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { loadGrpc, toBuffer } from './load-grpc.ts';
import { openGrpcBlobs, serveGrpc } from './index.ts';
import type { GrpcServer, ServeOptions, ServedServices } from './index.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'neve-server-'));
  cleanups.push(() => rmSync(made, { recursive: true }));
  return made;
}

async function start(
  services: ServedServices = {},
  options: Partial<ServeOptions> = {},
): Promise<GrpcServer> {
  const all = {
    blobs: memoryBlobs(),
    directories: memoryDirectories(),
    pathInfos: memoryPathInfos(),
    ...services,
  };
  const server = await serveGrpc(all, { listen: '127.0.0.1:0', graceMs: 500, ...options });
  cleanups.push(() => server[Symbol.asyncDispose]());
  return server;
}

async function channelTo(url: string, options = {}): Promise<GrpcChannel> {
  const channel = await GrpcChannel.open(url, options);
  cleanups.push(() => channel[Symbol.asyncDispose]());
  return channel;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

function inTvix<Q extends AnyCodec, A extends AnyCodec>(method: Method<Q, A>): Method<Q, A> {
  return { ...method, service: tvixName(method.service) };
}

test('both names answer', async () => {
  const channel = await channelTo((await start()).url);
  for (const method of [blobMethods.put, inTvix(blobMethods.put)]) {
    const upload = channel.upload(method);
    const message = new BlobChunkBuffer(5);
    message.append(Uint8Array.of(1, 2, 3, 4, 5));
    await upload.write(message.finish());
    const { digest } = await upload.finish();
    expect(digest).toEqual(hashBlake3(Uint8Array.of(1, 2, 3, 4, 5)));
  }
  const digest = hashBlake3(Uint8Array.of(1, 2, 3, 4, 5));
  const stat = await channel.unary(inTvix(blobMethods.stat), { digest, sendChunks: true });
  expect(stat.chunks).toMatchObject([{ digest, size: 5n }]);
});

describe('statuses', () => {
  const empty = new Uint8Array();
  const digest = new Uint8Array(32);

  test.each([
    [
      'a short digest',
      'invalid-argument',
      (it: GrpcChannel) => it.unary(blobMethods.stat, { digest: empty }),
    ],
    ['no such blob', 'not-found', (it: GrpcChannel) => it.unary(blobMethods.stat, { digest })],
    [
      'no such blob to read',
      'not-found',
      (it: GrpcChannel) => collect(it.download(blobMethods.read, { digest })),
    ],
    [
      'a directory by nothing',
      'invalid-argument',
      (it: GrpcChannel) => collect(it.download(directoryMethods.get, {})),
    ],
    [
      'no such directory',
      'not-found',
      (it: GrpcChannel) =>
        collect(it.download(directoryMethods.get, { byWhat: { case: 'digest', value: digest } })),
    ],
    ['a path info by nothing', 'unimplemented', (it: GrpcChannel) => it.unary(pathInfoMethods.get, {})],
    [
      'a short output hash',
      'invalid-argument',
      (it: GrpcChannel) =>
        it.unary(pathInfoMethods.get, { byWhat: { case: 'byOutputHash', value: new Uint8Array(19) } }),
    ],
    [
      'no such path info',
      'not-found',
      (it: GrpcChannel) =>
        it.unary(pathInfoMethods.get, { byWhat: { case: 'byOutputHash', value: new Uint8Array(20) } }),
    ],
    ['an invalid path info', 'invalid-argument', (it: GrpcChannel) => it.unary(pathInfoMethods.put, empty)],
    ['no node', 'invalid-argument', (it: GrpcChannel) => it.unary(pathInfoMethods.calculateNar, empty)],
    [
      'a node with a name',
      'invalid-argument',
      (it: GrpcChannel) =>
        it.unary(pathInfoMethods.calculateNar, encodeEntry(Directory.of([]).node, Uint8Array.of(0x61))),
    ],
    [
      'what is no message',
      'invalid-argument',
      (it: GrpcChannel) =>
        it.unary({ ...blobMethods.stat, request: pathInfoMethods.put.request }, Uint8Array.of(0x0a, 9)),
    ],
  ])('%s: %s', async (_, code, call) => {
    await expect(call(await channelTo((await start()).url))).rejects.toMatchObject({ code });
  });

  test('a closure that is not found is an empty stream', async () => {
    const channel = await channelTo((await start()).url);
    const request = { byWhat: { case: 'digest', value: digest }, recursive: true } as const;
    expect(await collect(channel.download(directoryMethods.get, request))).toEqual([]);
  });
});

test('a failure of the server is reported here and concealed there', async () => {
  const secret = '/var/lib/secret/blobs/ab/cd';
  const reported: unknown[] = [];
  const failing: BlobService = {
    ...memoryBlobs(),
    chunks: () => Promise.reject(new CastoreError('io', `cannot read ${secret}`)),
    open: () => Promise.reject(new TypeError(`bug at ${secret}`)),
  };
  const { url } = await start({ blobs: failing }, { onError: (error) => reported.push(error) });
  const channel = await channelTo(url);
  const digest = new Uint8Array(32);
  for (const call of [
    () => channel.unary(blobMethods.stat, { digest }),
    () => collect(channel.download(blobMethods.read, { digest })),
  ]) {
    const error = await call().then(
      () => undefined,
      (it: unknown) => it,
    );
    expect(error).toMatchObject({ code: 'internal' });
    expect((error as Error).message).not.toContain('secret');
  }
  expect(reported).toHaveLength(2);
});

describe('an upload that breaks off leaves nothing', () => {
  const contents = new Uint8Array(2_000_000).fill(1);

  test.each(['disposed of', 'aborted', 'disconnected'])('%s', async (how) => {
    for (let round = 0; round < 10; round++) {
      const blobs = memoryBlobs();
      const { url } = await start({ blobs });
      const proxy = await severable(url);
      const client = await openGrpcBlobs(proxy.url);
      const controller = new AbortController();
      const writer = await client.create(controller.signal);
      await writer.write(contents);
      await pause(round * 2);
      if (how === 'aborted') controller.abort(new Error('enough'));
      else if (how === 'disconnected') proxy.sever();
      await writer[Symbol.asyncDispose]();
      await pause(30);
      expect(await collect(blobs.inventory?.list() ?? nothing())).toEqual([]);
      await client[Symbol.asyncDispose]();
    }
  });

  async function* nothing(): AsyncGenerator<never> {
    // Nothing comes.
  }
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** A way to a server that can be cut as a network is. */
async function severable(url: string): Promise<{ url: string; sever: () => void }> {
  const sockets: Socket[] = [];
  const port = Number(url.slice(url.lastIndexOf(':') + 1));
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far).pipe(near);
    sockets.push(near, far);
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  cleanups.push(() => proxy.close());
  const { port: own } = proxy.address() as { port: number };
  return { url: `grpc+http://127.0.0.1:${own}`, sever: () => sockets.forEach((it) => it.destroy()) };
}

describe('health', () => {
  test('the services are serving', async () => {
    const channel = await channelTo((await start()).url);
    for (const service of [
      '',
      'snix.castore.v1.BlobService',
      'tvix.store.v1.PathInfoService',
      'neve.castore.v1.BlobBatchService',
    ]) {
      expect(await channel.unary(healthMethods.check, { service })).toMatchObject({ status: Status.SERVING });
    }
    await expect(channel.unary(healthMethods.check, { service: 'x' })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('who watches is told of the end', async () => {
    const server = await start();
    const channel = await channelTo(server.url);
    const watched: Status[] = [];
    for await (const { status } of channel.download(healthMethods.watch, { service: '' })) {
      watched.push(status);
      if (status === Status.SERVING) void server[Symbol.asyncDispose]();
    }
    expect(watched).toEqual([Status.SERVING, Status.NOT_SERVING]);
  });

  test('an unknown service is unknown for who watches', async () => {
    const channel = await channelTo((await start()).url);
    for await (const { status } of channel.download(healthMethods.watch, { service: 'x' })) {
      expect(status).toBe(Status.SERVICE_UNKNOWN);
      break;
    }
  });
});

test('calls that are under way end before the server does', async () => {
  let release = (): void => undefined;
  const blocked = new Promise<void>((resolve) => {
    release = resolve;
  });
  const inner = memoryBlobs();
  const digest = await inner.put(Uint8Array.of(1));
  const blobs: BlobService = {
    ...inner,
    chunks: async (it) => {
      await blocked;
      return inner.chunks(it);
    },
  };
  const server = await start({ blobs }, { graceMs: 5000 });
  const channel = await channelTo(server.url);
  const answer = channel.unary(blobMethods.stat, { digest: digest.bytes });
  await new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
  const ended = server[Symbol.asyncDispose]();
  release();
  expect(await answer).toMatchObject({ chunks: [] });
  await ended;
});

test.each(['v1', 'v1alpha'])('reflection %s tells a schema that is complete', async (version) => {
  const { url } = await start();
  const service = `grpc.reflection.${version}.ServerReflection`;
  const files = new Map<string, Uint8Array>();
  const names = await reflect(url, service, { case: 'listServices', value: '' });
  if (names?.case !== 'listServicesResponse') throw new Error('no list of services');
  expect(names.value.service.map(({ name }) => name)).toContain('tvix.store.v1.PathInfoService');
  for (const { name } of names.value.service) {
    const found = await reflect(url, service, { case: 'fileContainingSymbol', value: name });
    if (found?.case !== 'fileDescriptorResponse') throw new Error(`no file for ${name}`);
    for (const bytes of found.value.fileDescriptorProto) {
      files.set(fromBinary(FileDescriptorProtoSchema, bytes).name, bytes);
    }
  }
  const file = [...files.values()].map((it) => fromBinary(FileDescriptorProtoSchema, it));
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: sortByImports(file) }));
  expect(registry.getService('tvix.castore.v1.DirectoryService')?.method['get']?.output.typeName).toBe(
    'tvix.castore.v1.Directory',
  );
  expect(registry.getMessage('tvix.store.v1.PathInfo')?.field['node']?.message?.typeName).toBe(
    'tvix.castore.v1.Node',
  );
  expect(registry.getMessage('snix.store.v1.PathInfo')?.field['entry']?.number).toBe(1);
  const missing = await reflect(url, service, { case: 'fileByFilename', value: 'nothing.proto' });
  expect(missing).toMatchObject({ case: 'errorResponse', value: { errorCode: 5 } });
});

type FileDescriptor = ReturnType<typeof fromBinary<typeof FileDescriptorProtoSchema>>;

function sortByImports(files: readonly FileDescriptor[]): FileDescriptor[] {
  const sorted = new Set<FileDescriptor>();
  const visit = (file: FileDescriptor | undefined): void => {
    if (file === undefined || sorted.has(file)) return;
    for (const name of file.dependency) visit(files.find((it) => it.name === name));
    sorted.add(file);
  };
  files.forEach(visit);
  return [...sorted];
}

async function reflect(
  url: string,
  service: string,
  messageRequest: { case: 'listServices' | 'fileContainingSymbol' | 'fileByFilename'; value: string },
) {
  const grpc = await loadGrpc();
  const client = new grpc.Client(url.replace('grpc+http://', ''), grpc.credentials.createInsecure());
  const same = (it: Buffer): Buffer => it;
  const method = reflectionMethod(service);
  const call = client.makeBidiStreamRequest<Buffer, Buffer>(`/${service}/ServerReflectionInfo`, same, same);
  call.write(toBuffer(method.request.encode({ messageRequest })));
  call.end();
  const [answer] = await collect<Buffer>(call);
  client.close();
  if (answer === undefined) throw new Error('no answer');
  return method.answer.decode(answer).messageResponse;
}

describe('transports', () => {
  test('TLS, with a certificate of the client too', async () => {
    const at = folder();
    const run = (...words: string[]): void =>
      void execFileSync('openssl', words, { cwd: at, stdio: 'ignore' });
    run(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'key',
      '-out',
      'cert',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
    );
    const pem = {
      cert: readFileSync(join(at, 'cert')),
      key: readFileSync(join(at, 'key')),
      ca: readFileSync(join(at, 'cert')),
    };
    const { url } = await start({}, { tls: pem });
    expect(url).toMatch(/^grpc\+https:/);
    const blobs = await openGrpcBlobs(url, { tls: pem });
    await blobs.put(Uint8Array.of(1));
    await blobs[Symbol.asyncDispose]();
    const stranger = await openGrpcBlobs(url, { tls: { ca: pem.ca } });
    await expect(stranger.put(Uint8Array.of(1))).rejects.toMatchObject({ code: 'io' });
    await stranger[Symbol.asyncDispose]();
  });

  test('a socket that nobody listens to any more is replaced, a used one is not', async () => {
    const path = join(folder(), 'socket');
    const crashed = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', crashed], { stdio: 'ignore' })).toThrow();
    await start({}, { listen: `unix:${path}` });
    await expect(serveGrpc({}, { listen: `unix:${path}` })).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('a file is not taken for a socket', async () => {
    const path = join(folder(), 'file');
    writeFileSync(path, 'contents');
    await expect(serveGrpc({}, { listen: `unix:${path}` })).rejects.toMatchObject({ code: 'unavailable' });
    expect(readFileSync(path, 'utf8')).toBe('contents');
  });

  test('wait-connect=1 wants a server', async () => {
    const free = createServer().listen(0);
    const { port } = free.address() as { port: number };
    free.close();
    const url = `grpc+http://127.0.0.1:${port}`;
    await expect(openGrpcBlobs(`${url}?wait-connect=1`, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    const lazy = await openGrpcBlobs(url);
    await expect(lazy.has(new B3Digest(new Uint8Array(32)))).rejects.toMatchObject({ code: 'io' });
    await lazy[Symbol.asyncDispose]();
  });

  test('a call goes on when the server comes back', async () => {
    const path = join(folder(), 'socket');
    const blobs = memoryBlobs();
    const digest = await blobs.put(Uint8Array.of(1));
    const first = await start({ blobs }, { listen: `unix:${path}` });
    const client = await openGrpcBlobs(first.url);
    expect(await client.has(digest)).toBe(true);
    await first[Symbol.asyncDispose]();
    const asked = client.has(digest);
    await start({ blobs }, { listen: `unix:${path}` });
    expect(await asked).toBe(true);
    await client[Symbol.asyncDispose]();
  });

  test('an aborted signal ends a call with its reason', async () => {
    const hanging: BlobService = { ...memoryBlobs(), chunks: () => new Promise(() => undefined) };
    const { url } = await start({ blobs: hanging });
    const client = await openGrpcBlobs(url);
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 50);
    await expect(client.has(new B3Digest(new Uint8Array(32)), controller.signal)).rejects.toBe(reason);
    await client[Symbol.asyncDispose]();
  });

  test('a slow answer to one call is too slow', async () => {
    const hanging: BlobService = { ...memoryBlobs(), chunks: () => new Promise(() => undefined) };
    const { url } = await start({ blobs: hanging });
    const client = await openGrpcBlobs(url, { timeoutMs: 100 });
    await expect(client.has(new B3Digest(new Uint8Array(32)))).rejects.toMatchObject({ code: 'io' });
    await client[Symbol.asyncDispose]();
  });
});
