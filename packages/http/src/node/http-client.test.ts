// Against a server of node:http that breaks what a network breaks. The rules are those of RFC 9110.
import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { HttpError, type HttpErrorCode } from '../http-error.ts';
import { parseNetrc } from '../netrc.ts';
import { HttpClient, type HttpClientOptions, type HttpResponse } from './http-client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const open: (Server | HttpClient)[] = [];

afterEach(async () => {
  for (const it of open.splice(0).toReversed()) {
    if (it instanceof HttpClient) await it[Symbol.asyncDispose]();
    else await new Promise((done) => it.closeAllConnections() ?? it.close(done));
  }
});

async function serve(
  handler: Handler,
): Promise<{ url: string; server: Server; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  open.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, requests };
}

function client(baseUrl: string, options: Omit<HttpClientOptions, 'baseUrl'> = {}): HttpClient {
  const it = new HttpClient({ baseUrl, retry: { baseDelayMs: 1, maxTimeMs: 5000 }, ...options });
  open.push(it);
  return it;
}

async function read({ body }: HttpResponse): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece.slice());
  return Buffer.concat(pieces);
}

const get = (it: HttpClient, url: string, signal?: AbortSignal) => it.request({ method: 'GET', url }, signal);

async function failure(promise: Promise<unknown>, code: HttpErrorCode = 'unreachable'): Promise<HttpError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(HttpError);
  expect((error as HttpError).code).toBe(code);
  return error as HttpError;
}

test('a file, its status and its absence', async () => {
  const { url, requests } = await serve((request, response) => {
    const isThere = request.url === '/cache/dir/file?x=1';
    response.statusCode = isThere ? 200 : 404;
    response.end(isThere ? 'snow' : 'nothing here');
  });
  const it = client(`${url}/cache?priority=1`, { userAgent: 'test/1' });
  const found = await get(it, 'dir/file?x=1');
  expect([found.status, String(await read(found))]).toEqual([200, 'snow']);
  const missing = await get(it, 'missing');
  await missing.discard();
  expect(missing.status).toBe(404);
  expect(requests[0]?.headers).toMatchObject({ 'user-agent': 'test/1', 'accept-encoding': 'identity' });
});

test('what may work the next time is tried again', async () => {
  const answers = [500, 503, 429, 408, 200];
  const { url, requests } = await serve((_, response) => {
    response.statusCode = answers[requests.length - 1] ?? 200;
    response.end('body');
  });
  const events: number[] = [];
  const it = client(url, { onRetry: ({ attempt }) => events.push(attempt) });
  expect(String(await read(await get(it, 'a')))).toBe('body');
  expect(requests.length).toBe(5);
  expect(events).toEqual([2, 3, 4, 5]);
});

test('a connection that is closed before the answer is tried again', async () => {
  const { url, requests } = await serve((request, response) => {
    if (requests.length < 3) request.socket.destroy();
    else response.end('body');
  });
  expect(String(await read(await get(client(url), 'a')))).toBe('body');
});

test('after the last attempt the error names all of it', async () => {
  const { url, requests } = await serve((_, response) => {
    response.statusCode = 502;
    response.end();
  });
  const it = client(url.replace('//', '//user:hunter2@'), { retry: { maxAttempts: 3, baseDelayMs: 1 } });
  const { message, status } = await failure(get(it, 'a?token=abc'), 'bad-status');
  expect(status).toBe(502);
  expect(message).toMatch(
    /^GET http:\/\/user:\*\*\*@127\.0\.0\.1:\d+\/a\?token=\*\*\*: the server answered 502 Bad Gateway, after 3 attempts; try again later$/,
  );
  expect(requests.length).toBe(3);
});

test.each([501, 505, 511])('%i is not tried again', async (status) => {
  const { url, requests } = await serve((_, response) => {
    response.statusCode = status;
    response.end();
  });
  expect((await get(client(url), 'a')).status).toBe(status);
  expect(requests.length).toBe(1);
});

