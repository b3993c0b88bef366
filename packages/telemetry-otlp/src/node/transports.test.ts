/** Both transports, to servers of Node and of grpc-js. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import grpc from '@grpc/grpc-js';
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

/** Sends twice to a server of grpc-js that answers so. */
async function overGrpc(
  error: { readonly code: number; readonly details: string } | null,
  more?: Partial<ExportSettings>,
): Promise<{
  readonly outcomes: readonly Outcome[];
  readonly got: Buffer[];
  readonly metadata: grpc.Metadata[];
}> {
  const got: Buffer[] = [];
  const metadata: grpc.Metadata[] = [];
  const same = (bytes: Buffer): Buffer => bytes;
  const server = new grpc.Server();
  server.addService(
    {
      Export: {
        path: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
        ...{ requestStream: false, responseStream: false },
        ...{
          requestSerialize: same,
          requestDeserialize: same,
          responseSerialize: same,
          responseDeserialize: same,
        },
      },
    },
    {
      Export: (call: grpc.ServerUnaryCall<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) => {
        got.push(call.request);
        metadata.push(call.metadata);
        callback(error, Buffer.from('answer'));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (failure, bound) =>
      failure === null ? resolve(bound) : reject(failure),
    ),
  );
  const settings = settingsFor(`http://127.0.0.1:${port}`, more);
  const transport = new GrpcTransport({ settings, signal: 'logs', userAgent: 'neve/1' });
  try {
    const outcomes = [
      await transport.send(() => body, timeoutMs),
      await transport.send(() => body, timeoutMs),
    ];
    return { outcomes, got, metadata };
  } finally {
    transport.close();
    server.forceShutdown();
  }
}

test.each([false, true])('gRPC: calls; compressed: %s', async (isCompressed) => {
  const { outcomes, got, metadata } = await overGrpc(null, { isCompressed });
  expect(outcomes).toEqual([
    { kind: 'taken', answer: Buffer.from('answer') },
    { kind: 'taken', answer: Buffer.from('answer') },
  ]);
  expect(got.map((bytes) => bytes.equals(body))).toEqual([true, true]);
  expect(metadata[0]?.get('authorization')).toEqual(['Bearer x']);
});

test('gRPC: what may be tried again, and what may not', async () => {
  const busy = await overGrpc({ code: grpc.status.UNAVAILABLE, details: 'later' });
  expect(busy.outcomes).toMatchObject([
    { kind: 'failed', isAbsent: false },
    { kind: 'failed', isAbsent: false },
  ]);
  const wrong = await overGrpc({ code: grpc.status.PERMISSION_DENIED, details: 'not you' });
  expect(wrong.outcomes[0]).toMatchObject({ kind: 'refused', why: expect.stringMatching('not you') });
});
