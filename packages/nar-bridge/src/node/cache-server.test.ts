// The clients are those of Node and undici's sockets by hand: what they read was sent over a real connection.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import type { CacheRequest, CacheResponse, RequestHandler } from '../http-exchange.ts';
import type { ServerEvent } from '../server-event.ts';
import { type CacheServer, type CacheServerOptions, serveCache } from './cache-server.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

type Served = {
  readonly server: CacheServer;
  readonly port: number;
  readonly events: readonly ServerEvent[];
};

async function serve(handler: RequestHandler, options: Partial<CacheServerOptions> = {}): Promise<Served> {
  const events: ServerEvent[] = [];
  const server = await serveCache(handler, {
    listen: ['127.0.0.1:0'],
    graceMs: 200,
    ...options,
    onEvent: (event) => events.push(event),
  });
  cleanups.push(async () => server[Symbol.asyncDispose]());
  return { server, port: Number(server.addresses[0]?.split(':').at(-1)), events };
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'neve-server-'));
  cleanups.push(() => rm(path, { recursive: true }));
  return path;
}

type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
};

function ask(
  options: {
    port?: number;
    socketPath?: string;
    path?: string;
    method?: string;
    headers?: Record<string, string>;
  },
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (piece: string) => (text += piece));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

const text = (body: string): CacheResponse => ({
  status: 200,
  headers: { 'content-length': String(body.length) },
  body: encodeUtf8(body),
});

async function readAll({ body }: CacheRequest): Promise<string> {
  let result = '';
  for await (const piece of body) result += Buffer.from(piece).toString('latin1');
  return result;
}

test('what a request is', async () => {
  let seen: CacheRequest | undefined;
  const { port, events } = await serve(async (request) => {
    seen = request;
    return text(await readAll(request));
  });
  const answer = await ask({ port, method: 'PUT', path: '/a%20b?c=d%26', headers: { 'X-One': '1' } }, 'snow');
  expect(answer).toMatchObject({ status: 200, text: 'snow' });
  expect(seen).toMatchObject({ method: 'PUT', path: '/a%20b', headers: { 'x-one': '1' } });
  expect(seen?.query.get('c')).toBe('d&');
  await sleep(20);
  expect(events.at(-1)).toMatchObject({
    kind: 'request-ended',
    path: '/a%20b',
    receivedBytes: 4,
    sentBytes: 4,
    status: 200,
    isComplete: true,
  });
});

test('pieces may be used again by who made them', async () => {
  const size = 5_000_000;
  const { port } = await serve(async () => ({
    status: 200,
    headers: { 'content-length': String(size) },
    body: (async function* () {
      const piece = new Uint8Array(50_000);
      for (let i = 0; i < size / piece.length; i++) {
        piece.fill(i);
        yield piece;
      }
    })(),
  }));
  const { text: received } = await ask({ port });
  const expected = Buffer.concat(Array.from({ length: 100 }, (_, i) => Buffer.alloc(50_000, i))).toString(
    'latin1',
  );
  expect(received === expected).toBe(true);
});

test('a part of a file', async () => {
  const path = join(await folder(), 'file');
  const contents = Buffer.from(Array.from({ length: 1_500_000 }, (_, i) => (i * 7919) >> 3));
  await writeFile(path, contents);
  const { port } = await serve(async () => ({
    status: 206,
    headers: { 'content-length': '1000000' },
    body: { file: path, start: 400_000, end: 1_400_000 },
  }));
  const { text: received } = await ask({ port });
  expect(received === contents.toString('latin1', 400_000, 1_400_000)).toBe(true);
});

test('HEAD does not begin the body', async () => {
  let begun = false;
  const { port } = await serve(async () => ({
    status: 200,
    headers: { 'content-length': '4' },
    body: (async function* () {
      begun = true;
      yield encodeUtf8('snow');
    })(),
  }));
  expect(await ask({ port, method: 'HEAD' })).toMatchObject({
    status: 200,
    headers: { 'content-length': '4' },
    text: '',
  });
  expect(begun).toBe(false);
});

test('a failure is told with an id and without its reason', async () => {
  const { port, events } = await serve(() => Promise.reject(new Error('secret')));
  const answer = await ask({ port });
  expect(answer.status).toBe(500);
  expect(answer.text).not.toContain('secret');
  const failed = events.find((it) => it.kind === 'request-failed');
  expect(failed?.error).toMatchObject({ message: 'secret' });
  expect(answer.text).toContain(failed?.id ?? 'none');
});

