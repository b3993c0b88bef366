/**
 * The tar reader on archives built by hand, after the layouts in POSIX and in the manual of GNU tar: what it must
 * take, what it must refuse by name, and that nothing but a `CastoreError` ever comes out of damage. Archives of real
 * programs are in `node/tar-programs.test.ts`.
 */
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CastoreError } from '../castore-error.ts';
import type { ArchiveLimits } from './archive-member.ts';
import { readTar } from './read-tar.ts';

type Block = {
  readonly name?: string | Uint8Array;
  readonly type?: string;
  readonly mode?: string;
  readonly size?: number | string | Uint8Array;
  readonly link?: string;
  readonly magic?: string;
  readonly prefix?: string;
  /** More fields, by offset. */
  readonly more?: readonly (readonly [number, string | Uint8Array])[];
  readonly data?: string | Uint8Array;
};

const gnuMagic = 'ustar  \0';

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? encodeUtf8(value) : value;
}

function octal(value: number): string {
  return value.toString(8).padStart(11, '0');
}

function tar(...blocks: readonly Block[]): Uint8Array {
  return concatBytes([...blocks.map(member), new Uint8Array(1024)]);
}

function member(block: Block): Uint8Array {
  const data = bytesOf(block.data ?? '');
  const size = block.size ?? data.length;
  const header = new Uint8Array(512);
  const put = (offset: number, value: string | Uint8Array): void => header.set(bytesOf(value), offset);
  put(0, block.name ?? 'a');
  put(100, block.mode ?? '0000644');
  put(124, typeof size === 'number' ? octal(size) : size);
  put(148, '        ');
  put(156, block.type ?? '0');
  put(157, block.link ?? '');
  put(257, block.magic ?? 'ustar\u000000');
  put(345, block.prefix ?? '');
  for (const [offset, value] of block.more ?? []) put(offset, value);
  put(
    148,
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  return concatBytes([header, data, new Uint8Array((512 - (data.length % 512)) % 512)]);
}

/** Lengths are given by hand where the test is about them. */
function pax(records: Readonly<Record<string, string | Uint8Array>>, type = 'x'): Block {
  const lines = Object.entries(records).map(([keyword, value]) => {
    const rest = keyword.length + bytesOf(value).length + 3;
    const length = [1, 2, 3, 4, 5]
      .map((digits) => rest + digits)
      .find((it) => rest + String(it).length === it);
    return concatBytes([encodeUtf8(`${length} ${keyword}=`), bytesOf(value), encodeUtf8('\n')]);
  });
  return { name: 'pax', type, data: concatBytes(lines) };
}

async function* inChunks(bytes: Uint8Array, size = bytes.length): AsyncGenerator<Uint8Array, void, void> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.slice(start, start + size);
}

type Reading = {
  readonly limits?: ArchiveLimits;
  readonly chunkSize?: number;
  readonly readContents?: boolean;
};

/** One line a member: kind, path, and what else there is. */
async function list(
  archive: Uint8Array,
  { limits, chunkSize, readContents = true }: Reading = {},
): Promise<string[]> {
  const lines: string[] = [];
  for await (const it of readTar(inChunks(archive, chunkSize), limits)) {
    const path = it.path.map(decodeUtf8).join('/');
    if (it.kind === 'directory') lines.push(`d ${path}`);
    else if (it.kind === 'symlink') lines.push(`l ${path} -> ${decodeUtf8(it.target)}`);
    else if (it.kind === 'hardlink') lines.push(`h ${path} = ${it.target.map(decodeUtf8).join('/')}`);
    else {
      let contents = '';
      if (readContents) for await (const piece of it.contents) contents += decodeUtf8(piece);
      lines.push(
        `${it.executable ? 'x' : 'f'} ${path} ${it.sizeBytes} ${contents.replaceAll('\0', '.')}`.trimEnd(),
      );
    }
  }
  return lines;
}

