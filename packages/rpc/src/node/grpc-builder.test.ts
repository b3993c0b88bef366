/**
 * Building over gRPC where it differs from building here: failures, cancellation, what a server does not allow, and servers
 * that have only what Snix has.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BuildError,
  type BuildErrorCode,
  type BuildRequest,
  type BuildService,
  buildKind,
  dummyBuilder,
} from '@neve/build';
import { localBuilder } from '@neve/build/node';
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import {
  type Node,
  blobKind,
  directoryKind,
  memoryBlobs,
  memoryDirectories,
  symlinkTarget,
} from '@neve/castore';
import { registerCastoreServices } from '@neve/castore/node';
import { Composition, Registry, composeFromUrls } from '@neve/compose';
import type { Castore } from '@neve/store';
import { afterEach, describe, expect, test } from 'vitest';
import { buildHandlers } from '../build-handlers.ts';
import { buildMethods, buildServiceName, streamBuildMethods } from '../build-methods.ts';
import { writeBuildRequest } from '../build-messages.ts';
import { answer } from '../handler.ts';
import { pathOf } from '../method.ts';
import { remoteBuilder } from '../remote-builder.ts';
import { RpcError } from '../rpc-error.ts';
import { tvixName } from '../tvix-names.ts';
import { GrpcChannel } from './grpc-channel.ts';
import { implement } from './implement-handler.ts';
import { openGrpcBuilder, openRemoteBuilder, registerRpcServices, serveGrpc } from './index.ts';
import type { ServedServices } from './index.ts';
import { loadGrpc } from './load-grpc.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'neve-rpc-'));
  cleanups.push(() => rmSync(made, { recursive: true }));
  return made;
}

function owned<T extends AsyncDisposable>(it: T): T {
  cleanups.push(() => it[Symbol.asyncDispose]());
  return it;
}

function newCastore(): Castore {
  return { blobs: memoryBlobs(), directories: memoryDirectories() };
}

type Served = { readonly url: string; readonly reported: readonly unknown[] };

async function serve(services: ServedServices): Promise<Served> {
  const reported: unknown[] = [];
  const options = { listen: '127.0.0.1:0', graceMs: 500, onError: (it: unknown) => reported.push(it) };
  return { url: owned(await serveGrpc(services, options)).url, reported };
}

/** A server as Snix's: one call, and nothing of ours. */
async function servePlainly(builder: BuildService): Promise<string> {
  const grpc = await loadGrpc();
  const server = new grpc.Server();
  const handler = buildHandlers(builder).find(({ method }) => method.service === buildServiceName);
  if (handler === undefined) throw new Error('there is no plain service');
  const same = (it: Buffer): Buffer => it;
  const definition = {
    path: pathOf(handler.method),
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  server.addService({ DoBuild: definition }, { DoBuild: implement(handler, () => undefined) });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, it) =>
      error === null ? resolve(it) : reject(error),
    );
  });
  cleanups.push(() => server.forceShutdown());
  return `grpc+http://127.0.0.1:${port}`;
}

/** A builder in which whatever is asked for comes to this. */
function builderThat(build: BuildService['build']): BuildService {
  return { ...dummyBuilder(), build };
}

