/**
 * The zip reader on archives of Python's zipfile, and on ones built by hand after PKWARE's APPNOTE: what it must refuse
 * by name, and that nothing but a `CastoreError` comes out of damage.
 */
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { ArchiveLimits } from '../archive/archive-member.ts';
import { CastoreError } from '../castore-error.ts';
import { type RandomAccess, readZip } from './read-zip.ts';

const folder = mkdtempSync(join(tmpdir(), 'neve-zip-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Entry = {
  readonly name: string;
  readonly data?: string | Uint8Array;
  readonly deflate?: boolean;
  readonly method?: number;
  readonly flags?: number;
  readonly host?: number;
  readonly mode?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly offset?: number;
  readonly extra?: Buffer;
};

/** Numbers of two (`s`) or four (`i`) bytes. */
function pack(layout: string, ...values: readonly number[]): Buffer {
  return Buffer.concat(
    Array.from(layout, (kind, index) => {
      const field = Buffer.alloc(kind === 's' ? 2 : 4);
      field.writeUIntLE((values[index] as number) >>> 0, 0, field.length);
      return field;
    }),
  );
}

function zip(...entries: readonly Entry[]): Buffer {
  const locals: Buffer[] = [];
  const list: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const data = typeof entry.data === 'string' ? Buffer.from(entry.data) : (entry.data ?? new Uint8Array(0));
    const stored = entry.deflate === true ? deflateRawSync(data) : data;
    const extra = entry.extra ?? Buffer.alloc(0);
    const method = entry.method ?? (entry.deflate === true ? 8 : 0);
    const common = [
      entry.flags ?? 0,
      method,
      0,
      0,
      entry.crc ?? crc32(data),
      stored.length,
      entry.size ?? data.length,
      name.length,
    ];
    const local = Buffer.concat([pack('isssssiiiss', 0x04034b50, 20, ...common, 0), name, stored]);
    const made = ((entry.host ?? 3) << 8) | 30;
    const mode = (entry.mode ?? 0o100644) * 65536;
    const rest = [extra.length, 0, 0, 0, mode, entry.offset ?? offset];
    list.push(pack('issssssiiisssssii', 0x02014b50, made, 20, ...common, ...rest), name, extra);
    locals.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(list);
  const end = pack('issssiis', 0x06054b50, 0, 0, entries.length, entries.length, listed.length, offset, 0);
  return Buffer.concat([...locals, listed, end]);
}

function inMemory(bytes: Uint8Array): RandomAccess {
  return {
    sizeBytes: bytes.length,
    async *read(offset, length) {
      yield bytes.subarray(offset, offset + length);
    },
  };
}

async function list(
  source: string | Uint8Array,
  limits?: ArchiveLimits,
  readContents = true,
): Promise<string[]> {
  const lines: string[] = [];
  for await (const it of readZip(typeof source === 'string' ? source : inMemory(source), limits)) {
    const path = it.path.map((component) => Buffer.from(component).toString()).join('/');
    if (it.kind === 'directory') lines.push(`d ${path}`);
    else if (it.kind === 'symlink') lines.push(`l ${path} -> ${Buffer.from(it.target).toString()}`);
    else if (it.kind === 'file') {
      let contents = '';
      if (readContents) for await (const piece of it.contents) contents += Buffer.from(piece).toString();
      lines.push(
        `${it.executable ? 'x' : 'f'} ${path} ${contents.length > 40 ? contents.length : contents}`.trimEnd(),
      );
    }
  }
  return lines;
}

const hasPython = spawnSync('python3', ['-c', '1']).status === 0;

describe.skipIf(!hasPython)("Python's zipfile (skipped where python3 is missing)", () => {
  const python = (name: string, body: string): string => {
    const path = join(folder, name);
    const program = `import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as it:\n  ${body.trim()}`;
    const { status, stderr } = spawnSync('python3', ['-W', 'ignore', '-c', program, path]);
    if (status !== 0) throw new Error(stderr.toString());
    return path;
  };
  const body = `
  def add(name, data, mode, **options):
    info = zipfile.ZipInfo(name); info.external_attr = mode << 16; info.create_system = 3
    info.compress_type = options.get('compress', zipfile.ZIP_DEFLATED)
    it.writestr(info, data)
  add('d/', '', 0o40755); add('d/ü', 'x', 0o100644); add('run', 'y' * 1000, 0o100755); add('l', '../d', 0o120777)
  add('stored', 'z', 0o100644, compress=zipfile.ZIP_STORED); add('big', 'a' * 3000000, 0o100644)`;
  const expected = ['d d', 'f d/ü x', 'x run 1000', 'l l -> ../d', 'f stored z', 'f big 3000000'];

  test('files, directories, links', async () => {
    const path = python('all.zip', body);
    expect(await list(path)).toEqual(expected);
    expect(await list(await readFile(path))).toEqual(expected);
    expect(await list(path, {}, false)).toHaveLength(6);
  });

  test('zip64', async () => {
    const path = python(
      'zip64.zip',
      `with it.open('a', 'w', force_zip64=True) as file: file.write(b'hello')`,
    );
    expect(await list(path)).toEqual(['f a hello']);
  });

  test('more members than 16 bits count', async () => {
    const path = python('many.zip', `for i in range(70000): it.writestr(str(i), '')`);
    expect(await list(path, {}, false)).toHaveLength(70_000);
  });

  test('a name twice', async () => {
    const path = python('twice.zip', `it.writestr('a', '1'); it.writestr('a', '2')`);
    await expect(list(path)).rejects.toMatchObject({
      code: 'invalid-archive',
      message: expect.stringMatching(/'a' .* twice/),
    });
  });
});

describe('by hand', () => {
  const unicode = (name: string, of: string): Buffer => {
    const data = Buffer.concat([Buffer.of(1), pack('i', crc32(of)), Buffer.from(name)]);
    return Buffer.concat([pack('ss', 0x7075, data.length), data]);
  };

  test.each<readonly [string, Buffer, readonly string[]]>([
    ['nothing', zip(), []],
    ['deflated', zip({ name: './a', data: 'x'.repeat(50), deflate: true }), ['f a 50']],
    ['an archive of DOS', zip({ name: 'd\\a', host: 0, mode: 0o100755 }), ['f d/a']],
    ['a backslash of Unix', zip({ name: 'd\\a' }), ['f d\\a']],
    ['a name in the Unicode field', zip({ name: 'a', extra: unicode('ü', 'a') }), ['f ü']],
    ['one for another name', zip({ name: 'a', extra: unicode('ü', 'b') }), ['f a']],
    ['a directory by its slash', zip({ name: 'd/', mode: 0 }), ['d d']],
  ])('%s', async (_, archive, expected) => {
    expect(await list(archive)).toEqual(expected);
  });

  const refused: readonly (readonly [string, Uint8Array, string, RegExp, ArchiveLimits?])[] = [
    ['parent', zip({ name: '../evil' }), 'invalid-archive', /'\.\.\/evil'/],
    ['parent of DOS', zip({ name: '..\\evil', host: 0 }), 'invalid-archive', /'\.\.\/evil'/],
    [
      'parent in the Unicode field',
      zip({ name: 'a', extra: unicode('../a', 'a') }),
      'invalid-archive',
      /'\.\.\/a'/,
    ],
    ['absolute', zip({ name: '/etc/passwd' }), 'invalid-archive', /'\/etc\/passwd'/],
    ['NUL', zip({ name: 'a\0b' }), 'invalid-archive', /NUL/],
    [
      'twice, cleaned',
      zip({ name: 'a' }, { name: './a' }),
      'invalid-archive',
      /'a' is in the zip archive twice/,
    ],
    [
      'encrypted',
      zip({ name: 'a', flags: 1, data: 'x'.repeat(12), size: 0 }),
      'unsupported',
      /'a' of the zip archive is encrypted/,
    ],
    ['LZMA', zip({ name: 'a', method: 14 }), 'unsupported', /'a' is compressed with method 14/],
    ['device', zip({ name: 'a', mode: 0o020644 }), 'unsupported', /'a' is neither/],
    ['checksum', zip({ name: 'a', data: 'x', crc: 1 }), 'invalid-archive', /contents of 'a'/],
    [
      'fewer bytes than said',
      zip({ name: 'a', data: 'xyz', deflate: true, size: 4 }),
      'invalid-archive',
      /contents of 'a'/,
    ],
    [
      'more bytes than said',
      zip({ name: 'a', data: 'xyz', deflate: true, size: 2 }),
      'invalid-archive',
      /'a'/,
    ],
    [
      'a bomb that lies',
      zip({ name: 'a', data: Buffer.alloc(2 ** 24), deflate: true, size: 100_000 }),
      'invalid-archive',
      /'a'/,
    ],
    [
      'members that share their data',
      zip({ name: 'a', data: 'x'.repeat(99) }, { name: 'b', offset: 3 }),
      'invalid-archive',
      /'a' and 'b' share/,
    ],
    ['a place outside', zip({ name: 'a', offset: 99_999 }), 'invalid-archive', /ends in the contents of 'a'/],
    [
      'a place where nothing is',
      zip({ name: 'a', data: 'x'.repeat(99), size: 99 }, { name: 'b', offset: 135 }).fill(0, 0, 4),
      'invalid-archive',
      /'a'/,
    ],
    [
      'total',
      zip({ name: 'a', data: 'abc' }, { name: 'b', data: 'abc' }),
      'limit-exceeded',
      /'b'/,
      { maxTotalBytes: 5 },
    ],
    ['members', zip({ name: 'a' }, { name: 'b' }), 'limit-exceeded', /more than 1/, { maxMembers: 1 }],
    ['a long target', zip({ name: 'l', mode: 0o120777, data: 'x'.repeat(20_000) }), 'limit-exceeded', /'l'/],
    ['a link to nothing', zip({ name: 'l', mode: 0o120777 }), 'invalid-archive', /'l' has no target/],
    ['no zip', Buffer.from('<html>'), 'invalid-archive', /cut off or damaged/],
    ['cut off', zip({ name: 'a', data: 'xyz' }).subarray(0, -1), 'invalid-archive', /cut off or damaged/],
  ];
  const named = refused.map(([name, archive, code, message, limits]) => ({
    name,
    archive,
    code,
    message,
    limits,
  }));

  test.each(named)('refused: $name', async ({ archive, code, message, limits }) => {
    const error = await list(archive, limits).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(CastoreError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('a missing file', async () => {
    await expect(list(join(folder, 'missing.zip'))).rejects.toMatchObject({ code: 'io' });
  });

  test('damage gives a CastoreError or an archive, never anything else', async () => {
    const seed = zip(
      { name: 'd/' },
      { name: 'd/a', data: 'x'.repeat(500), deflate: true },
      { name: 'l', mode: 0o120777, data: 'd' },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        fc.option(fc.nat(seed.length), { nil: undefined }),
        async (mutations, start) => {
          const archive = Buffer.from(seed);
          for (const [at, byte] of mutations) archive[at] = byte;
          const result = await list(archive.subarray(start ?? 0)).catch((it: unknown) => it);
          expect(Array.isArray(result) || result instanceof CastoreError, String(result)).toBe(true);
        },
      ),
      { numRuns: 1500 },
    );
  });
});