const sparseParts = (...parts: readonly (readonly [number, number])[]): (readonly [number, string])[] =>
  parts.flatMap(([offset, length], index) => [
    [386 + index * 24, octal(offset)] as const,
    [398 + index * 24, octal(length)] as const,
  ]);

describe('members', () => {
  const cases: readonly (readonly [string, Uint8Array, readonly string[]])[] = [
    ['nothing at all', new Uint8Array(0), []],
    ['an empty archive', tar(), []],
    ['a file', tar({ name: 'a', data: 'hello' }), ['f a 5 hello']],
    [
      'only the owner decides what is executable',
      tar({ mode: '0000100' }, { name: 'b', mode: '0000077' }),
      ['x a 0', 'f b 0'],
    ],
    ['NUL and 7 are files too', tar({ type: '\0' }, { name: 'b', type: '7' }), ['f a 0', 'f b 0']],
    [
      'names are cleaned',
      tar({ name: './a//./b', data: 'x' }, { name: './', type: '5' }),
      ['f a/b 1 x', 'd '],
    ],
    ['a file with a slash is a directory', tar({ name: 'a/', type: '\0', magic: '' }), ['d a']],
    [
      'an old dump directory has contents',
      tar({ name: 'd/', type: 'D', magic: gnuMagic, data: 'Yfile\0\0' }, { name: 'b' }),
      ['d d', 'f b 0'],
    ],
    ['a symbolic link leads where it wants', tar({ type: '2', link: '/../x/' }), ['l a -> /../x/']],
    ['a hard link is cleaned', tar({ name: 'b', type: '1', link: './a' }), ['h b = a']],
    [
      'the size at a hard link of GNU means nothing',
      tar({ type: '1', link: 'b', size: 77, magic: gnuMagic }, { name: 'c' }),
      ['h a = b', 'f c 0'],
    ],
    ['prefix', tar({ name: 'b', prefix: 'p/q' }), ['f p/q/b 0']],
    ['GNU has no prefix', tar({ name: 'b', prefix: 'p/q', magic: gnuMagic }), ['f b 0']],
    [
      'base 256',
      tar({ size: Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3), data: 'abc' }),
      ['f a 3 abc'],
    ],
    ['size with spaces', tar({ size: '        3 \0', data: 'abc' }), ['f a 3 abc']],
    [
      'long name and link of GNU',
      tar(
        { type: 'L', data: `${'n'.repeat(300)}\0` },
        { type: 'K', data: 'target\0' },
        { type: '2', link: 't' },
      ),
      [`l ${'n'.repeat(300)} -> target`],
    ],
    [
      'pax',
      tar(pax({ path: 'p', size: '3', hdrcharset: 'BINARY' }), { size: 0, data: 'abc' }),
      ['f p 3 abc'],
    ],
    ['pax of one member is gone after it', tar(pax({ path: 'p' }), {}, { name: 'b' }), ['f p 0', 'f b 0']],
    [
      'global pax',
      tar(
        pax({ linkpath: 'g', comment: 'c' }, 'g'),
        { type: '2', link: 'x' },
        pax({ linkpath: 'h' }),
        { type: '2', link: 'x' },
        pax({ linkpath: '' }),
        { type: '2', link: 'x' },
      ),
      ['l a -> g', 'l a -> h', 'l a -> x'],
    ],
    ['global pax at the end', tar({}, pax({ comment: 'c' }, 'g')), ['f a 0']],
    ['the label of a volume', tar({ type: 'V', name: 'label' }, {}), ['f a 0']],
    [
      'one zero block ends it, whatever comes',
      concatBytes([member({}), new Uint8Array(512), member({ name: 'b' })]),
      ['f a 0'],
    ],
    ['no zero block at all', member({ data: 'x' }), ['f a 1 x']],
    [
      'old GNU sparse',
      tar({
        type: 'S',
        magic: gnuMagic,
        data: 'abcd',
        more: [...sparseParts([2, 3], [6, 1], [9, 0]), [483, octal(9)]],
      }),
      ['f a 9 ..abc.d..'],
    ],
    [
      'pax sparse 0.1',
      tar(pax({ 'GNU.sparse.size': '6', 'GNU.sparse.map': '1,2,5,1', 'GNU.sparse.name': 's' }), {
        data: 'abc',
      }),
      ['f s 6 .ab..c'],
    ],
    [
      'pax sparse 0.0',
      tar(
        {
          name: 'x',
          type: 'x',
          data:
            '22 GNU.sparse.size=6\n'.replace('22', '21') +
            '23 GNU.sparse.offset=4\n25 GNU.sparse.numbytes=2\n',
        },
        { data: 'ab' },
      ),
      ['f a 6 ....ab'],
    ],
    [
      'pax sparse 1.0',
      tar(
        pax({
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.realsize': '5',
          'GNU.sparse.name': 's',
        }),
        { data: concatBytes([encodeUtf8('1\n3\n2\n'.padEnd(512, '\0')), encodeUtf8('ab')]) },
      ),
      ['f s 5 ...ab'],
    ],
  ];

  test.each(cases)('%s', async (_, archive, expected) => {
    expect(await list(archive)).toEqual(expected);
    expect(await list(archive, { chunkSize: 7 })).toEqual(expected);
  });

  test('the time of the last change: of the header, else as pax has it, whole seconds', async () => {
    const archive = tar(
      { name: 'octal', more: [[136, octal(1234567890)]] },
      { name: 'large', more: [[136, new Uint8Array([0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0])]] },
      { name: 'broken', more: [[136, 'not a number']] },
      { type: 'x', name: 'x', data: '17 mtime=1500.75\n' },
      { name: 'pax', more: [[136, octal(7)]] },
      { type: 'x', name: 'x', data: '14 mtime=soon\n' },
      { name: 'nonsense', more: [[136, octal(7)]] },
    );
    const times: (number | undefined)[] = [];
    for await (const { modifiedSeconds } of readTar(inChunks(archive))) times.push(modifiedSeconds);
    expect(times).toEqual([1234567890, 2 ** 33, undefined, 1500, 7]);
  });

  test('names are bytes', async () => {
    for await (const it of readTar(inChunks(tar({ name: Uint8Array.of(0x61, 0xff, 0xfe) })))) {
      expect([...(it.path[0] as Uint8Array)]).toEqual([0x61, 0xff, 0xfe]);
    }
  });

  test('a checksum of signed bytes is taken', async () => {
    const archive = tar({ name: 'ä' });
    const header = archive.subarray(0, 512);
    const signed = header.reduce(
      (sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : (byte << 24) >> 24),
      0,
    );
    header.set(encodeUtf8(`${signed.toString(8).padStart(6, '0')}\0 `), 148);
    expect(await list(archive)).toEqual(['f ä 0']);
  });

  test('what is not read of a file is skipped', async () => {
    const archive = tar({ data: 'x'.repeat(2000) }, { name: 'b', data: 'y' });
    expect(await list(archive, { readContents: false })).toEqual(['f a 2000', 'f b 1']);
  });

  test('contents are gone when the next member was asked for', async () => {
    const reader = readTar(inChunks(tar({ data: 'x' }, { name: 'b' })));
    const first = (await reader.next()).value;
    await reader.next();
    if (first?.kind !== 'file') throw new Error('a file comes first');
    await expect(first.contents[Symbol.asyncIterator]().next()).rejects.toThrow(/after the next member/);
  });

  test('leaving the loop closes the source', async () => {
    let closed = false;
    const source = async function* (): AsyncGenerator<Uint8Array, void, void> {
      try {
        for (;;) yield member({});
      } finally {
        closed = true;
      }
    };
    for await (const it of readTar(source())) if (it.kind === 'file') break;
    expect(closed).toBe(true);
  });

  test('a hole of 8 TiB costs nothing but time', async () => {
    const size = Uint8Array.of(0x80, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0);
    const archive = tar({ type: 'S', magic: gnuMagic, more: [...sparseParts([0, 0]), [483, size]] });
    for await (const it of readTar(inChunks(archive), { maxTotalBytes: Infinity })) {
      if (it.kind !== 'file') throw new Error('it is a file');
      expect(it.sizeBytes).toBe(2 ** 43);
      let total = 0;
      for await (const piece of it.contents) if ((total += piece.length) > 2 ** 24) break;
    }
  });
});

