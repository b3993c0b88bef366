import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { NarWriter, NixCompatError, StoreDirectory } from '../index.ts';
import {
  type WireCodec,
  WireReader,
  bytes,
  listOf,
  mapOf,
  size,
  text,
  texts,
  uint32,
  uint64,
  uint8,
  writeFrames,
} from '../protocols.ts';
import { bool } from './primitive-codecs.ts';
import { decodeWire, encodeWire } from './wire-codec.ts';

const context = {
  store: new StoreDirectory('/nix/store', nodeHashes),
  minor: 38,
  features: new Set<string>(),
};

/** The same bytes in pieces of the given lengths, over and over. */
async function* inPieces(whole: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, i = 0; at < whole.length; i++) {
    const end = at + (lengths[i % lengths.length] ?? whole.length);
    yield whole.subarray(at, end);
    at = end;
  }
}

function word(value: bigint): Uint8Array {
  const raw = new Uint8Array(8);
  new DataView(raw.buffer).setBigUint64(0, value, true);
  return raw;
}

/** What the protocol says of a string, written down a second time. */
function string(content: Uint8Array): Uint8Array {
  return concatBytes([word(BigInt(content.length)), content, new Uint8Array((8 - (content.length % 8)) % 8)]);
}

async function gather(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece.slice());
  return concatBytes(pieces);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof NixCompatError) return error.code;
    throw error;
  }
  return 'no error';
}

async function failure(run: Promise<unknown>): Promise<NixCompatError> {
  const error: unknown = await run.then(
    () => undefined,
    (it: unknown) => it,
  );
  if (error instanceof NixCompatError) return error;
  throw new Error(`this did not fail as it should: ${error}`);
}

const pieceLengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

describe('values come out as they went in, however they are cut', () => {
  const check = <T>(name: string, codec: WireCodec<T>, values: fc.Arbitrary<T>): void =>
    test(name, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(values), pieceLengths, async (them, lengths) => {
          const whole = concatBytes(them.map((it) => encodeWire(codec, it, context)));
          const reader = new WireReader(inPieces(whole, lengths));
          for (const it of them) expect(await reader.read(name, codec, context)).toEqual(it);
          expect(await reader.atEnd()).toBe(true);
          for (const it of them)
            expect(decodeWire(codec, encodeWire(codec, it, context), context)).toEqual(it);
        }),
      );
    });

  check('uint8', uint8, fc.integer({ min: 0, max: 255 }));
  check('uint32', uint32, fc.integer({ min: 0, max: 0xffff_ffff }));
  check('size', size, fc.maxSafeNat());
  check('uint64', uint64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
  check('bool', bool, fc.boolean());
  check('bytes', bytes, fc.uint8Array({ maxLength: 100 }));
  check('text', text, fc.string({ unit: 'grapheme' }));
  check('texts', texts, fc.array(fc.string()));
  check('list of lists', listOf(listOf(size)), fc.array(fc.array(fc.nat())));
  check(
    'map',
    mapOf(text, bytes),
    fc.array(fc.tuple(fc.string(), fc.uint8Array())).map((pairs) => new Map(pairs)),
  );
});

describe('the form on the wire', () => {
  test('numbers are 64 bits, little-endian', () => {
    expect(encodeWire(uint64, 0x0102030405060708n, context)).toEqual(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1));
    expect(encodeWire(size, 2 ** 52 + 5, context)).toEqual(word(2n ** 52n + 5n));
  });

  test('strings have their length in front and zeroes behind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (content) => {
        expect(encodeWire(bytes, content, context)).toEqual(string(content));
      }),
    );
  });
});

