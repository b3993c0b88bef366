import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ProtocolVersion,
  type WireConnection,
  WireReader,
  greetClient,
  greetDaemon,
  greetServeClient,
  greetServer,
} from '../protocols.ts';
import { store } from '../../tests/protocol-values.ts';

/** Two ends of one connection. */
function connectionPair(): readonly [WireConnection, WireConnection] {
  const [toA, toB] = [pipe(), pipe()];
  return [
    { reader: new WireReader(toA.source), send: (it) => toB.send(it) },
    { reader: new WireReader(toB.source), send: (it) => toA.send(it) },
  ];
}

function pipe(): { source: AsyncIterable<Uint8Array>; send(bytes: Uint8Array): Promise<void> } {
  const pieces: Uint8Array[] = [];
  let wake = (): void => undefined;
  async function* source(): AsyncGenerator<Uint8Array> {
    while (true) {
      const piece = pieces.shift();
      if (piece !== undefined) yield piece;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const send = async (bytes: Uint8Array): Promise<void> => {
    pieces.push(bytes);
    wake();
  };
  return { source: source(), send };
}

/** A client that says these numbers and nothing else. */
function saying(numbers: readonly number[]): WireConnection {
  const bytes = new Uint8Array(numbers.length * 8);
  numbers.forEach((it, i) => new DataView(bytes.buffer).setUint32(i * 8, it, true));
  async function* source(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return { reader: new WireReader(source()), send: async () => undefined };
}

const version = (minor: number, ...features: readonly string[]): ProtocolVersion => ({
  minor,
  features: new Set(features),
});

describe('a daemon and its client agree', () => {
  test('on the lower version and what both know', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 10, max: 60 }),
        fc.integer({ min: 10, max: 60 }),
        async (ours, theirs) => {
          const [client, daemon] = connectionPair();
          const introduction = { nixVersion: '2.99', trust: 'trusted' as const };
          const [greeted, context] = await Promise.all([
            greetDaemon(client, { store, version: version(ours, 'bar', 'aap', 'mies', 'xyzzy') }),
            greetClient(daemon, { store, version: version(theirs, 'foo', 'bar', 'xyzzy'), introduction }),
          ]);
          const minor = Math.min(ours, theirs);
          expect(greeted.context).toEqual(context);
          expect(context.minor).toBe(minor);
          expect([...context.features]).toEqual(minor >= 38 ? ['bar', 'xyzzy'] : []);
          expect(greeted.daemon.nixVersion).toBe(minor >= 33 ? '2.99' : undefined);
          expect(greeted.daemon.trust).toBe(minor >= 35 ? 'trusted' : 'unknown');
        },
      ),
    );
  });

  test('a CPU affinity is read and ignored', async () => {
    const introduction = { trust: 'unknown' as const };
    const context = await greetClient(saying([0x6e697863, 0x114, 1, 3, 0]), { store, introduction });
    expect(context.minor).toBe(20);
  });
});

test('the serve protocol agrees on the lower version', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 5, max: 20 }),
      fc.integer({ min: 5, max: 20 }),
      async (ours, theirs) => {
        const [client, server] = connectionPair();
        const both = await Promise.all([
          greetServer(client, { store, minor: ours }),
          greetServeClient(server, { store, minor: theirs }),
        ]);
        expect(both.map(({ minor }) => minor)).toEqual([Math.min(ours, theirs), Math.min(ours, theirs)]);
      },
    ),
  );
});

describe('what is refused', () => {
  const introduction = { trust: 'unknown' as const };
  test.each([
    [
      'a client with another greeting',
      () => greetClient(saying([1]), { store, introduction }),
      'bad-message',
    ],
    [
      'a client of version 1.9',
      () => greetClient(saying([0x6e697863, 0x109]), { store, introduction }),
      'unsupported-protocol',
    ],
    [
      'a client that ends',
      () => greetClient(saying([0x6e697863]), { store, introduction }),
      'message-cut-off',
    ],
    ['a daemon with another greeting', () => greetDaemon(saying([0x6e697863]), { store }), 'bad-message'],
    [
      'a daemon of version 1.9',
      () => greetDaemon(saying([0x6478696f, 0x109]), { store }),
      'unsupported-protocol',
    ],
    [
      'a daemon of version 2.10',
      () => greetDaemon(saying([0x6478696f, 0x20a]), { store }),
      'unsupported-protocol',
    ],
    ['a daemon that ends', () => greetDaemon(saying([0x6478696f, 0x126]), { store }), 'message-cut-off'],
    ['another serving program', () => greetServer(saying([0x390c9deb, 0x205]), { store }), 'bad-message'],
    [
      'a serving program of version 2.4',
      () => greetServer(saying([0x5452eecb, 0x204]), { store }),
      'unsupported-protocol',
    ],
    ['a client of another serving program', () => greetServeClient(saying([5]), { store }), 'bad-message'],
  ] as [string, () => Promise<unknown>, string][])('%s', async (_, run, code) => {
    await expect(run()).rejects.toThrow(expect.objectContaining({ code }));
  });
});