function request(script: string, change: Partial<BuildRequest> = {}): BuildRequest {
  return {
    inputs: new Map(),
    inputsDirectory: 'nix/store',
    command: ['/bin/sh', '-c', script],
    workingDirectory: 'build',
    scratchPaths: ['build', 'nix/store'],
    outputs: ['nix/store/out'],
    environment: new Map(),
    files: new Map(),
    needles: [],
    limits: {},
    ...change,
    constraints: {
      system: process.arch === 'arm64' ? 'aarch64-linux' : 'x86_64-linux',
      minMemoryBytes: 0,
      readOnlyPaths: [],
      hostPaths: [],
      network: false,
      binSh: true,
      userRange: false,
      isolation: 'full',
      ...change.constraints,
    },
  };
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('failures', () => {
  const told: readonly BuildError[] = [
    new BuildError('invalid-request', 'one'),
    new BuildError('failed', 'the build failed with exit code 7', { status: { code: 7 } }),
    new BuildError('failed', 'a signal', { status: { signal: 'SIGSEGV' } }),
    new BuildError('output-missing', 'two\nlines'),
    new BuildError('invalid-output', 'three'),
    new BuildError('timeout', 'four'),
    new BuildError('silent', 'five'),
    new BuildError('limit-exceeded', 'six'),
    new BuildError('unsupported', 'seven'),
    new BuildError('no-sandbox', 'eight'),
  ];

  test.each(told.map((error) => ({ code: error.code, error })))('$code survives', async ({ error }) => {
    const { url, reported } = await serve({
      builder: builderThat(async () => {
        throw error;
      }),
    });
    const builder = owned(await openGrpcBuilder(url));
    const failure = await failureOf(builder.build(request('')));
    expect(failure).toBeInstanceOf(BuildError);
    const { code, message, status } = failure as BuildError;
    expect({ code, message, status }).toEqual({
      code: error.code,
      message: error.message,
      status: error.status,
    });
    expect(reported).toEqual([]);
  });

  test.each([
    ['a failure of the builder', new BuildError('io', 'cannot write to /secret/place')],
    ['a bug', new TypeError('/secret/place is undefined')],
  ])('%s is reported there and concealed here', async (_, error) => {
    const { url, reported } = await serve({
      builder: builderThat(async () => {
        throw error;
      }),
    });
    const builder = owned(await openGrpcBuilder(url));
    const failure = await failureOf(builder.build(request('')));
    expect(failure).toMatchObject({ name: 'BuildError', code: 'io' });
    expect((failure as Error).message).not.toContain('secret');
    expect(reported).toEqual([error]);
  });

  test('what a terminal would heed does not come', async () => {
    const { url } = await serve({
      builder: builderThat(async () => {
        throw new BuildError('failed', 'a \u001b[31mred\u0007 word');
      }),
    });
    const builder = owned(await openGrpcBuilder(url));
    await expect(builder.build(request(''))).rejects.toThrow('a  [31mred  word');
  });

  test('a server that is not there', async () => {
    const builder = owned(await openGrpcBuilder(`grpc+unix:${join(folder(), 'nobody')}`));
    await expect(builder.build(request(''))).rejects.toMatchObject({ name: 'BuildError', code: 'io' });
    await expect(builder.systems()).rejects.toMatchObject({ name: 'BuildError', code: 'io' });
  });

  test('an invalid request is not even sent', async () => {
    const builder = owned(await openGrpcBuilder(`grpc+unix:${join(folder(), 'nobody')}`));
    await expect(builder.build(request('', { outputs: ['/x'] }))).rejects.toMatchObject({
      code: 'invalid-request',
    });
  });
});

describe('the end of a call', () => {
  const marker = `neve-cancelled-${process.pid}-${Math.random().toString(36).slice(2)}`;

  function isRunning(): boolean {
    return readdirSync('/proc').some((pid) => {
      if (!/^\d+$/.test(pid)) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(marker);
      } catch {
        return false;
      }
    });
  }

  async function waitUntil(condition: () => boolean): Promise<void> {
    const deadline = performance.now() + 45_000;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error('it did not happen within 45 seconds');
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
  }

  test.each(['aborted', 'the client is disposed of', 'the server ends'])(
    '%s: nothing is left',
    async (how) => {
      const [castore, path] = [newCastore(), folder()];
      const local = owned(await localBuilder({ ...castore, folder: path, sandbox: 'unshare' }));
      const server = await serveGrpc({ builder: local }, { listen: '127.0.0.1:0', graceMs: 100 });
      owned(server);
      const builder = owned(await openGrpcBuilder(server.url));
      const controller = new AbortController();
      const reason = new Error('enough');
      const log: string[] = [];
      // With processes below it, one of them in a session of its own.
      const script = `: ${marker}; (setsid sh -c ': ${marker}; sleep 1000; :' &); sleep 1000 & echo runs; sleep 1000; :`;
      const building = failureOf(
        builder.build(request(script), {
          onLog: (bytes) => log.push(decodeUtf8(bytes)),
          signal: controller.signal,
        }),
      );
      await waitUntil(() => log.join('').includes('runs'));
      expect(isRunning()).toBe(true);
      if (how === 'aborted') controller.abort(reason);
      else if (how === 'the server ends') await server[Symbol.asyncDispose]();
      else await builder[Symbol.asyncDispose]();
      const failure = await building;
      if (how === 'aborted') expect(failure).toBe(reason);
      else expect(failure).toMatchObject({ name: 'BuildError', code: 'io' });
      await waitUntil(() => !isRunning() && readdirSync(join(path, 'builds')).length === 0);
    },
  );

  test('a plain call as well', async () => {
    const [castore, path] = [newCastore(), folder()];
    const local = owned(await localBuilder({ ...castore, folder: path, sandbox: 'unshare' }));
    const builder = owned(await openGrpcBuilder(await servePlainly(local)));
    const limits = { timeMs: 2500 };
    const building = failureOf(builder.build(request(`: ${marker}; sleep 1000; :`, { limits })));
    await waitUntil(isRunning);
    expect(await building).toMatchObject({ name: 'BuildError', code: 'timeout' });
    await waitUntil(() => !isRunning() && readdirSync(join(path, 'builds')).length === 0);
  });

  test('whoever waits for others to end can leave', async () => {
    let [running, ended] = [0, 0];
    const hanging = builderThat(async (_, { signal } = {}) => {
      running++;
      await new Promise((resolve) => signal?.addEventListener('abort', resolve));
      ended++;
      throw signal?.reason;
    });
    const { url } = await serve({ builder: hanging, buildPolicy: { maxBuilds: 1 } });
    const builder = owned(await openGrpcBuilder(url));
    const controllers = [new AbortController(), new AbortController(), new AbortController()];
    const builds = controllers.map(({ signal }) => failureOf(builder.build(request(''), { signal })));
    await waitUntil(() => running === 1);
    controllers[1]?.abort(new Error('second'));
    expect(await builds[1]).toMatchObject({ message: 'second' });
    expect(running).toBe(1);
    controllers[0]?.abort(new Error('first'));
    await waitUntil(() => ended === 1 && running === 2);
    controllers[2]?.abort(new Error('third'));
    await waitUntil(() => ended === 2);
  });
});

