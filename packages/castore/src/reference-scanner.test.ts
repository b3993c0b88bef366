import { concatBytes, encodeUtf8 } from '@neve/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CastoreError } from './castore-error.ts';
import { B3Digest } from './b3-digest.ts';
import { Directory } from './directory.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { memoryDirectories } from './memory-directories.ts';
import type { Node } from './node.ts';
import { pathComponent, symlinkTarget } from './path-component.ts';
import { ReferenceScanner, scanNode } from './reference-scanner.ts';

function isWithin(needle: Uint8Array, hay: Uint8Array): boolean {
  for (let start = 0; start + needle.length <= hay.length; start++) {
    if (needle.every((byte, at) => hay[start + at] === byte)) return true;
  }
  return false;
}

/** Pieces that end at the given places. */
function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, at) => bytes.subarray(at === 0 ? 0 : ends[at - 1], end));
}

function foundIn(needles: readonly Uint8Array[], pieces: readonly Uint8Array[]): readonly number[] {
  const scanner = new ReferenceScanner(needles);
  const stream = scanner.begin();
  for (const piece of pieces) {
    // The caller may use a piece again.
    const bytes = piece.slice();
    stream.scan(bytes);
    bytes.fill(0xff);
  }
  return scanner.found;
}

function check(needles: readonly Uint8Array[], hay: Uint8Array, cuts: readonly number[]): void {
  const expected = [...needles.keys()].filter((index) => isWithin(needles[index] ?? new Uint8Array(0), hay));
  expect(foundIn(needles, split(hay, cuts))).toEqual(expected);
}

/** Few different bytes, so that parts of needles are everywhere. */
const narrow = (bytes: number) => fc.integer({ min: 0, max: bytes - 1 });
const cuts = fc.array(fc.nat(), { maxLength: 40 });

describe('a stream in pieces', () => {
  test('finds what a search by hand finds, of two different bytes', () => {
    const needle = fc.array(narrow(2), { minLength: 8, maxLength: 12 }).map((it) => Uint8Array.from(it));
    const hay = fc.array(narrow(2), { maxLength: 300 }).map((it) => Uint8Array.from(it));
    fc.assert(
      fc.property(fc.array(needle, { maxLength: 20 }), hay, cuts, (needles, bytes, places) =>
        check(needles, bytes, places),
      ),
      { numRuns: 500 },
    );
  });

  test('finds what a search by hand finds, of needles and parts of them between other bytes', () => {
    const needles = fc.array(fc.uint8Array({ minLength: 8, maxLength: 40 }), { minLength: 1, maxLength: 30 });
    const part = fc.record({
      needle: fc.nat(),
      from: fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.nat(10)),
      to: fc.oneof({ arbitrary: fc.constant(40), weight: 3 }, fc.nat(40)),
      after: fc.uint8Array({ maxLength: 50 }),
    });
    fc.assert(
      fc.property(needles, fc.array(part, { maxLength: 10 }), cuts, (all, parts, places) => {
        const pieces = parts.flatMap(({ needle, from, to, after }) => [
          all[needle % all.length]?.subarray(from, to) ?? new Uint8Array(0),
          after,
        ]);
        check(all, concatBytes(pieces), places);
      }),
      { numRuns: 500 },
    );
  });

  test('byte by byte', () => {
    const needles = ['01234567', '12345678', '0123456789abcdef', '23456780'].map(encodeUtf8);
    const hay = encodeUtf8('0012345678x0123456789abcdef');
    expect(foundIn(needles, split(hay, [...hay.keys()]))).toEqual([0, 1, 2]);
  });

  test('needles of very different lengths, the same twice, and none', () => {
    const long = new Uint8Array(700).map((_, at) => at % 251);
    const needles = [long, long.subarray(0, 300), long.subarray(400), long.slice()];
    const hay = concatBytes([new Uint8Array(1000), long, new Uint8Array(5)]);
    for (const places of [[], [1500], [1001, 1300, 1301, 1698]]) check(needles, hay, places);
    check(needles, hay.subarray(0, -6), [1200]);
    expect(foundIn([], [hay])).toEqual([]);
  });

  test('not across the border of two streams; together in one result', () => {
    const scanner = new ReferenceScanner(['needle one', 'needle two', 'never there'].map(encodeUtf8));
    const [first, second] = [scanner.begin(), scanner.begin()];
    first.scan(encodeUtf8('x needle'));
    second.scan(encodeUtf8(' one needle'));
    expect(scanner.found).toEqual([]);
    first.scan(encodeUtf8(' two'));
    second.scan(encodeUtf8(' one'));
    expect(scanner.found).toEqual([0, 1]);
    expect([scanner.has(1), scanner.has(2), scanner.isComplete]).toEqual([true, false, false]);
  });

  test('short needles are refused', () => {
    expect(() => new ReferenceScanner([encodeUtf8('1234567')])).toThrow(CastoreError);
  });
});