describe('refused', () => {
  const sparse = (size: number, map: string, data: string): Uint8Array =>
    tar(pax({ 'GNU.sparse.size': String(size), 'GNU.sparse.map': map }), { name: 'file', data });
  const map10 = (map: string): Uint8Array =>
    tar(pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '5' }), {
      data: map.padEnd(512, '\0'),
    });
  const cases: readonly (readonly [string, Uint8Array, string, RegExp, ArchiveLimits?])[] = [
    ['parent', tar({ name: '../evil' }), 'invalid-archive', /'\.\.\/evil'/],
    ['parent inside', tar({ name: 'a/../../evil' }), 'invalid-archive', /'a\/\.\.\/\.\.\/evil'/],
    ['parent at the end', tar({ name: 'a/..', type: '5' }), 'invalid-archive', /'a\/\.\.'/],
    ['absolute', tar({ name: '/etc/passwd' }), 'invalid-archive', /'\/etc\/passwd' has an absolute path/],
    ['absolute by prefix', tar({ name: 'b', prefix: '/etc' }), 'invalid-archive', /'\/etc\/b'/],
    ['absolute by pax', tar(pax({ path: '/x' }), {}), 'invalid-archive', /'\/x'/],
    ['NUL in pax', tar(pax({ path: 'a\0b' }), {}), 'invalid-archive', /'a\\x00b'/],
    ['no name', tar({ name: '' }), 'invalid-archive', /empty name/],
    ['a file that is the root', tar({ name: '.' }), 'invalid-archive', /has no name/],
    ['hard link to outside', tar({ type: '1', link: '../../etc/passwd' }), 'invalid-archive', /etc\/passwd/],
    ['symlink without target', tar({ type: '2' }), 'invalid-archive', /'a' has no target/],
    [
      'character device',
      tar({ name: 'dev/null', type: '3' }),
      'unsupported',
      /'dev\/null' is a character device/,
    ],
    ['block device', tar({ type: '4' }), 'unsupported', /'a' is a block device/],
    ['pipe', tar({ type: '6' }), 'unsupported', /'a' is a named pipe/],
    ['another volume', tar({ type: 'M', magic: gnuMagic }), 'unsupported', /'a' is the continuation/],
    ['unknown type', tar({ type: 'Z' }), 'unsupported', /'a' is of the unknown type 'Z'/],
    ['symlink with contents', tar({ type: '2', link: 'x', data: 'y' }), 'unsupported', /'a' has contents/],
    ['hard link with contents', tar({ type: '1', link: 'x', data: 'y' }), 'unsupported', /'a' has contents/],
    ['checksum', tar({}).fill(0x62, 0, 1), 'invalid-archive', /checksum/],
    ['text', encodeUtf8('no tar archive'.padEnd(600)), 'invalid-archive', /checksum/],
    ['HTML, short', encodeUtf8('<html>'), 'invalid-archive', /middle of a header/],
    ['cut in a header', tar({}).subarray(0, 300), 'invalid-archive', /middle of a header/],
    [
      'cut in contents',
      tar({ name: 'cut', data: 'x'.repeat(600) }).subarray(0, 1000),
      'invalid-archive',
      /contents of 'cut'/,
    ],
    [
      'cut in padding',
      member({ name: 'cut', data: 'xyz' }).subarray(0, 520),
      'invalid-archive',
      /contents of 'cut'/,
    ],
    [
      'cut in a long name',
      tar({ type: 'L', data: 'n'.repeat(600) }).subarray(0, 700),
      'invalid-archive',
      /extended header/,
    ],
    ['ends after an extension', tar({ type: 'L', data: 'n' }), 'invalid-archive', /announced/],
    ['negative base 256', tar({ size: new Uint8Array(12).fill(0xff) }), 'invalid-archive', /negative/],
    [
      'base 256 out of range',
      tar({ size: new Uint8Array(12).fill(0xbf) }),
      'invalid-archive',
      /out of range/,
    ],
    ['size that is no number', tar({ size: '12x' }), 'invalid-archive', /octal/],
    [
      'pax: length too large',
      tar({ type: 'x', data: '99999999999 path=x\n' }, {}),
      'invalid-archive',
      /wrong length/,
    ],
    ['pax: length too small', tar({ type: 'x', data: '3 path=x\n' }, {}), 'invalid-archive', /pax header/],
    ['pax: length zero', tar({ type: 'x', data: '0 path=x\n' }, {}), 'invalid-archive', /wrong length/],
    [
      'pax: length of 30 digits',
      tar({ type: 'x', data: `${'9'.repeat(30)} path=x\n` }, {}),
      'invalid-archive',
      /no number/,
    ],
    ['pax: negative length', tar({ type: 'x', data: '-9 path=x\n' }, {}), 'invalid-archive', /no number/],
    ['pax: no equals', tar({ type: 'x', data: '9 pathxx\n' }, {}), 'invalid-archive', /'='/],
    ['pax: size that is no number', tar(pax({ size: '1e9' }), {}), 'invalid-archive', /no number as size/],
    ['pax: size out of range', tar(pax({ size: '9'.repeat(19) }), {}), 'invalid-archive', /out of range/],
    ['sparse: overlap', sparse(9, '0,2,1,2', 'abcd'), 'invalid-archive', /'file' has parts that overlap/],
    ['sparse: out of order', sparse(9, '5,2,0,2', 'abcd'), 'invalid-archive', /out of order/],
    ['sparse: beyond the end', sparse(3, '2,2', 'ab'), 'invalid-archive', /beyond the end/],
    [
      'sparse: fewer data',
      sparse(9, '0,4', 'ab'),
      'invalid-archive',
      /4 bytes of data where the archive has 2/,
    ],
    ['sparse: more data', sparse(9, '0,1', 'ab'), 'invalid-archive', /1 bytes of data/],
    ['sparse: odd', sparse(9, '0,1,2', 'a'), 'invalid-archive', /without a length/],
    ['sparse 1.0: text', map10('one\n'), 'invalid-archive', /no number/],
    [
      'sparse 1.0: longer than the member',
      map10(`9999\n${'1\n'.repeat(250)}`),
      'invalid-archive',
      /longer than the member/,
    ],
    ['sparse 1.0: endless number', map10('1'.repeat(400)), 'invalid-archive', /something else/],
    [
      'sparse of another version',
      tar(pax({ 'GNU.sparse.major': '2', 'GNU.sparse.minor': '0' }), {}),
      'unsupported',
      /not known/,
    ],
    [
      'size of an exabyte',
      tar({ size: Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0) }),
      'limit-exceeded',
      /'a'/,
    ],
    ['hole of a petabyte', sparse(2 ** 50, '0,1', 'a'), 'limit-exceeded', /'file'/],
    [
      'total',
      tar({ data: 'abc' }, { name: 'b', data: 'abc' }),
      'limit-exceeded',
      /'b'.* 5 bytes/,
      { maxTotalBytes: 5 },
    ],
    ['members', tar({}, {}, {}), 'limit-exceeded', /more than 2/, { maxMembers: 2 }],
    ['long name', tar({ type: 'L', data: 'n'.repeat(20_000) }, {}), 'limit-exceeded', /20000 bytes/],
    [
      'long target',
      tar({ type: 'K', data: 'n'.repeat(20_000) }, { type: '2' }),
      'limit-exceeded',
      /20000 bytes/,
    ],
    ['huge extension', tar({ type: 'L', size: 2 ** 32 }), 'limit-exceeded', /type L/],
    [
      'many extensions',
      tar(...Array.from({ length: 20 }, () => ({ type: 'L', data: 'n' })), {}),
      'limit-exceeded',
      /type L/,
      { maxHeaderBytes: 8192 },
    ],
    [
      'endless end',
      concatBytes([tar(), new Uint8Array(4096)]),
      'limit-exceeded',
      /follows/,
      { maxTotalBytes: 2000 },
    ],
  ];

  const named = cases.map(([name, archive, code, message, limits]) => ({
    name,
    archive,
    code,
    message,
    limits,
  }));

  test.each(named)('$name', async ({ archive, code, message, limits }) => {
    const error = await list(archive, limits === undefined ? {} : { limits }).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(CastoreError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('old GNU sparse: an endless chain of extension blocks', async () => {
    const block = new Uint8Array(512);
    for (let at = 0; at < 504; at += 24) block.set(encodeUtf8(`${octal(0)}\0${octal(0)}`), at);
    block[504] = 1;
    const chain = concatBytes([
      member({ type: 'S', magic: gnuMagic, more: [...sparseParts([0, 0]), [482, '1']] }),
      ...Array.from({ length: 10_000 }, () => block),
    ]);
    await expect(list(chain)).rejects.toMatchObject({ code: 'limit-exceeded' });
  });

  test('what the source throws goes through', async () => {
    const source = async function* (): AsyncGenerator<Uint8Array, void, void> {
      yield member({}).subarray(0, 100);
      throw new Error('the network is gone');
    };
    await expect(readTar(source()).next()).rejects.toThrow('the network is gone');
  });
});

test('damage gives a CastoreError or an archive, never anything else', async () => {
  const seeds = [
    tar(
      { name: 'd/', type: '5' },
      { name: 'd/a', data: 'x'.repeat(700) },
      { name: 'l', type: '2', link: 'd' },
    ),
    tar(
      pax({ path: 'p', size: '3' }),
      { size: 0, data: 'abc' },
      { type: 'L', data: 'long\0' },
      { data: 'y' },
    ),
    tar(
      { type: 'S', magic: gnuMagic, data: 'abcd', more: [...sparseParts([2, 3], [6, 1]), [483, octal(9)]] },
      {},
    ),
    tar(pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '5' }), {
      data: '1\n3\n0\n'.padEnd(512, '\0'),
    }),
  ];
  const mutation = fc.record({ at: fc.nat(4000), byte: fc.nat(255), fix: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...seeds),
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      fc.option(fc.nat(4000), { nil: undefined }),
      async (seed, mutations, length) => {
        const archive = seed.slice(0, length);
        for (const { at, byte, fix } of mutations) {
          archive[at % Math.max(archive.length, 1)] = byte;
          // A right checksum lets the damage in.
          const start = (at % Math.max(archive.length, 1)) & ~511;
          if (fix && start + 512 <= archive.length) {
            const header = archive.subarray(start, start + 512);
            header.fill(0x20, 148, 156);
            header.set(
              encodeUtf8(
                `${header
                  .reduce((sum, it) => sum + it, 0)
                  .toString(8)
                  .padStart(6, '0')}\0`,
              ),
              148,
            );
          }
        }
        const result = await list(archive, { limits: { maxTotalBytes: 2 ** 20 }, chunkSize: 513 }).catch(
          (it: unknown) => it,
        );
        expect(Array.isArray(result) || result instanceof CastoreError, String(result)).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});