describe('what a server does not allow', () => {
  const seen: BuildRequest[] = [];
  const recording = builderThat(async (it) => {
    seen.push(it);
    return { outputs: it.outputs.map(() => ({ node: link, needles: [] })) };
  });
  const link: Node = { kind: 'symlink', target: symlinkTarget('x') };
  const none = request('').constraints;
  const of = (source: string, optional = false) => ({ target: '/x', source, optional });

  test.each<[string, Partial<BuildRequest['constraints']>, BuildErrorCode | undefined]>([
    ['nothing', {}, undefined],
    ['a path that is read', { readOnlyPaths: ['/etc/shadow'] }, 'unsupported'],
    ['a path that is written', { hostPaths: [of('/etc')] }, 'unsupported'],
    ['no isolation', { isolation: 'none' }, 'unsupported'],
    ['what is allowed', { readOnlyPaths: ['/dev/kvm'], hostPaths: [of('/allowed/below')] }, undefined],
    ['what only begins like it', { hostPaths: [of('/allowed-not')] }, 'unsupported'],
  ])('%s', async (_, change, code) => {
    const buildPolicy = { hostPaths: ['/dev/kvm', '/allowed'] };
    const builder = owned(await openGrpcBuilder((await serve({ builder: recording, buildPolicy })).url));
    const failure = await failureOf(builder.build(request('', { constraints: { ...none, ...change } })));
    if (code === undefined) expect(failure).toBe(undefined);
    else expect(failure).toMatchObject({ name: 'BuildError', code });
  });

  test('an optional path is left out', async () => {
    const builder = owned(await openGrpcBuilder((await serve({ builder: recording })).url));
    const hostPaths = [of('/etc', true), of('/dev/kvm', true)];
    await builder.build(request('', { constraints: { ...none, hostPaths } }));
    expect(seen.at(-1)?.constraints.hostPaths).toEqual([of('/dev/kvm', true)]);
  });
});