/** Hash parts of the inputs of one build, whose output `places` makes again. */
const hashes = [
  '5zvsahpc6681dxvx5gfwbm74hx2s8bzi',
  'pc9jzl7lkmz4mmz5x692211930vicsqn',
  'm8zqmm17acam3l5p4ph1brj6sdzkdmpw',
  'dfaxhknsrn5x52rkyayyrxncch1ag5bz',
  'sakkq2bwnln1p9n7fa3mpxqskvqz3p4i',
  '7ww8lm7mfixqh033y790rzwfap3x6rjz',
  'ar7my0zw4izrpdw4qv4yiwzrgi1ain7m',
  'j48gdq8yl89i6pjkx8yc1miffsvciv8j',
  '06wy3mkl1hhrafhbkwrg1ahas9fc7r0q',
  'k08xbqlhhn6clfdji2hvndgcz97d0zqa',
  '00hsh2raqfc0797dgnp4z7d86f48lnqw',
  '27vypmp251086pcc05g1xjh7a7wq7agn',
  '13zjsysrrkxy9vzfbxrdhg4hhf13i128',
  '554c6a8pakgwpwr0ndzah71cf0qii7hg',
  'ampkya9diba3k2r2bgjjd6929533wimk',
  'qk68333jwk8c8np6pg7b1wkw7j6zxjg5',
  'saagajpwihj3jya42s9rkwgi4zl39qlc',
  '815cvmnnbz7za830g45xdlh5gikvxyli',
  'b8pwc2al5qwzp2pvajy0333fsyypyc43',
  'rv0l0c81mcw60xm2ik7178j16m957k86',
] as const;

/** What Nix 2.34.8 registered as references of that output. */
const registered = [0, 1, 2, 3, 4, 5, 8, 10, 12, 13, 14, 16, 17];

type Tree = { readonly [name: string]: string | Tree | { readonly link: string } };

function places(): Tree {
  const h = (index: number): string => hashes[index] ?? '';
  return {
    content: `x${h(0)}x`,
    [`name-${h(1)}.txt`]: '',
    link: { link: `../${h(2)}-there` },
    border: '\0'.repeat(65_520) + h(3),
    adjacent: h(4) + h(5),
    upper: h(6).toUpperCase(),
    short: `${h(7).slice(0, 31)}\n`,
    inside: `abcd${h(8)}dcba`,
    'split-a': h(9).slice(0, 16),
    'split-b': h(9).slice(16),
    [h(10)]: { file: '' },
    newline: `${h(11).slice(0, 20)}\n${h(11).slice(20)}`,
    [h(12)]: { link: 'nowhere' },
    deep: { er: { [`x${h(13)}`]: {} } },
    only: h(14),
    wide: h(15).replaceAll(/./g, '$&\0'),
    restart: h(16).slice(0, 31) + h(16),
    'in-run': 'a'.repeat(65_535) + h(17) + 'b'.repeat(70_000),
    slash: { link: `${h(18).slice(0, 16)}/${h(18).slice(16)}` },
    last: h(19).slice(1),
  };
}