test('a body that fails at once is told, and one that fails later is broken off', async () => {
  const body = async function* (pieces: number): AsyncGenerator<Uint8Array, void, void> {
    for (let i = 0; i < pieces; i++) yield new Uint8Array(1000);
    throw new Error('no more');
  };
  const { port } = await serve(async ({ path }) => ({
    status: 200,
    headers: { 'content-length': '3000' },
    body: body(path === '/late' ? 2 : 0),
  }));
  expect((await ask({ port, path: '/early' })).status).toBe(500);
  await expect(ask({ port, path: '/late' })).rejects.toThrow(/aborted|hang up/);
});

test('a body that is shorter than announced is broken off', async () => {
  const { port } = await serve(async () => ({
    status: 200,
    headers: { 'content-length': '10' },
    body: (async function* () {
      yield new Uint8Array(9);
    })(),
  }));
  await expect(ask({ port })).rejects.toThrow(/aborted|hang up/);
});

test('100-continue is said when the body is read, and not when it is refused', async () => {
  const { port } = await serve(async (request) => {
    if (request.path === '/no') return { status: 405, headers: { 'content-length': '0' } };
    return text(await readAll(request));
  });
  const talk = (path: string): Promise<string> =>
    new Promise((resolve) => {
      let got = '';
      const socket = connect(port, '127.0.0.1');
      socket.setEncoding('latin1');
      socket.on('data', (piece: string) => {
        got += piece;
        if (got.endsWith('100 Continue\r\n\r\n')) socket.write('snow');
        else if (/\r\n\r\n(snow)?$/.test(got)) socket.destroy();
      });
      socket.on('close', () => resolve(got));
      socket.write(`PUT ${path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n`);
    });
  expect(await talk('/yes')).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
  expect(await talk('/no')).toMatch(/^HTTP\/1.1 405/);
});

test('a client that stalls in its body is left, one that waits for the server is not', async () => {
  const { port, events } = await serve(
    async (request) => {
      if (request.path === '/slow-server') {
        await sleep(600);
        return text('late');
      }
      return text(await readAll(request));
    },
    { idleMs: 200 },
  );
  expect((await ask({ port, path: '/slow-server' })).text).toBe('late');
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('error', () => undefined);
  socket.write('PUT /x HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc');
  await closed;
  expect(events).toContainEqual({ kind: 'connection-closed', remote: '127.0.0.1', reason: 'stalled' });
});

test('a client that does not read is left, and its body is ended', async () => {
  let ended = false;
  const { port } = await serve(
    async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        try {
          while (true) yield new Uint8Array(1 << 18);
        } finally {
          ended = true;
        }
      })(),
    }),
    { idleMs: 200 },
  );
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await expect.poll(() => ended, { timeout: 15_000 }).toBe(true);
  socket.destroy();
});

test('a client that does not read is left although it has asked for more, and every body is ended', async () => {
  let open = 0;
  const { port, events } = await serve(
    async () => ({
      status: 200,
      headers: {},
      body: (async function* () {
        open++;
        try {
          while (true) yield new Uint8Array(1 << 18);
        } finally {
          open--;
        }
      })(),
    }),
    { idleMs: 200 },
  );
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(20));
  await expect.poll(() => open).toBe(20);
  await expect.poll(() => open, { timeout: 15_000 }).toBe(0);
  expect(events.filter((it) => it.kind === 'request-ended').length).toBe(20);
  expect(events.filter((it) => it.kind === 'request-failed')).toEqual([]);
  socket.destroy();
});

test('a body that fails because the client has gone is no failure of the server', async () => {
  const { port, events } = await serve(async ({ signal }) => ({
    status: 200,
    headers: {},
    body: (async function* () {
      yield new Uint8Array(1);
      await sleep(10_000, undefined, { signal });
    })(),
  }));
  const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
  socket.once('data', () => socket.destroy());
  await expect.poll(() => events.at(-1)?.kind).toBe('request-ended');
  expect(events.some((it) => it.kind === 'request-failed')).toBe(false);
});

test('a file that is shorter than it should be is no answer', async () => {
  const path = join(await folder(), 'file');
  await writeFile(path, Buffer.alloc(10));
  const { port, events } = await serve(async () => ({
    status: 200,
    headers: { 'content-length': '11' },
    body: { file: path, start: 0, end: 11 },
  }));
  expect((await ask({ port })).status).toBe(500);
  expect(events.some((it) => it.kind === 'request-failed')).toBe(true);
});