describe('a server that has only what Snix has', () => {
  test('it builds, and the second time it is known', async () => {
    const castore = newCastore();
    const local = owned(await localBuilder({ ...castore, folder: folder(), sandbox: 'unshare' }));
    const builder = owned(await openGrpcBuilder(await servePlainly(local)));
    for (const text of ['one', 'two']) {
      const script = `echo is not seen; echo ${text} > /nix/store/out; ln -s x /nix/store/also`;
      const outputs = ['nix/store/out', 'nix/store/also'];
      const log: unknown[] = [];
      const result = await builder.build(request(script, { outputs }), { onLog: (it) => log.push(it) });
      expect(result.outputs.map(({ node }) => node.kind)).toEqual(['file', 'symlink']);
      expect(await contents(castore, result.outputs[0]?.node)).toBe(`${text}\n`);
      expect(log).toEqual([]);
    }
  });

  test('a build that fails fails', async () => {
    const local = owned(await localBuilder({ ...newCastore(), folder: folder(), sandbox: 'unshare' }));
    const builder = owned(await openGrpcBuilder(await servePlainly(local)));
    await expect(builder.build(request('exit 3'))).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining('exit code 3') as unknown,
    });
  });

  test('what Snix says of every failure is a failed build', async () => {
    const method = { ...buildMethods.doBuild };
    const handler = answer(method, async () => {
      throw new RpcError('internal', 'nonzero exit code');
    });
    const grpc = await loadGrpc();
    const server = new grpc.Server();
    const same = (it: Buffer): Buffer => it;
    const codec = { requestSerialize: same, requestDeserialize: same, responseSerialize: same };
    const streams = { requestStream: false, responseStream: false, responseDeserialize: same };
    server.addService(
      { DoBuild: { path: pathOf(method), ...codec, ...streams } },
      { DoBuild: implement(handler, () => undefined) },
    );
    const path = join(folder(), 'socket');
    await new Promise((resolve) => {
      server.bindAsync(`unix:${path}`, grpc.ServerCredentials.createInsecure(), resolve);
    });
    cleanups.push(() => server.forceShutdown());
    const builder = owned(await openGrpcBuilder(`grpc+unix:${path}`));
    await expect(builder.build(request(''))).rejects.toMatchObject({
      name: 'BuildError',
      code: 'failed',
      message: expect.stringContaining('nonzero exit code') as unknown,
    });
  });

  test('what it cannot be asked for is refused, and it does not say its systems', async () => {
    const builder = owned(await openGrpcBuilder(await servePlainly(dummyBuilder())));
    const limits = { silenceMs: 1000 };
    await expect(builder.build(request('', { limits }))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('silence') as unknown,
    });
    await expect(builder.systems()).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('a client of Snix gets statuses from our server', async () => {
    const local = owned(await localBuilder({ ...newCastore(), folder: folder(), sandbox: 'unshare' }));
    const channel = owned(await GrpcChannel.open((await serve({ builder: local })).url));
    const call = (it: BuildRequest) =>
      channel.unary(buildMethods.doBuild, writeBuildRequest(it), { isEndless: true });
    const { outputs } = await call(request('ln -s target /nix/store/out'));
    expect(outputs[0]?.output?.entry.case).toBe('symlink');
    await expect(call(request('exit 1'))).rejects.toMatchObject({ code: 'failed-precondition' });
    await expect(call(request('', { outputs: ['..'] }))).rejects.toMatchObject({ code: 'invalid-argument' });
    const vax = { ...request('').constraints, system: 'vax-netbsd' };
    await expect(call(request('', { constraints: vax }))).rejects.toMatchObject({ code: 'unimplemented' });
    // Tvix answers otherwise.
    const method = { ...buildMethods.doBuild, service: tvixName(buildServiceName) };
    await expect(channel.unary(method, writeBuildRequest(request('')))).rejects.toMatchObject({
      code: 'unimplemented',
    });
    await expect(channel.unary(streamBuildMethods.systems, {})).resolves.toMatchObject({
      systems: [...(await local.systems())],
    });
  });
});

