/** Both transports, to servers of Node. One of grpc-js takes what commands send in `tests/telemetry`. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { ExportSettings } from './export-settings.ts';
import { GrpcTransport } from './grpc-transport.ts';
import { HttpTransport } from './http-transport.ts';
import type { Outcome } from './transport.ts';

const body = Uint8Array.from({ length: 200_000 }, (_, index) => index % 7);
const timeoutMs = 5000;

function settingsFor(url: string, more: Partial<ExportSettings> = {}): ExportSettings {
  return {
    url: new URL(url),
    headers: { authorization: 'Bearer x' },
    timeoutMs,
    isCompressed: false,
    tls: {},
    ...more,
  };
}

type Answer = { readonly status: number; readonly headers?: Record<string, string> };
type Got = { readonly headers: IncomingHttpHeaders; readonly body: Buffer };

/** Sends twice to a server that answers so. */
async function overHttp(
  { status, headers = {} }: Answer,
  more?: Partial<ExportSettings>,
): Promise<{
  readonly outcomes: readonly Outcome[];
  readonly got: readonly Got[];
  readonly connections: number;
}> {
  const got: Got[] = [];
  let connections = 0;
  const server = createServer((incoming, answer) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.on('end', () => {
      got.push({ headers: incoming.headers, body: Buffer.concat(pieces) });
      answer.writeHead(status, headers).end('answer');
    });
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const transport = new HttpTransport(settingsFor(`http://127.0.0.1:${port}/v1/traces`, more), 'neve/1');
  try {
    const outcomes = [
      await transport.send(() => body, timeoutMs),
      await transport.send(() => body, timeoutMs),
    ];
    return { outcomes, got, connections };
  } finally {
    transport.close();
    server.close();
  }
}

test('HTTP: what is posted, on one connection', async () => {
  const { outcomes, got, connections } = await overHttp({ status: 200 });
  expect(outcomes[0]).toEqual({ kind: 'taken', answer: Buffer.from('answer') });
  expect(got[1]?.headers).toMatchObject({
    ...{ 'content-type': 'application/x-protobuf', 'content-length': '200000' },
    ...{ authorization: 'Bearer x', 'user-agent': 'neve/1' },
  });
  expect(got[1]?.body.equals(body)).toBe(true);
  expect(connections).toBe(1);
});

test('HTTP: compressed', async () => {
  const { got } = await overHttp({ status: 200 }, { isCompressed: true });
  expect(got[0]?.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(got[0]?.body ?? '').equals(body)).toBe(true);
});

test('HTTP: what may be tried again, and what may not', async () => {
  const busy = await overHttp({ status: 503, headers: { 'retry-after': '2' } });
  expect(busy.outcomes[0]).toMatchObject({ kind: 'failed', isAbsent: false, afterMs: 2000 });
  const limited = await overHttp({ status: 429 });
  expect(limited.outcomes[0]).toMatchObject({ kind: 'failed', afterMs: undefined });
  const wrong = await overHttp({ status: 400 });
  expect(wrong.outcomes[0]).toMatchObject({ kind: 'refused' });
});

test('nobody listens: nothing is encoded', async () => {
  const encode = (): Uint8Array => expect.unreachable('it was encoded');
  const http = new HttpTransport(settingsFor('http://127.0.0.1:1/v1/traces'), 'neve/1');
  expect(await http.send(encode, timeoutMs)).toMatchObject({ kind: 'failed', isAbsent: true });
  const call = new GrpcTransport({
    settings: settingsFor('http://127.0.0.1:1'),
    signal: 'traces',
    userAgent: 'neve/1',
  });
  expect(await call.send(encode, timeoutMs)).toMatchObject({ kind: 'failed', isAbsent: true });
});

test('a server that never answers is given up', async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const settings = settingsFor(`http://127.0.0.1:${port}`);
  const http = new HttpTransport(settings, 'neve/1');
  const call = new GrpcTransport({ settings, signal: 'traces', userAgent: 'neve/1' });
  expect(await http.send(() => body, 50)).toMatchObject({ kind: 'failed', isAbsent: false });
  expect((await call.send(() => body, 50)).kind).toBe('failed');
  call.close();
  http.close();
  server.closeAllConnections();
  server.close();
});

type GrpcAnswer = { readonly status: number; readonly message: string };
type GrpcGot = { readonly headers: IncomingHttpHeaders; readonly body: Buffer };

/** Sends twice to a server that answers so. */
async function overGrpc(
  { status, message }: GrpcAnswer,
  more?: Partial<ExportSettings>,
): Promise<{ readonly outcomes: readonly Outcome[]; readonly got: readonly GrpcGot[]; sessions: number }> {
  const got: GrpcGot[] = [];
  let sessions = 0;
  const server = createHttp2Server();
  server.on('session', () => sessions++);
  server.on('stream', (stream, headers) => {
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      got.push({ headers, body: Buffer.concat(pieces) });
      const trailers = { 'grpc-status': String(status), 'grpc-message': encodeURIComponent(message) };
      const answer = { ':status': 200, 'content-type': 'application/grpc' };
      if (status !== 0) {
        // Without a message, as servers of gRPC do.
        stream.respond({ ...answer, ...trailers }, { endStream: true });
        return;
      }
      stream.respond(answer, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, 6]), Buffer.from('answer')]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const settings = settingsFor(`http://127.0.0.1:${port}`, more);
  const transport = new GrpcTransport({ settings, signal: 'logs', userAgent: 'neve/1' });
  try {
    const outcomes = [
      await transport.send(() => body, timeoutMs),
      await transport.send(() => body, timeoutMs),
    ];
    return { outcomes, got, sessions };
  } finally {
    transport.close();
    server.close();
  }
}

test.each([false, true])('gRPC: calls on one connection; compressed: %s', async (isCompressed) => {
  const { outcomes, got, sessions } = await overGrpc({ status: 0, message: '' }, { isCompressed });
  const taken = { kind: 'taken', answer: Buffer.from('answer') };
  expect(outcomes).toEqual([taken, taken]);
  expect(sessions).toBe(1);
  const [call] = got;
  expect(call?.headers).toMatchObject({
    ...{ ':path': '/opentelemetry.proto.collector.logs.v1.LogsService/Export', te: 'trailers' },
    ...{ 'content-type': 'application/grpc', authorization: 'Bearer x' },
    ...(isCompressed && { 'grpc-encoding': 'gzip' }),
  });
  const message = call?.body.subarray(5) ?? Buffer.alloc(0);
  expect(call?.body[0]).toBe(isCompressed ? 1 : 0);
  expect(call?.body.readUInt32BE(1)).toBe(message.length);
  expect((isCompressed ? gunzipSync(message) : message).equals(body)).toBe(true);
});

test('gRPC: what may be tried again, and what may not', async () => {
  const busy = await overGrpc({ status: 14, message: 'later' });
  expect(busy.outcomes).toMatchObject([
    { kind: 'failed', isAbsent: false },
    { kind: 'failed', isAbsent: false },
  ]);
  const wrong = await overGrpc({ status: 7, message: 'not you' });
  expect(wrong.outcomes[0]).toMatchObject({ kind: 'refused', why: expect.stringMatching('not you') });
});