test('Retry-After is waited for, in seconds', async () => {
  const { url, requests } = await serve((_, response) => {
    if (requests.length > 1) response.end('body');
    else response.writeHead(429, { 'retry-after': '1' }).end();
  });
  const started = performance.now();
  await read(await get(client(url), 'a'));
  expect(performance.now() - started).toBeGreaterThanOrEqual(990);
});

test('Retry-After is waited for, as a date', async () => {
  const { url, requests } = await serve((_, response) => {
    if (requests.length > 1) response.end('body');
    else response.writeHead(503, { 'retry-after': new Date(Date.now() + 2000).toUTCString() }).end();
  });
  const started = performance.now();
  await read(await get(client(url), 'a'));
  // The date has no fraction of a second.
  expect(performance.now() - started).toBeGreaterThanOrEqual(900);
});

test('a server that wants more time than there is ends it at once', async () => {
  const { url, requests } = await serve((_, response) => {
    response.writeHead(503, { 'retry-after': '3600' }).end();
  });
  const started = performance.now();
  await failure(get(client(url), 'a'), 'bad-status');
  expect(performance.now() - started).toBeLessThan(2000);
  expect(requests.length).toBe(1);
});

const bytes = randomBytes(3_000_000);
const sha256 = (it: Uint8Array): string => createHash('sha256').update(it).digest('hex');

type File = {
  /** Each ends one answer after so many bytes. */
  readonly cuts: number[];
  readonly headers?: Record<string, string>;
  readonly ranges?: boolean;
};

/** Sends `bytes`, or the range that is asked for. */
function fileHandler({ cuts, headers = { etag: '"v1"' }, ranges = true }: File): Handler {
  return (request, response) => {
    const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const condition = request.headers['if-range'];
    const isPart = ranges && asked !== null && (condition ?? headers['etag']) === headers['etag'];
    const start = isPart ? Number(asked[1]) : 0;
    const last = isPart && asked[2] !== '' ? Number(asked[2]) : bytes.length - 1;
    const part = bytes.subarray(start, last + 1);
    if (start >= bytes.length) return void response.writeHead(416).end();
    const range = `bytes ${start}-${start + part.length - 1}/${bytes.length}`;
    if (isPart) response.setHeader('content-range', range);
    response.writeHead(isPart ? 206 : 200, { ...headers, 'content-length': part.length });
    const cut = cuts.shift();
    if (cut === undefined) response.end(part);
    else response.write(part.subarray(0, cut), () => response.destroy());
  };
}

test('a body that breaks off is continued where it broke', async () => {
  const { url, requests } = await serve(fileHandler({ cuts: [1_000_000, 500_000, 1] }));
  const body = await read(await get(client(url), 'file'));
  expect(sha256(body)).toBe(sha256(bytes));
  expect(requests.length).toBe(4);
  expect(requests[1]?.headers.range).toMatch(/^bytes=\d+-$/);
  expect(requests[1]?.headers['if-range']).toBe('"v1"');
});

test('at any places', async () => {
  const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(cuts, fc.boolean(), async (cuts, ranges) => {
      const { url } = await serve(fileHandler({ cuts: [...cuts], ranges }));
      const body = await read(await get(client(url), 'file'));
      expect(sha256(body)).toBe(sha256(bytes));
    }),
    { numRuns: 10 },
  );
});

test.each<[string, File]>([
  ['ignores ranges', { cuts: [2_000_000, 2_500_000], ranges: false }],
  ['has a weak name for it', { cuts: [2_000_000], headers: { etag: 'W/"v1"' } }],
  ['has no name for it', { cuts: [2_000_000], headers: {} }],
  ['refuses ranges', { cuts: [2_000_000], headers: { etag: '"v1"', 'accept-ranges': 'none' } }],
])('a server that %s sends all of it again', async (_, file) => {
  const { url, requests } = await serve(fileHandler(file));
  expect(sha256(await read(await get(client(url), 'file')))).toBe(sha256(bytes));
  expect(requests.length).toBeGreaterThan(1);
});