describe('nodes', () => {
  const blobs = memoryBlobs();
  const directories = memoryDirectories();

  async function store(tree: Tree): Promise<Node> {
    const entries = Object.entries(tree).map(async ([name, it]) => ({
      name: pathComponent(name),
      node: await storeEntry(it),
    }));
    const directory = Directory.of(await Promise.all(entries));
    await directories.put(directory);
    return directory.node;
  }

  async function storeEntry(it: Tree[string]): Promise<Node> {
    if (typeof it === 'string') {
      const bytes = encodeUtf8(it);
      return { kind: 'file', digest: await blobs.put(bytes), size: bytes.length, executable: false };
    }
    return 'link' in it && typeof it.link === 'string'
      ? { kind: 'symlink', target: symlinkTarget(it.link) }
      : await store(it as Tree);
  }

  async function scan(node: Node): Promise<readonly number[]> {
    const scanner = new ReferenceScanner(hashes.map(encodeUtf8));
    await scanNode(node, scanner, { blobs, directories });
    return scanner.found;
  }

  test('the references which a build registered', async () => {
    expect(await scan(await store(places()))).toEqual(registered);
  });

  test('a file, a symbolic link and an empty directory alone', async () => {
    expect(await scan(await storeEntry(`--${hashes[3]}`))).toEqual([3]);
    expect(await scan(await storeEntry({ link: `/x/${hashes[4]}-y` }))).toEqual([4]);
    expect(await scan(await store({}))).toEqual([]);
  });

  test('everything is found, so the rest need not be there', async () => {
    const missing: Node = {
      kind: 'file',
      digest: new B3Digest(new Uint8Array(32)),
      size: 99,
      executable: false,
    };
    const all = await storeEntry(hashes.join('-'));
    const directory = Directory.of([
      { name: pathComponent(hashes.slice(0, 7).join('')), node: all },
      ...[7, 14].map((at) => ({ name: pathComponent(hashes.slice(at, at + 7).join('')), node: all })),
      { name: pathComponent('zzz'), node: missing },
    ]);
    await directories.put(directory);
    expect(await scan(directory.node)).toHaveLength(hashes.length);
  });

  test('what is missing is named', async () => {
    const digest = new B3Digest(new Uint8Array(32).fill(3));
    const scanner = new ReferenceScanner(hashes.map(encodeUtf8));
    const nodes: readonly Node[] = [
      { kind: 'file', digest, size: 100, executable: false },
      { kind: 'directory', digest, size: 0 },
    ];
    for (const node of nodes) {
      await expect(scanNode(node, scanner, { blobs, directories })).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringContaining(digest.toString()),
      });
    }
  });

  test('what cannot be read is not forgotten while more of the tree is looked for', async () => {
    const missing: Node = {
      kind: 'file',
      digest: new B3Digest(new Uint8Array(32)),
      size: 99,
      executable: false,
    };
    const inner = Directory.of([{ name: pathComponent('x'), node: await storeEntry('nothing in it') }]);
    const outer = Directory.of([
      { name: pathComponent('a'), node: missing },
      { name: pathComponent('b'), node: inner.node },
    ]);
    for (const directory of [inner, outer]) await directories.put(directory);
    // The failure comes before the second directory does.
    const slow = {
      ...directories,
      async *closure(digest: B3Digest) {
        for await (const directory of directories.closure(digest)) {
          yield directory;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      },
    };
    const scanner = new ReferenceScanner(hashes.map(encodeUtf8));
    await expect(scanNode(outer.node, scanner, { blobs, directories: slow })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('stops when it is told to', async () => {
    const scanner = new ReferenceScanner(hashes.map(encodeUtf8));
    const signal = AbortSignal.abort(new Error('enough'));
    const node = await store(places());
    await expect(scanNode(node, scanner, { blobs, directories, signal })).rejects.toThrow('enough');
  });
});