describe('a castore on each side', () => {
  test('inputs go there once, outputs come here', async () => {
    const [here, there] = [newCastore(), newCastore()];
    const asked: string[] = [];
    const has = there.blobs.has.bind(there.blobs);
    there.blobs.has = (digest, signal) => {
      asked.push(digest.key);
      return has(digest, signal);
    };
    const local = owned(await localBuilder({ ...there, folder: folder(), sandbox: 'unshare' }));
    const builder = owned(remoteBuilder({ service: local, remote: there, local: here }));
    const bytes = encodeUtf8('an input\n');
    const digest = await here.blobs.put(bytes);
    const inputs = new Map([
      ['in', { kind: 'file', digest, size: bytes.length, executable: false } as const],
    ]);
    for (const word of ['first', 'second']) {
      const script = `cat /nix/store/in > /nix/store/out; echo ${word} >> /nix/store/out`;
      const { outputs } = await builder.build(request(script, { inputs }));
      expect(await contents(here, outputs[0]?.node)).toBe(`an input\n${word}\n`);
    }
    expect(asked.filter((it) => it === digest.key)).toHaveLength(1);
  });

  test('an input that was lost there is copied again', async () => {
    const [here, there] = [newCastore(), newCastore()];
    const bytes = encodeUtf8('an input\n');
    const digest = await here.blobs.put(bytes);
    let held = new Set<string>();
    const [has, put] = [there.blobs.has.bind(there.blobs), there.blobs.put.bind(there.blobs)];
    there.blobs.has = async (it, signal) => held.has(it.key) && (await has(it, signal));
    there.blobs.put = async (it, signal) => {
      const stored = await put(it, signal);
      held.add(stored.key);
      return stored;
    };
    const service = builderThat(async () => {
      if (held.has(digest.key)) return { outputs: [] };
      throw new BuildError('io', 'an input is missing');
    });
    const builder = owned(remoteBuilder({ service, remote: there, local: here }));
    const inputs = new Map([
      ['in', { kind: 'file', digest, size: bytes.length, executable: false } as const],
    ]);
    const build = () => builder.build(request('', { inputs, outputs: [] }));
    await build();
    held = new Set();
    await expect(build()).rejects.toMatchObject({ code: 'io' });
    await build();
  });

  test('an input that is nowhere', async () => {
    const { url } = await serve({ ...newCastore(), builder: dummyBuilder() });
    const builder = owned(await openRemoteBuilder(url, newCastore()));
    const digest = await newCastore().blobs.put(encodeUtf8('lost'));
    const inputs = new Map([['in', { kind: 'file', digest, size: 4, executable: false } as const]]);
    await expect(builder.build(request('', { inputs }))).rejects.toMatchObject({
      name: 'BuildError',
      code: 'io',
    });
  });

  test('by URL, in a composition', async () => {
    const there = newCastore();
    const local = owned(await localBuilder({ ...there, folder: folder(), sandbox: 'unshare' }));
    const { url } = await serve({ ...there, builder: local });
    const registry = new Registry();
    registerCastoreServices(registry);
    registerRpcServices(registry);
    const urls = { blob: 'memory:', directory: 'memory:', build: `${url}?wait-connect=1` };
    await using composition = new Composition(composeFromUrls(urls, registry));
    const builder = await composition.get(buildKind);
    const { outputs } = await builder.build(request('echo made > /nix/store/out'));
    const blobs = await composition.get(blobKind);
    const directories = await composition.get(directoryKind);
    expect(await contents({ blobs, directories }, outputs[0]?.node)).toBe('made\n');
  });
});

async function contents({ blobs }: Castore, node: Node | undefined): Promise<string> {
  if (node?.kind !== 'file') throw new Error('it is no file');
  await using reader = await blobs.open(node.digest);
  if (reader === undefined) throw new Error('the contents are not there');
  return decodeUtf8(await reader.read(0, node.size));
}