test.each([
  ['from a server that knows ranges', true],
  ['from a server that knows none', false],
])('a part of a file, %s, over a line that breaks', async (_, ranges) => {
  const place = fc.integer({ min: 0, max: bytes.length - 1 });
  const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 3 });
  const headers = fc.constantFrom<Record<string, string>>({ etag: '"v1"' }, {});
  const length = fc.option(fc.integer({ min: 1, max: bytes.length }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(place, length, cuts, headers, async (offset, length, cuts, headers) => {
      const { url } = await serve(fileHandler({ cuts: [...cuts], ranges, headers }));
      const range = length === undefined ? { offset } : { offset, length };
      const response = await client(url).request({ url: 'file', range });
      expect([response.status, response.size]).toEqual([
        ranges && (offset > 0 || length !== undefined) ? 206 : 200,
        bytes.length,
      ]);
      const expected = bytes.subarray(offset, length === undefined ? undefined : offset + length);
      expect(sha256(await read(response))).toBe(sha256(expected));
    }),
    { numRuns: 10 },
  );
});

test('a part that begins after the end', async () => {
  const { url } = await serve(fileHandler({ cuts: [] }));
  const response = await client(url).request({ url: 'file', range: { offset: bytes.length, length: 5 } });
  await response.discard();
  expect(response.status).toBe(416);
});

test('another part than asked for is refused, at the first answer too', async () => {
  const { url } = await serve((_, response) =>
    response.writeHead(206, { 'content-range': 'bytes 0-2/8', 'content-length': 3 }).end('con'),
  );
  const response = await client(url).request({ url: 'file', range: { offset: 2, length: 3 } });
  expect((await failure(read(response), 'bad-answer')).message).toContain('another range');
});

test('a server that sends more than the part is not listened to', async () => {
  const { url } = await serve((_, response) => {
    response.writeHead(206, { 'content-range': `bytes 2-${2 ** 40}/*` });
    response.on('close', () => clearInterval(timer));
    const timer = setInterval(() => response.write('x'.repeat(100_000)), 1);
  });
  const response = await client(url).request({ url: 'file', range: { offset: 2, length: 300_000 } });
  expect(String(await read(response))).toBe('x'.repeat(300_000));
});

test('a file that is known already is not sent again', async () => {
  const { url, requests } = await serve((request, response) => {
    response.setHeader('etag', '"v1"');
    if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end();
    else response.end('snow');
  });
  const it = client(url);
  const first = await it.request({ url: 'a' });
  expect(String(await read(first))).toBe('snow');
  const etag = first.header('etag') ?? '';
  const second = await it.request({ url: 'a', ifNoneMatch: etag });
  await second.discard();
  expect([second.status, requests[1]?.headers['if-none-match']]).toEqual([304, '"v1"']);
});

test('a condition is not repeated for the rest of a body', async () => {
  const file = fileHandler({ cuts: [1_000_000] });
  const { url, requests } = await serve((request, response) => {
    if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end();
    else file(request, response);
  });
  const response = await client(url).request({ url: 'file', ifNoneMatch: '"v0"' });
  expect(sha256(await read(response))).toBe(sha256(bytes));
  expect(requests.map((it) => it.headers['if-none-match'])).toEqual(['"v0"', undefined]);
});

test('a line that hardly moves is given up', async () => {
  const { url, requests } = await serve(fileHandler({ cuts: Array.from({ length: 100 }, () => 10) }));
  const response = await get(client(url), 'file');
  expect((await failure(read(response))).message).toContain('after 5 attempts');
  expect(requests.length).toBe(5);
});

test('a file that changed meanwhile is not pieced together', async () => {
  const files = [fileHandler({ cuts: [1_000_000] }), fileHandler({ cuts: [], headers: { etag: '"v2"' } })];
  const { url } = await serve((request, response) => files.shift()?.(request, response));
  const response = await get(client(url), 'file');
  expect((await failure(read(response), 'bad-answer')).message).toContain('changed while it was downloaded');
});

