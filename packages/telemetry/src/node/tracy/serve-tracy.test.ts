/** A server of the tests connects as Tracy's does. */
import { type Socket, connect } from 'node:net';
import { expect, test } from 'vitest';
import { type ReadItem, ItemReader, splitFrames } from '../../testing/tracy-server.ts';
import { type TracyServed, serveTracy } from './serve-tracy.ts';

const welcomeSize = 1178;

class TestServer {
  readonly #socket: Socket;
  readonly closed: Promise<void>;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (bytes: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
    });
    this.closed = new Promise((resolve) => this.#socket.on('close', () => resolve()));
  }

  hello(version: number = 69): void {
    this.#socket.write(Uint8Array.of(...Buffer.from('TracyPrf'), version, 0, 0, 0));
  }

  query(type: number, pointer: bigint): void {
    const query = Buffer.alloc(13);
    query.writeUInt8(type);
    query.writeBigUInt64LE(pointer, 1);
    this.#socket.write(query);
  }

  /** What came before the frames, once so much is there. */
  async head(size: number): Promise<Buffer> {
    await expect.poll(() => this.#bytes.length).toBeGreaterThanOrEqual(size);
    const head = this.#bytes.subarray(0, size);
    this.#bytes = this.#bytes.subarray(size);
    return head;
  }

  items(): readonly ReadItem[] {
    const reader = new ItemReader();
    return splitFrames(this.#bytes).frames.flatMap((frame) => reader.read(frame));
  }
}

async function served(
  environment: Readonly<Record<string, string>> = {},
): Promise<TracyServed & { port: number }> {
  const client = await serveTracy({
    programName: 'a test',
    environment: { ...environment },
    warn: (message) => expect.unreachable(message),
  });
  const { port } = client;
  if (port === undefined) throw new Error('it listens');
  return { ...client, port };
}

const kinds = (items: readonly ReadItem[]): readonly string[] => items.map(({ kind }) => kind);

test('the first server gets everything from the beginning, and the end', async () => {
  const client = await served();
  client.tracer.startSpan('before', { parent: undefined }).end();
  const open = client.tracer.startSpan('open', { parent: undefined });
  const server = new TestServer(client.port);
  server.hello();
  const head = await server.head(1 + welcomeSize);
  expect(head[0]).toBe(1);
  expect(head[1 + 72]).toBe(0);
  await expect.poll(() => kinds(server.items())).toEqual(['thread', 'begin', 'end', 'begin']);
  server.query(2, 1n);
  await expect.poll(() => server.items().at(-1)).toMatchObject({ kind: 'string', text: 'other' });
  open.event('something');
  const end = client.end(5000);
  await expect.poll(() => kinds(server.items()).slice(-3)).toEqual(['message', 'end', 'terminate']);
  server.query(0, 0n);
  await end;
  await server.closed;
});

test('later servers get what begins from then on; there is one at a time', async () => {
  const client = await served();
  const first = new TestServer(client.port);
  first.hello();
  await first.head(1 + welcomeSize);
  const second = new TestServer(client.port);
  second.hello();
  expect((await second.head(1))[0]).toBe(3);
  await second.closed;
  first.query(9, 0n);
  await first.closed;
  const open = client.tracer.startSpan('open', { parent: undefined });
  const third = new TestServer(client.port);
  third.hello();
  const head = await third.head(1 + welcomeSize + 16);
  expect([head[0], head[1 + 72]]).toEqual([1, 1]);
  client.tracer.startSpan('inner', { parent: open.context }).end();
  open.end();
  await expect.poll(() => kinds(third.items())).toEqual(['thread', 'begin', 'end']);
  third.query(0, 0n);
  await third.closed;
  await client.end(100);
});

test('other versions of the protocol, and what is no server', async () => {
  const client = await served();
  const old = new TestServer(client.port);
  old.hello(68);
  expect((await old.head(1))[0]).toBe(2);
  await old.closed;
  const socket = connect(client.port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await new Promise((resolve) => socket.on('close', resolve).resume());
  await client.end(100);
});

test('a port that is taken is told, and spans go nowhere', async () => {
  const client = await served();
  const warnings: string[] = [];
  const other = await serveTracy({
    programName: 'another',
    environment: { TRACY_PORT: String(client.port) },
    warn: (message) => warnings.push(message),
  });
  expect(warnings).toEqual([expect.stringContaining(String(client.port))]);
  other.tracer.startSpan('x', { parent: undefined }).end();
  await other.end(100);
  await client.end(100);
});

test('a server that says nothing more does not hold the end up', async () => {
  const client = await served();
  const server = new TestServer(client.port);
  server.hello();
  await server.head(1 + welcomeSize);
  await client.end(50);
  await server.closed;
});

test('with TRACY_NO_EXIT the end waits for a server', async () => {
  const client = await served({ TRACY_NO_EXIT: '1' });
  client.tracer.startSpan('late', { parent: undefined }).end();
  const end = client.end(5000);
  await new Promise((resolve) => setTimeout(resolve, 60));
  const server = new TestServer(client.port);
  server.hello();
  await server.head(1 + welcomeSize);
  await expect.poll(() => kinds(server.items())).toEqual(['thread', 'begin', 'end', 'terminate']);
  server.query(0, 0n);
  await end;
});