describe('what is refused', () => {
  test.each([
    ['a number too large for its type', uint8, word(256n), 'bad-message'],
    ['a number of more than 32 bits', uint32, word(1n << 32n), 'bad-message'],
    ['a size of more than 53 bits', size, word(1n << 53n), 'bad-message'],
    [
      'padding that is not zero',
      text,
      concatBytes([word(1n), Uint8Array.of(65, 0, 0, 0, 1, 0, 0, 0)]),
      'bad-message',
    ],
    [
      'a string longer than is allowed',
      text,
      concatBytes([word(65n), new Uint8Array(72)]),
      'message-too-large',
    ],
    ['a length of 2^63', text, word(1n << 63n), 'bad-message'],
    ['a list with more items than a message has room for', texts, word(1000n), 'message-too-large'],
    [
      'a message that grows too large',
      texts,
      concatBytes([word(8n), ...Array.from({ length: 8 }, () => string(new Uint8Array(60)))]),
      'message-too-large',
    ],
    ['something after the message', size, concatBytes([word(1n), word(1n)]), 'bad-message'],
    ['a length that lies', text, concatBytes([word(64n), new Uint8Array(10)]), 'message-cut-off'],
  ] as [string, WireCodec<unknown>, Uint8Array, string][])('%s', (_, codec, raw, code) => {
    const limits = { maxStringSize: 64, maxMessageSize: 400 };
    expect(codeOf(() => decodeWire(codec, raw, { ...context, ...limits }))).toBe(code);
  });

  test('every message that is cut off', () => {
    const codec = mapOf(text, listOf(bytes));
    const whole = encodeWire(
      codec,
      new Map([['key', [Uint8Array.of(1, 2, 3), new Uint8Array(20)]]]),
      context,
    );
    for (let length = 0; length < whole.length; length++) {
      expect(codeOf(() => decodeWire(codec, whole.subarray(0, length), context))).toBe('message-cut-off');
    }
  });

  test('a huge length allocates nothing before its bytes come', async () => {
    const limits = { maxStringSize: 2 ** 40, maxMessageSize: 2 ** 41 };
    const reader = new WireReader(inPieces(concatBytes([word(2n ** 39n), new Uint8Array(64)]), [16]), limits);
    const before = process.memoryUsage().arrayBuffers;
    const error = await failure(reader.read('a lie', bytes, context));
    expect(error.code).toBe('message-cut-off');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 24);
  });

  test('errors say what was read', async () => {
    const reader = new WireReader(inPieces(concatBytes([word(1n), word(5n), word(2n)]), [8]));
    const error = await failure(
      reader
        .read('the answer', listOf(uint8), context)
        .then(() => reader.read('more', listOf(uint8), context)),
    );
    expect(error.message).toBe('more: item 0: the other side ended in the middle of a message');
    expect((await failure(reader.read('again', size, context))).message).toContain('out of step');
  });
});

describe('streams', () => {
  const check = (
    name: string,
    {
      write,
      open,
    }: {
      readonly write: (content: Uint8Array, lengths: readonly number[]) => Promise<Uint8Array>;
      readonly open: (
        reader: WireReader,
        length: number,
      ) => AsyncIterable<Uint8Array> & { skip(): Promise<void> };
    },
  ): void =>
    test(name, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ maxLength: 300 }),
          pieceLengths,
          pieceLengths,
          async (content, cut, again) => {
            const written = await write(content, cut);
            const whole = concatBytes([written, word(7n), written, word(9n)]);
            const reader = new WireReader(inPieces(whole, again));
            expect(await gather(open(reader, content.length))).toEqual(name === 'nar' ? written : content);
            expect(await reader.read('what follows', size, context)).toBe(7);
            await open(reader, content.length).skip();
            expect(await reader.read('what follows', size, context)).toBe(9);
          },
        ),
      );
    });

  check('frames', {
    write: (content, cut) => gather(writeFrames(inPieces(content, cut))),
    open: (reader) => reader.frames(),
  });
  check('bytes', { write: async (content) => content, open: (reader, length) => reader.bytes(length) });
  check('nar', { write: async (content) => archiveOf(content), open: (reader) => reader.nar() });

  function archiveOf(content: Uint8Array): Uint8Array {
    const pieces: Uint8Array[] = [];
    const writer = new NarWriter((it) => pieces.push(it.slice()));
    writer.startDirectory();
    writer.entry(encodeUtf8('file'));
    writer.startRegular(content.length, false);
    if (content.length > 0) writer.contents(content);
    writer.endRegular();
    writer.endDirectory();
    writer.end();
    return concatBytes(pieces);
  }

  test('long pieces are framed as they are', async () => {
    const long = new Uint8Array(1 << 16).fill(5);
    const pieces: Uint8Array[] = [];
    for await (const piece of writeFrames(inPieces(long, [long.length]))) pieces.push(piece);
    expect(pieces.map(({ length }) => length)).toEqual([8, 1 << 16, 8]);
    expect(pieces[1]?.buffer).toBe(long.buffer);
  });

  test.each([
    ['frames', (reader: WireReader) => reader.frames(), concatBytes([word(4n), Uint8Array.of(1, 2)])],
    ['bytes', (reader: WireReader) => reader.bytes(9), Uint8Array.of(1, 2)],
    ['nar', (reader: WireReader) => reader.nar(), archiveOf(Uint8Array.of(1, 2)).subarray(0, -8)],
  ] as const)('%s that are cut off', async (_, open, raw) => {
    const reader = new WireReader(inPieces(raw, [5]));
    expect((await failure(gather(open(reader)))).code).toBe('message-cut-off');
    expect((await failure(reader.read('more', size, context))).message).toContain('out of step');
  });

  test('nothing else is read before the stream is at its end', async () => {
    const reader = new WireReader(inPieces(concatBytes([word(2n), Uint8Array.of(1, 2), word(0n)]), [9]));
    const frames = reader.frames();
    for await (const _ of frames) break;
    expect((await failure(reader.read('too early', size, context))).message).toContain('in the middle');
    await frames.skip();
    expect(await reader.atEnd()).toBe(true);
  });

  test('what is no archive', async () => {
    const reader = new WireReader(inPieces(string(encodeUtf8('nix-archive-2')), [5]));
    expect((await failure(gather(reader.nar()))).code).toBe('bad-nar');
  });
});