test('another range than asked for is refused', async () => {
  const { url } = await serve((request, response) => {
    if (request.headers.range === undefined) return fileHandler({ cuts: [1_000_000] })(request, response);
    response
      .writeHead(206, { 'content-range': `bytes 5-9/${bytes.length}`, 'content-length': 5 })
      .end('xxxxx');
  });
  const response = await get(client(url), 'file');
  expect((await failure(read(response), 'bad-answer')).message).toContain('another range');
});

test('a file that is gone in the middle', async () => {
  const { url } = await serve((request, response) => {
    if (request.headers.range === undefined) return fileHandler({ cuts: [1_000_000] })(request, response);
    response.writeHead(404).end();
  });
  const response = await get(client(url), 'file');
  const error = await failure(read(response), 'bad-status');
  expect([error.status, error.message]).toEqual([404, expect.stringContaining('the server answered 404')]);
});

test('an encoded body is not continued', async () => {
  const headers = { etag: '"v1"', 'content-encoding': 'gzip' };
  const { url } = await serve(fileHandler({ cuts: [1_000_000], headers }));
  const response = await get(client(url), 'file');
  expect(response.contentEncoding).toBe('gzip');
  expect((await failure(read(response))).message).toContain('it is encoded');
});

test('a server that sends nothing is left', async () => {
  const { url } = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('abc');
  });
  const it = client(url, { idleTimeoutMs: 200, retry: { maxAttempts: 2, baseDelayMs: 1 } });
  const response = await get(it, 'file');
  expect((await failure(read(response))).message).toMatch(/Body Timeout Error, after 2 attempts/);
});

test('redirects are followed, relative and absolute', async () => {
  const other = await serve((_, response) => response.end('there'));
  const { url } = await serve((request, response) => {
    const location = request.url === '/a/b' ? '../c' : `${other.url}/d`;
    response.writeHead(request.url === '/a/b' ? 301 : 307, { location }).end();
  });
  const response = await get(client(url.replace('//', '//u:p@')), 'a/b');
  expect([String(await read(response)), response.url]).toEqual(['there', `${other.url}/d`]);
  expect(other.requests[0]?.url).toBe('/d');
});

test('a loop of redirects ends', async () => {
  const { url, requests } = await serve((_, response) =>
    response.writeHead(302, { location: '/again' }).end(),
  );
  const { message } = await failure(get(client(url, { maxRedirects: 4 }), 'a'), 'bad-answer');
  expect(message).toContain('redirects more than 4 times');
  expect(requests.length).toBe(5);
});

test.each(['file:///etc/passwd', 'ftp://example.org/', 'http://['])('no redirect to %s', async (location) => {
  const { url } = await serve((_, response) => response.writeHead(302, { location }).end());
  expect((await failure(get(client(url), 'a'), 'bad-answer')).message).toContain('not an http or https URL');
});

test('user and password of the URL go to its origin only', async () => {
  const other = await serve((_, response) => response.end());
  const { url, requests } = await serve((_, response) => {
    response.writeHead(302, { location: other.url.replace('//', '//eve:pw@') }).end();
  });
  await read(await get(client(url.replace('//', '//alice:p%40ss@')), 'a'));
  const basic = `Basic ${Buffer.from('alice:p@ss').toString('base64')}`;
  expect(requests[0]?.headers.authorization).toBe(basic);
  expect(other.requests[0]?.headers.authorization).toBeUndefined();
});

test('the default of a netrc file is not for other hosts', async () => {
  const { url, requests } = await serve((request, response) => {
    if (request.url === '/a')
      response.writeHead(302, { location: url.replace('127.0.0.1', 'localhost') }).end();
    else response.end();
  });
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  await read(await get(client(url, { netrc: parseNetrc('default login a password b') }), 'a'));
  expect(requests.map((it) => it.headers.authorization)).toEqual([basic('a:b'), undefined]);
  requests.length = 0;
  const netrc = parseNetrc('machine localhost login c password d machine 127.0.0.1 login e password f');
  await read(await get(client(url, { netrc }), 'a'));
  expect(requests.map((it) => it.headers.authorization)).toEqual([basic('e:f'), basic('c:d')]);
});

