import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ProbeMode, compileProbe } from './probe.ts';

/** Places in the probe's memory, far behind its own data. */
const INPUT = 0x20000;
const OUTPUT = 0x400000;
const STATE = 0x500000;
const MEMORY_PAGES = 0x60;

const algorithms = ['md5', 'sha1', 'sha256', 'sha512', 'blake3'] as const;
type Algorithm = (typeof algorithms)[number];

/** The algorithms that node:crypto has as well. */
const reference = ['md5', 'sha1', 'sha256', 'sha512'] as const;

const formats = ['base16', 'nix32', 'base64', 'sri'] as const;

/** RFC 1321 appendix A.5, FIPS 180-4 examples and RFC 4634; BLAKE3's vectors are below. */
const published: readonly (readonly [Algorithm, string, string])[] = [
  ['md5', '', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['md5', 'a', '0cc175b9c0f1b6a831c399e269772661'],
  ['md5', 'abc', '900150983cd24fb0d6963f7d28e17f72'],
  ['md5', 'message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
  ['md5', 'abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
  ['md5', '1234567890'.repeat(8), '57edf4a22be3c955ac49da2e2107b67a'],
  ['sha1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
  [
    'sha1',
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '84983e441c3bd26ebaae4aa1f95129e5e54670f1',
  ],
  ['sha1', 'a'.repeat(1_000_000), '34aa973cd4c4daa4f61eeb2bdbad27316534016f'],
  ['sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'sha256',
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  ['sha256', 'a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  [
    'sha512',
    'abc',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ],
  [
    'sha512',
    'a'.repeat(1_000_000),
    'e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb' +
      'de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b',
  ],
];

/** BLAKE3 of the bytes i mod 251, by length, around the limits of blocks, chunks and subtrees. */
const blake3Vectors: readonly (readonly [number, string])[] = [
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
  [63, 'e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b'],
  [64, '4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98'],
  [65, 'de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee'],
  [1023, '10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11'],
  [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
  [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
  [2048, 'e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a'],
  [2049, '5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030'],
  [3072, 'b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2'],
  [4096, '015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969'],
  [4097, '9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995'],
  [31744, '62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47'],
  [102400, 'bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085'],
];

/** What Nix 2.34 writes: base16, then the others. */
const written: readonly (readonly [Algorithm, string, string, string])[] = [
  ['md5', 'd41d8cd98f00b204e9800998ecf8427e', '3y8bwfr609h3lh9ch0izcqq7fl', '1B2M2Y8AsgTpgAmY7PhCfg=='],
  [
    'sha1',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    '143xibwh31h9bvxzalr0sjvbbvpa6ffs',
    '2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
  ],
  [
    'sha256',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    '0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73',
    '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  ],
  [
    'sha256',
    '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    '07qy3lf1n6hr30bic58l2c91240g1q6hq2qa1440f1h50h1h4080',
    'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
  ],
  [
    'sha256',
    'f'.repeat(64),
    '1zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz',
    '//////////////////////////////////////////8=',
  ],
  [
    'sha512',
    'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce' +
      '47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
    '0zdl9zrg8r3i9c1g90lgg9ip5ijzv3yhz91i0zzn3r8ap9ws784gkp9dk9j3aglhgf1amqb0pj21mh7h1nxcl18akqvvf7ggqsy30yg',
    'z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==',
  ],
];

const empty256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

interface ParseCase {
  readonly text: string;
  readonly expected?: Algorithm;
  /** The digest in base16, or the name of the outcome. */
  readonly result: string;
  /** For HASH_MALFORMED: the format and the length that the message names. */
  readonly format?: (typeof formats)[number];
  readonly length?: number;
}

/** Texts given to `builtins.convertHash` of Nix 2.34, and what it made of them. */
const parsed: readonly ParseCase[] = [
  { text: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', result: empty256 },
  { text: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU', result: empty256 },
  { text: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU====x', result: empty256 },
  { text: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeR\nkm5NMpJWZG3hSuFU=', result: empty256 },
  { text: 'sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', result: empty256 },
  { text: 'sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73', result: empty256 },
  { text: empty256, expected: 'sha256', result: empty256 },
  { text: 'md5-1B2M2Y8AsgTpgAmY7PhCfh==', result: 'd41d8cd98f00b204e9800998ecf8427e' },
  {
    text: 'sha1:ABCDEF000000000000000000000000000000abcd',
    result: 'abcdef000000000000000000000000000000abcd',
  },
  {
    text: 'sha256-47DEQpj8HBSa+/TImW+5JCe!QeRkm5NMpJWZG3hSuFU=',
    result: 'HASH_MALFORMED',
    format: 'sri',
    length: 0,
  },
  {
    text: 'sha256:47DEQpj8HBSa+/TImW+5JCe!QeRkm5NMpJWZG3hSuFU=',
    result: 'HASH_MALFORMED',
    format: 'base64',
    length: 0,
  },
  { text: 'sha256-abc', result: 'HASH_MALFORMED', format: 'sri', length: 2 },
  { text: 'sha256-', result: 'HASH_MALFORMED', format: 'sri', length: 0 },
  { text: `sha256-${'A'.repeat(4000)}`, result: 'HASH_MALFORMED', format: 'sri', length: 3000 },
  { text: `sha256:${'z'.repeat(52)}`, result: 'HASH_MALFORMED', format: 'nix32', length: 33 },
  { text: `sha256:${'0'.repeat(51)}e`, result: 'HASH_MALFORMED', format: 'nix32', length: 0 },
  { text: `sha1:${'0'.repeat(37)}ggg`, result: 'HASH_MALFORMED', format: 'base16', length: 0 },
  { text: 'sha256:', result: 'HASH_OF_WRONG_LENGTH' },
  { text: 'sha256:md5-abc', result: 'HASH_OF_WRONG_LENGTH' },
  { text: 'abc', expected: 'sha1', result: 'HASH_OF_WRONG_LENGTH' },
  { text: '', expected: 'sha256', result: 'HASH_OF_WRONG_LENGTH' },
  { text: 'abc', result: 'HASH_WITHOUT_ALGORITHM' },
  { text: '', result: 'HASH_WITHOUT_ALGORITHM' },
  { text: 'sha256:abc', expected: 'sha1', result: 'HASH_OF_OTHER_ALGORITHM' },
  { text: 'sha257-abc', result: 'HASH_OF_UNKNOWN_ALGORITHM' },
  { text: ':abc', result: 'HASH_OF_UNKNOWN_ALGORITHM' },
  { text: 'a-b:c', expected: 'sha1', result: 'HASH_OF_UNKNOWN_ALGORITHM' },
];

const outcomes = [
  'HASH_PARSED',
  'HASH_ASSUMED',
  'HASH_EMPTY',
  'HASH_OF_UNKNOWN_ALGORITHM',
  'HASH_WITHOUT_ALGORITHM',
  'HASH_OF_OTHER_ALGORITHM',
  'HASH_OF_WRONG_LENGTH',
  'HASH_MALFORMED',
  'HASH_NOT_SRI',
];

const bytes = fc.uint8Array({ maxLength: 200 });
const text = (letters: string) =>
  fc.array(fc.constantFrom(...letters.split('')), { maxLength: 70 }).map((characters) => characters.join(''));

/** The probe with its memory: calls by name, and bytes in and out. */
async function open(mode: ProbeMode) {
  const { exports } = await compileProbe('hash', mode);
  const memory = exports['memory'] as WebAssembly.Memory;
  memory.grow(MEMORY_PAGES - memory.buffer.byteLength / 0x10000);
  const view = new Uint8Array(memory.buffer);

  const call = (name: string, ...values: number[]): number =>
    (exports[name] as (...values: number[]) => number)(...values);
  const constant = (name: string): number => (exports[name] as WebAssembly.Global<'i32'>).value;
  const put = (address: number, content: Uint8Array | string): number => {
    const encoded = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    view.set(encoded, address);
    return encoded.length;
  };
  const take = (address: number, length: number): Uint8Array => view.slice(address, address + length);
  const hex = (address: number, length: number): string => Buffer.from(take(address, length)).toString('hex');
  const algorithm = (name: Algorithm | undefined): number =>
    name === undefined ? 0 : call('algorithmNamed', INPUT - 64, put(INPUT - 64, name));
  const format = (name: string): number => call('formatNamed', INPUT - 64, put(INPUT - 64, name));

  return {
    call,
    constant,
    put,
    take,
    hex,
    algorithm,
    format,
    hash(name: Algorithm, content: Uint8Array | string, offset = 0): string {
      const length = put(INPUT + offset, content);
      call('hashBytes', algorithm(name), INPUT + offset, length, OUTPUT + offset);
      return hex(OUTPUT + offset, call('digestSize', algorithm(name)));
    },
    stream(name: Algorithm, pieces: readonly Uint8Array[]): string {
      call(`${name}Begin`, STATE);
      for (const piece of pieces) call(`${name}Update`, STATE, INPUT, put(INPUT, piece));
      call(`${name}End`, STATE, OUTPUT);
      return hex(OUTPUT, call('digestSize', algorithm(name)));
    },
    encode(base: string, content: Uint8Array): string {
      const length = put(INPUT + 1, content);
      call(`${base}Encode`, INPUT + 1, length, OUTPUT + 1);
      return Buffer.from(take(OUTPUT + 1, call(`${base}EncodedLength`, length))).toString('latin1');
    },
    /** The bytes, or the decoder's reason. */
    decode(base: string, encoded: string): Uint8Array | number {
      const size = call(`${base}Decode`, INPUT + 1, put(INPUT + 1, encoded), OUTPUT + 1);
      return size < 0 ? size : take(OUTPUT + 1, size);
    },
  };
}

const modes: readonly ProbeMode[] = ['release', 'debug'];
const opened = { release: await open('release'), debug: await open('debug') };

describe.each(modes)('%s build', (mode) => {
  const probe = opened[mode];

  const digest = (name: (typeof reference)[number], content: Uint8Array): string =>
    createHash(name).update(content).digest('hex');
  const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

  test('published vectors', () => {
    for (const [name, input, expected] of published) expect(probe.hash(name, input), name).toBe(expected);
    for (const [length, expected] of blake3Vectors) {
      expect(probe.hash('blake3', counting(length)), `${length} bytes`).toBe(expected);
      expect(probe.hash('blake3', counting(length), 1), `${length} bytes, unaligned`).toBe(expected);
    }
  });

  test('every length up to 300, at every alignment', () => {
    const content = randomBytes(300);
    for (const name of reference) {
      for (let length = 0; length <= 300; length++) {
        const part = content.subarray(0, length);
        expect(probe.hash(name, part, length % 8), `${name} of ${length} bytes`).toBe(digest(name, part));
      }
    }
  });

  test.each([4095, 4096, 4097, 70_000, 1_000_003, 3_000_000])('%d bytes', (length) => {
    const content = randomBytes(length);
    for (const name of reference) {
      for (const offset of [0, 4, 5]) expect(probe.hash(name, content, offset)).toBe(digest(name, content));
    }
  });

  test('a stream is its pieces together', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 12 }), (pieces) => {
        const whole = Buffer.concat(pieces);
        for (const name of algorithms) expect(probe.stream(name, pieces)).toBe(probe.hash(name, whole));
      }),
      { numRuns: 60 },
    );
    for (const [length, expected] of blake3Vectors) {
      const content = counting(length);
      for (const at of [1, 64, 1024, 1025, 4096]) {
        const pieces = [content.subarray(0, at), content.subarray(at)];
        expect(probe.stream('blake3', pieces), `${length} bytes cut at ${at}`).toBe(expected);
      }
    }
  });

  test('a copied state is a fork', () => {
    for (const name of algorithms) {
      const size = probe.constant(`${name.toUpperCase()}_STATE_SIZE`);
      probe.call(`${name}Begin`, STATE);
      probe.call(`${name}Update`, STATE, INPUT, probe.put(INPUT, counting(1500)));
      probe.put(STATE + 4096, probe.take(STATE, size));
      probe.call(`${name}End`, STATE, OUTPUT);
      probe.call(`${name}Update`, STATE + 4096, INPUT, probe.put(INPUT, 'more'));
      probe.call(`${name}End`, STATE + 4096, OUTPUT);
      const both = Buffer.concat([counting(1500), Buffer.from('more')]);
      const fork = probe.hex(OUTPUT, probe.call('digestSize', probe.algorithm(name)));
      expect(fork).toBe(probe.hash(name, both));
    }
  });

  test('hashing writes nothing but the digest', () => {
    for (const name of algorithms) {
      const size = probe.call('digestSize', probe.algorithm(name));
      probe.put(OUTPUT, new Uint8Array(128).fill(0xaa));
      probe.put(INPUT, counting(2000));
      probe.call(name, INPUT, 1999, OUTPUT + 1);
      expect(probe.take(INPUT, 2000)).toEqual(counting(2000));
      expect(probe.hex(OUTPUT, 1)).toBe('aa');
      expect(probe.hex(OUTPUT + 1 + size, 8)).toBe('aa'.repeat(8));
    }
  });

  test('names and sizes of algorithms', () => {
    const sizes = algorithms.map((name) => probe.call('digestSize', probe.algorithm(name)));
    expect(sizes).toEqual([16, 20, 32, 64, 32]);
    expect(Math.max(...sizes)).toBe(probe.constant('MAXIMUM_DIGEST_SIZE'));
    for (const name of ['', 'sha', 'SHA256', 'sha256 ', 'sha25', 'sha384', 'blake2']) {
      expect(probe.call('algorithmNamed', INPUT, probe.put(INPUT, name)), name).toBe(0);
    }
  });

  test('hashes as Nix writes and reads them', () => {
    for (const [name, base16, nix32, base64] of written) {
      const value = Buffer.from(base16, 'hex');
      expect(probe.encode('base16', value)).toBe(base16);
      expect(probe.encode('nix32', value)).toBe(nix32);
      expect(probe.encode('base64', value)).toBe(base64);
      const texts = [`${name}:${base16}`, `${name}:${nix32}`, `${name}:${base64}`, `${name}-${base64}`];
      for (const [i, format] of formats.entries()) {
        const expected = texts[i] ?? '';
        probe.put(INPUT, value);
        const id = probe.algorithm(name);
        const length = probe.call('writeHash', id, INPUT, probe.format(format), 1, OUTPUT);
        expect(Buffer.from(probe.take(OUTPUT, length)).toString()).toBe(expected);
        expect(length).toBeLessThanOrEqual(probe.constant('MAXIMUM_HASH_TEXT'));
        expect(probe.call('parseHash', INPUT, probe.put(INPUT, expected), 0, OUTPUT)).toBe(0);
        expect(probe.call('parsedFormat')).toBe(probe.format(format));
        expect(probe.hex(OUTPUT, value.length)).toBe(base16);
      }
    }
  });

  test('encodings agree with node and are undone by decoding', () => {
    const agree = (content: Uint8Array): void => {
      expect(probe.encode('base16', content)).toBe(Buffer.from(content).toString('hex'));
      expect(probe.encode('base64', content)).toBe(Buffer.from(content).toString('base64'));
      for (const base of ['base16', 'nix32', 'base64']) {
        expect(probe.decode(base, probe.encode(base, content))).toEqual(Uint8Array.from(content));
      }
      expect(probe.decode('base16', probe.encode('base16', content).toUpperCase())).toEqual(
        Uint8Array.from(content),
      );
    };
    for (let length = 0; length < 70; length++) agree(randomBytes(length));
    fc.assert(fc.property(bytes, agree));
  });

  test('a text that can be decoded is the text of what it decodes to', () => {
    const check = (base: string, letters: string): void => {
      fc.assert(
        fc.property(text(letters), (encoded) => {
          const decoded = probe.decode(base, encoded);
          if (typeof decoded !== 'number') expect(probe.encode(base, decoded)).toBe(encoded);
        }),
        { numRuns: 2000 },
      );
    };
    check('base16', '0123456789abcdefg');
    check('nix32', '0123456789abcdfghijklmnpqrsvwxyz');
    check('nix32', '0012z');
    check('base64', 'AQgwZz09+/=');
    check('base64', 'A=');
  });

  test('malformed texts', () => {
    const [badCharacter, badLength, badLeftover] = [-1, -2, -3];
    const check = (base: string, encoded: string, reason: number | undefined): void => {
      expect(probe.decode(base, encoded), `${base} ${encoded}`).toBe(reason);
    };
    for (const letter of '/:@G`g\x00') check('base16', `0${letter}`, badCharacter);
    check('base16', '123', badLength);
    for (const letter of 'eotuEA/:`{@\x80') check('nix32', `0${letter}`, badCharacter);
    for (const length of [1, 3, 6, 9, 11]) check('nix32', '0'.repeat(length), badLength);
    expect(probe.decode('nix32', '7z')).toEqual(Uint8Array.of(255));
    for (const encoded of ['80', '8z', 'g0', 'z0', 'g000']) check('nix32', encoded, badLeftover);
    for (const letter of '-_@[`{:.\n\0 ') check('base64', `AAA${letter}`, badCharacter);
    for (const encoded of ['A===', '====', 'AA=A', '=AAA', 'AA==AAAA'])
      check('base64', encoded, badCharacter);
    for (const encoded of ['A', 'AA', 'AAA', 'AAAAA', 'AA=']) check('base64', encoded, badLength);
    for (const encoded of ['AB==', 'AAB=', '//==']) check('base64', encoded, badLeftover);
  });

  test('loose base64 writes no more than it has room for', () => {
    probe.put(OUTPUT, new Uint8Array(8).fill(0xaa));
    const length = probe.put(INPUT, '////////');
    expect(probe.call('base64DecodeLoosely', INPUT, length, OUTPUT, 4)).toBe(6);
    expect(probe.hex(OUTPUT, 8)).toBe('ffffffffaaaaaaaa');
  });

  test('parsing a hash comes out as in Nix', () => {
    for (const { text: input, expected, result, format, length } of parsed) {
      const outcome = probe.call(
        'parseHash',
        INPUT + 1,
        probe.put(INPUT + 1, input),
        probe.algorithm(expected),
        OUTPUT,
      );
      const size = outcome === 0 ? probe.call('digestSize', probe.call('parsedAlgorithm')) : 0;
      expect(outcome === 0 ? probe.hex(OUTPUT, size) : outcomes[outcome], input).toBe(result);
      if (format !== undefined) expect(probe.call('parsedFormat'), input).toBe(probe.format(format));
      if (length !== undefined) expect(probe.call('parsedLength'), input).toBe(length);
      if (outcome === 7 || outcome === 6) {
        const start = Math.max(input.indexOf(':'), input.indexOf('-')) + 1;
        if (!input.includes('md5-')) expect(probe.call('parsedDigestStart'), input).toBe(start);
      }
    }
  });

  test('outcomes have the numbers that the cases above give them', () => {
    expect(outcomes.map((name) => probe.constant(name))).toEqual(outcomes.map((_, i) => i));
  });

  test('the algorithm in the text is known even if it is not the one expected', () => {
    const length = probe.put(INPUT, 'blake3:abc');
    expect(probe.call('parseHash', INPUT, length, probe.algorithm('sha1'), OUTPUT)).toBe(5);
    expect(probe.call('parsedAlgorithm')).toBe(probe.algorithm('blake3'));
  });

  test('the empty hash stands for zeros where it is allowed', () => {
    probe.put(OUTPUT, new Uint8Array(32).fill(0xaa));
    expect(probe.call('parseHashOrEmpty', INPUT, 0, 0, OUTPUT)).toBe(2);
    expect(probe.call('parseHashOrEmpty', INPUT, 0, probe.algorithm('sha1'), OUTPUT)).toBe(1);
    expect(probe.hex(OUTPUT, 21)).toBe(`${'00'.repeat(20)}aa`);
    const length = probe.put(INPUT, `sha256:${empty256}`);
    expect(probe.call('parseHashOrEmpty', INPUT, length, 0, OUTPUT)).toBe(0);
  });

  test('only an SRI is an SRI', () => {
    const parse = (input: string): number => probe.call('parseSri', INPUT, probe.put(INPUT, input), OUTPUT);
    expect(parse('sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')).toBe(0);
    expect(probe.hex(OUTPUT, 32)).toBe(empty256);
    expect(outcomes[parse(`sha256:${empty256}`)]).toBe('HASH_NOT_SRI');
    expect(outcomes[parse('')]).toBe('HASH_NOT_SRI');
    expect(outcomes[parse('sha256:x-abc')]).toBe('HASH_OF_UNKNOWN_ALGORITHM');
    expect(outcomes[parse('sha512-abc')]).toBe('HASH_MALFORMED');
  });

  test('the hash of a store path is a folded sha256', () => {
    const content = createHash('sha256').update('hello').digest('hex');
    const folded = probe.constant('STORE_PATH_HASH_SIZE');
    probe.hash('sha256', `text:sha256:${content}:/nix/store:x`);
    probe.call('compressHash', OUTPUT, 32, OUTPUT + 64, folded);
    // Nix: builtins.toFile "x" "hello"
    expect(probe.encode('nix32', probe.take(OUTPUT + 64, folded))).toBe('4g4g9i669dl63abpww0djbl2jxl6bwiz');
  });
});

test('a debug probe names a failed assertion', async () => {
  const probe = await open('debug');
  expect(() => probe.call('sha256Begin', STATE + 1)).toThrow(
    /^assertion failed: a hash state is 8-aligned \(assembly\/hash\/block-stream\.ts:\d+:\d+\)$/,
  );
});