test('a large file to a client that reads in bursts, and others beside it', async () => {
  const path = join(await folder(), 'file');
  const contents = Buffer.alloc(24 << 20);
  for (let i = 0; i < contents.length; i += 4) contents.writeUInt32LE(Math.imul(i, 2654435761) >>> 0, i);
  await writeFile(path, contents);
  const { port, events } = await serve(async () => ({
    status: 200,
    headers: { 'content-length': String(contents.length) },
    body: { file: path, start: 0, end: contents.length },
  }));
  const read = (pauseMs: number): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const pieces: Buffer[] = [];
      const request = httpRequest({ host: '127.0.0.1', port, agent: false }, (response) => {
        response.on('error', reject);
        response.on('end', () => resolve(Buffer.concat(pieces)));
        response.on('data', (piece: Buffer) => {
          pieces.push(piece);
          if (pauseMs === 0 || pieces.length % 40 !== 0) return;
          response.pause();
          setTimeout(() => response.resume(), pauseMs);
        });
      });
      request.on('error', reject);
      request.end();
    });
  const all = await Promise.all([read(0), read(5), read(20)]);
  for (const received of all) expect(received.equals(contents)).toBe(true);
  await expect.poll(() => events.filter((it) => it.kind === 'request-ended').length).toBe(3);
  for (const event of events)
    if (event.kind === 'request-ended')
      expect(event).toMatchObject({ sentBytes: contents.length, isComplete: true });
}, 60_000);

test('slow headers and garbage', async () => {
  const { port } = await serve(async () => text('x'), { headersMs: 200 });
  const talk = (sent: string): Promise<string> =>
    new Promise((resolve) => {
      let got = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(sent));
      socket.setEncoding('latin1');
      socket.on('data', (piece: string) => (got += piece));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(got));
    });
  expect(await talk('GET / HTTP/1.1\r\nhost:')).toMatch(/^HTTP\/1.1 408/);
  expect(await talk('\0\x01garbage\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
  expect(await talk(`GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)).toMatch(/^(HTTP\/1.1 431|$)/);
});

test('what is under way ends, nothing new begins', async () => {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { server, port } = await serve(
    async () => {
      await released;
      return text('done');
    },
    { graceMs: 5000 },
  );
  const asked = ask({ port });
  await sleep(50);
  const closing = server[Symbol.asyncDispose]();
  await sleep(50);
  await expect(ask({ port })).rejects.toThrow('ECONNREFUSED');
  release();
  expect(await asked).toMatchObject({ text: 'done', headers: { connection: 'close' } });
  await closing;
});

test('what takes too long to end is aborted', async () => {
  let aborted = false;
  const { server, port } = await serve(
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('aborted'));
        });
      }),
    { graceMs: 100 },
  );
  const asked = ask({ port });
  asked.catch(() => undefined);
  await sleep(50);
  await server[Symbol.asyncDispose]();
  await expect(asked).rejects.toThrow();
  expect(aborted).toBe(true);
});

test('the signal is aborted when the client goes away', async () => {
  let aborted = false;
  const { port } = await serve(
    ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          resolve(text('x'));
        });
      }),
  );
  const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
  await sleep(50);
  socket.destroy();
  await expect.poll(() => aborted).toBe(true);
});

test('a client that goes away in the middle of its body leaves nothing under way', async () => {
  const { server, port, events } = await serve(
    async (request) => {
      await readAll(request).catch(() => undefined);
      return text('x');
    },
    { graceMs: 20_000 },
  );
  const socket = connect(port, '127.0.0.1', () =>
    socket.write('PUT /x HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc'),
  );
  await sleep(50);
  socket.destroy();
  await expect.poll(() => events.some((it) => it.kind === 'request-ended')).toBe(true);
  const startedMs = performance.now();
  await server[Symbol.asyncDispose]();
  expect(performance.now() - startedMs).toBeLessThan(5000);
});

test('a Unix socket with its mode', async () => {
  const path = join(await folder(), 'socket');
  const { server } = await serve(async () => text('one'), { listen: [`unix:${path}`], socketMode: 0o640 });
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  expect((await ask({ socketPath: path })).text).toBe('one');
  expect(server.addresses).toEqual([`unix:${path}`]);
  await expect(serve(async () => text('two'), { listen: [`unix:${path}`] })).rejects.toThrow(
    'another server',
  );
  await server[Symbol.asyncDispose]();
  await expect(stat(path)).rejects.toThrow('ENOENT');
});

test('a Unix socket in place of one that a killed server left', async () => {
  const path = join(await folder(), 'socket');
  execFileSync('python3', [
    '-c',
    `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(path)})`,
  ]);
  await serve(async () => text('one'), { listen: [path] });
  expect((await ask({ socketPath: path })).text).toBe('one');
});

test('more connections than allowed are closed', async () => {
  let asked = 0;
  const { port, events } = await serve(
    async ({ signal }) => {
      asked++;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return text('x');
    },
    { maxConnections: 2 },
  );
  const open = (): ReturnType<typeof connect> => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
    socket.on('error', () => undefined);
    return socket;
  };
  const sockets = [open(), open()];
  await expect.poll(() => asked).toBe(2);
  sockets.push(open(), open(), open());
  await expect.poll(() => events.filter((it) => it.kind === 'connection-closed').length).toBe(3);
  expect(asked).toBe(2);
  for (const socket of sockets) socket.destroy();
});