test('an abort ends waiting, reading and what has not begun', async () => {
  const { url } = await serve((request, response) => {
    if (request.url === '/busy') response.writeHead(503, { 'retry-after': '2' }).end();
    else response.writeHead(200, { 'content-length': 10 }).write('abc');
  });
  const it = client(url);
  const stopped = (): AbortSignal => AbortSignal.timeout(100);
  await expect(get(it, 'busy', stopped())).rejects.toThrow(/timeout/);
  await expect(read(await get(it, 'slow', stopped()))).rejects.toThrow(/timeout/);
  await expect(get(it, 'slow', AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
});

test('nobody there', async () => {
  const { url, server } = await serve(() => undefined);
  await new Promise((done) => server.close(done));
  const it = client(url, { retry: { maxAttempts: 2, baseDelayMs: 1 } });
  expect((await failure(get(it, 'a'))).message).toMatch(/ECONNREFUSED.*after 2 attempts; check the network/);
});

test('through a proxy, with its user and password, unless the host is exempt', async () => {
  const { url, requests } = await serve((_, response) => response.end('direct'));
  const proxy = await serve((request, response) => response.end(`by proxy: ${request.url}`));
  const http = proxy.url.replace('//', '//u:p@');
  const first = client(url, { proxies: { http } });
  expect(String(await read(await get(first, 'x?y')))).toBe(`by proxy: ${url}/x?y`);
  const user = `Basic ${Buffer.from('u:p').toString('base64')}`;
  expect(proxy.requests[0]?.headers['proxy-authorization']).toBe(user);
  expect(String(await read(await get(client(url, { proxies: { http, no: '127.0.0.1' } }), 'x')))).toBe(
    'direct',
  );
  expect(requests.length).toBe(1);
});

test('https goes through a tunnel of the proxy', async () => {
  const proxy = await serve(() => undefined);
  const tunnels: string[] = [];
  const { url } = await serve(() => undefined);
  proxy.server.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const target = connect(Number(new URL(url).port), '127.0.0.1');
    for (const it of [socket, target]) it.on('error', () => undefined);
    socket.pipe(target).pipe(socket);
  });
  const it = client('https://cache.invalid', { proxies: { https: proxy.url }, retry: { maxAttempts: 1 } });
  // Behind the tunnel is a server without TLS.
  await failure(get(it, 'x'));
  expect(tunnels).toEqual(['cache.invalid:443']);
});

test.each(['http', 'https'] as const)('a proxy that wants to know who it is, %s', async (scheme) => {
  const { url } = await serve((_, response) => response.end('direct'));
  const proxy = await serve((_, response) => response.writeHead(407).end());
  proxy.server.on('connect', (_, socket) => socket.end('HTTP/1.1 407 Who are you\r\n\r\n'));
  const it = client(url.replace('http:', `${scheme}:`), { proxies: { all: proxy.url } });
  expect((await failure(get(it, 'x'))).message).toMatch(/the proxy asks for a user and a password; put them/);
});

test('HEAD asks for no body', async () => {
  const { url, requests } = await serve((_, response) =>
    response.writeHead(200, { 'content-length': 10 }).end(),
  );
  const response = await client(url).request({ method: 'HEAD', url: 'a' });
  expect([response.status, (await read(response)).length, requests[0]?.method]).toEqual([200, 0, 'HEAD']);
});

test('no more connections than allowed', async () => {
  let open = 0;
  let most = 0;
  const { url, server } = await serve((_, response) => void setTimeout(() => response.end('x'), 10));
  server.on('connection', (socket) => {
    most = Math.max(most, ++open);
    socket.on('close', () => open--);
  });
  const it = client(url, { maxConnectionsPerHost: 3 });
  await Promise.all(Array.from({ length: 20 }, async () => read(await get(it, 'a'))));
  expect(most).toBeLessThanOrEqual(3);
});

test('without a base URL every URL is its own home', async () => {
  const other = await serve((_, response) => response.end());
  const { url, requests } = await serve((_, response) =>
    response.writeHead(302, { location: other.url.replace('127.0.0.1', 'localhost') }).end(),
  );
  const it = new HttpClient({ netrc: parseNetrc('default login a password b') });
  open.push(it);
  const response = await get(it, `${url}/x`);
  await read(response);
  await read(await get(it, `${url.replace('//', '//u:p@')}/x`));
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  expect(requests.map(({ headers }) => headers.authorization)).toEqual([basic('a:b'), basic('u:p')]);
  expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  await expect(get(it, 'relative')).rejects.toMatchObject({ code: 'bad-url' });
});

test.each(['not a URL', 'ftp://example.org', 'file:///x'])('the base URL cannot be %s', (baseUrl) => {
  expect(() => new HttpClient({ baseUrl })).toThrow(HttpError);
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces).toString();
}

test('an upload says its size and who sends it, and its answer is given', async () => {
  const seen: unknown[] = [];
  const { url } = await serve((request, response) => {
    const answer = (body: string): void => {
      const { 'content-length': length, 'transfer-encoding': coding, authorization } = request.headers;
      seen.push([request.method, request.url, length, coding, authorization, body]);
      response.writeHead(409).end('no');
    };
    void bodyOf(request).then(answer);
  });
  const it = client(url, { netrc: parseNetrc('machine 127.0.0.1 login a password b') });
  const bytes = Buffer.from('abc');
  const stream = {
    size: 3,
    // All pieces are in one buffer.
    async *open(): AsyncGenerator<Uint8Array> {
      const buffer = Buffer.alloc(1);
      for (const byte of bytes) {
        buffer.fill(byte);
        yield buffer;
      }
      buffer.fill(0);
    },
  };
  const answers = [
    await it.upload({ method: 'PUT', url: 'x', body: bytes }),
    await it.upload({ method: 'POST', url: 'y', body: stream }),
    await it.upload({ method: 'DELETE', url: 'z' }),
  ];
  expect(answers.map(({ status, body }) => [status, Buffer.from(body).toString()])).toEqual([
    [409, 'no'],
    [409, 'no'],
    [409, 'no'],
  ]);
  const authorization = `Basic ${Buffer.from('a:b').toString('base64')}`;
  expect(seen).toEqual([
    ['PUT', '/x', '3', undefined, authorization, 'abc'],
    ['POST', '/y', '3', undefined, authorization, 'abc'],
    ['DELETE', '/z', undefined, undefined, authorization, ''],
  ]);
});

test('an upload is sent again from its beginning when the server is busy or breaks off', async () => {
  let count = 0;
  const bodies: string[] = [];
  const { url } = await serve((request, response) => {
    const attempt = ++count;
    if (attempt === 2) return void request.socket.destroy();
    const answer = (body: string): void => {
      bodies.push(body);
      response.writeHead(attempt === 1 ? 503 : 201).end();
    };
    void bodyOf(request).then(answer);
  });
  let opened = 0;
  const body = {
    size: 5,
    async *open(): AsyncGenerator<Uint8Array> {
      opened++;
      yield Buffer.from('hello');
    },
  };
  const { status } = await client(url).upload({ method: 'PUT', url: 'x', body });
  expect([status, opened, bodies]).toEqual([201, 3, ['hello', 'hello']]);
});

test('an upload that never succeeds is an error that names it', async () => {
  const { url } = await serve((_, response) => void response.writeHead(500).end());
  const failing = client(url, { retry: { maxAttempts: 2, baseDelayMs: 1 } }).upload({
    method: 'PUT',
    url: 'x',
  });
  expect((await failure(failing, 'bad-status')).message).toContain(`PUT ${url}/x: the server answered 500`);
});
