import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareBytes, encodeUtf8 } from '@neve/bytes';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ChildProgram } from '../../tests/child-program.ts';
import { B3Digest } from '../b3-digest.ts';
import { hashBlake3 } from '../blake3.ts';
import type { BlobService } from '../blob-service.ts';
import { ingestEntries } from '../ingest-entries.ts';
import type { IngestionEntry } from '../ingestion-entry.ts';
import { memoryBlobs } from '../memory-blobs.ts';
import { memoryDirectories } from '../memory-directories.ts';
import type { Node } from '../node.ts';
import { parsePath, showPath } from '../path-component.ts';
import { bytesFor } from '../testing/blob-compliance.ts';
import { FileCache } from './file-cache.ts';
import { type FileSystemEntriesOptions, fileSystemEntries } from './file-system-entries.ts';
import { LmdbEnvironment } from './lmdb-environment.ts';

let folder: string;
let root: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-tree-'));
  root = join(folder, 'tree');
  mkdirSync(root);
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
}, 60_000);

const isRoot = process.getuid?.() === 0;

type Shown = readonly [path: string, what: string];

/** Entries as pairs; of a file the digest of what is at `path` must be right. */
async function show(
  options: Partial<FileSystemEntriesOptions> = {},
  at: Parameters<typeof fileSystemEntries>[0] = root,
): Promise<readonly Shown[]> {
  const shown: Shown[] = [];
  for await (const entry of fileSystemEntries(at, { blobs: memoryBlobs(), ...options })) {
    const path = showPath(entry.path);
    if (entry.kind === 'directory') shown.push([path, '/']);
    else if (entry.kind === 'symlink') shown.push([path, `-> ${String(entry.target)}`]);
    else shown.push([path, `${entry.executable ? 'x' : 'f'} ${entry.size} ${entry.digest.hex.slice(0, 8)}`]);
  }
  return shown;
}

/** What `show` says of a file. */
function file(contents: string | Uint8Array, kind = 'f'): string {
  const bytes = typeof contents === 'string' ? encodeUtf8(contents) : contents;
  return `${kind} ${bytes.length} ${new B3Digest(hashBlake3(bytes)).hex.slice(0, 8)}`;
}

describe('a tree', () => {
  test('children come before parents in the order of their names, links are not followed', async () => {
    const large = bytesFor((3 << 20) + 7);
    mkdirSync(join(root, 'b/empty'), { recursive: true });
    writeFileSync(join(root, 'b/file'), 'text');
    writeFileSync(join(root, 'b-'), '');
    writeFileSync(join(root, 'b.'), large);
    writeFileSync(join(root, 'é'), '#!', { mode: 0o744 });
    writeFileSync(join(root, 'group'), '#!');
    chmodSync(join(root, 'group'), 0o655);
    symlinkSync('b', join(root, 'to-directory'));
    symlinkSync('../nowhere', join(root, 'to-nowhere'));
    symlinkSync('/', join(root, 'b/to-root'));
    expect(await show()).toEqual([
      ['b/empty', '/'],
      ['b/file', file('text')],
      ['b/to-root', '-> /'],
      ['b', '/'],
      ['b-', file('')],
      ['b.', file(large)],
      ['group', file('#!')],
      ['to-directory', '-> b'],
      ['to-nowhere', '-> ../nowhere'],
      ['é', file('#!', 'x')],
      ['.', '/'],
    ]);
  });

  test('a file and a link as the root', async () => {
    writeFileSync(join(root, 'file'), 'x', { mode: 0o755 });
    symlinkSync('file', join(root, 'link'));
    expect(await show({}, join(root, 'file'))).toEqual([['.', file('x', 'x')]]);
    expect(await show({}, join(root, 'link'))).toEqual([['.', '-> file']]);
  });

  test('contents are stored, whatever their size', async () => {
    const blobs = memoryBlobs();
    const sizes = [0, 1, 131_071, 131_072, 131_073, 1 << 20, (1 << 20) + 1, 5 << 20];
    for (const size of sizes) writeFileSync(join(root, String(size)), bytesFor(size));
    const entries: IngestionEntry[] = [];
    for await (const entry of fileSystemEntries(root, { blobs })) entries.push(entry);
    for (const entry of entries) {
      if (entry.kind !== 'file') continue;
      const reader = await blobs.open(entry.digest);
      const stored = (await reader?.read(0, entry.size)) ?? new Uint8Array();
      expect([entry.size, compareBytes(stored, bytesFor(entry.size))]).toEqual([entry.size, 0]);
    }
  });

  test.each([
    ['data, zeroes, data', [1, 0, 1]],
    ['zeroes first and last', [0, 1, 0]],
    ['more zeroes than a piece has', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['more data than a batch has', [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1]],
    ['nothing but zeroes', [0, 0, 0, 0, 0]],
  ])('runs of zeroes in a file: %s', async (_, runs) => {
    for (const extra of [0, 1, 77]) {
      const contents = Buffer.concat(
        runs.map((isData, i) => bytesFor(262_144 + extra, `run ${i}`).map((byte) => byte * isData)),
      );
      writeFileSync(join(root, 'file'), contents);
      const blobs = memoryBlobs();
      const seen: Uint8Array[] = [];
      const observer = {
        startDirectory() {},
        endDirectory() {},
        symlink() {},
        startFile() {},
        contents: (bytes: Uint8Array) => void seen.push(bytes.slice()),
        endFile() {},
        incomplete: () => expect.fail('it was seen'),
      };
      expect(await show({ blobs, observer })).toContainEqual(['file', file(contents)]);
      // The memory hashes what it is given.
      expect(await blobs.has(new B3Digest(hashBlake3(contents)))).toBe(true);
      expect(contents.equals(Buffer.concat(seen))).toBe(true);
    }
  });

  test('names and targets that are not UTF-8', async () => {
    const name = Buffer.from([0xff, 0x41, 0xfe]);
    const at = Buffer.concat([Buffer.from(`${root}/`), name]);
    mkdirSync(at);
    writeFileSync(Buffer.concat([at, Buffer.from('/'), name]), 'x');
    symlinkSync(name, Buffer.concat([at, Buffer.from('/link')]));
    const entries: IngestionEntry[] = [];
    for await (const entry of fileSystemEntries(at, { blobs: memoryBlobs() })) entries.push(entry);
    expect(entries.map(({ path }) => path.map(({ bytes }) => [...bytes]))).toEqual([
      [[108, 105, 110, 107]],
      [[...name]],
      [],
    ]);
    const [link] = entries;
    expect(link?.kind === 'symlink' && [...link.target.bytes]).toEqual([...name]);
  });

  test('the same node whatever the order in which it was made', async () => {
    const directories = memoryDirectories();
    const nodes: Node[] = [];
    for (const names of [
      ['a', 'b', 'c'],
      ['c', 'a', 'b'],
    ]) {
      const at = join(root, names.join(''));
      mkdirSync(at);
      for (const name of names) writeFileSync(join(at, name), name);
      nodes.push(await ingestEntries(directories, fileSystemEntries(at, { blobs: memoryBlobs() })));
    }
    expect(nodes[0]).toEqual(nodes[1]);
  });

  test('a filter', async () => {
    mkdirSync(join(root, 'skip/inner'), { recursive: true });
    mkdirSync(join(root, 'keep'));
    writeFileSync(join(root, 'keep/a.o'), '');
    writeFileSync(join(root, 'keep/a.c'), '');
    symlinkSync('x', join(root, 'keep/l'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    const asked: string[] = [];
    const filter: FileSystemEntriesOptions['filter'] = (path, kind) => {
      asked.push(`${kind} ${showPath(path)}`);
      return kind !== 'unknown' && !/skip|\.o$/.test(showPath(path));
    };
    expect(await show({ filter })).toEqual([
      ['keep/a.c', file('')],
      ['keep/l', '-> x'],
      ['keep', '/'],
      ['.', '/'],
    ]);
    expect(asked).toEqual([
      'directory keep',
      'file keep/a.c',
      'file keep/a.o',
      'symlink keep/l',
      'unknown pipe',
      'directory skip',
    ]);
    await expect(show({ filter: () => true })).rejects.toThrow(`'${root}/pipe' is a named pipe`);
  });

  test('two thousand levels, and more than a path can have', async () => {
    const make = `
      const { mkdirSync } = require('node:fs');
      for (let i = 0; i < Number(process.argv[1]); i++) { mkdirSync('d'); process.chdir('d'); }
      require('node:fs').writeFileSync('f', 'x');
    `;
    const levels = Math.floor((4090 - root.length) / 2);
    expect(levels).toBeGreaterThan(2000);
    execFileSync(process.execPath, ['-e', make, String(levels)], { cwd: root });
    const shown = await show();
    expect(shown).toHaveLength(levels + 2);
    expect(shown[0]?.[1]).toBe(file('x'));
    const directories = memoryDirectories();
    const node = await ingestEntries(directories, fileSystemEntries(root, { blobs: memoryBlobs() }));
    expect(node).toMatchObject({ kind: 'directory', size: (levels + 1) * 2 });

    const deeper = join(folder, 'deeper');
    mkdirSync(deeper);
    execFileSync(process.execPath, ['-e', make, String(levels + 60)], { cwd: deeper });
    await expect(show({}, deeper)).rejects.toMatchObject({
      code: 'io',
      message: expect.stringMatching(/cannot read '.*\/d\/d': its path is longer than the system allows/),
    });
    // Node's own removal takes long, and does not go that deep.
    execFileSync('rm', ['-rf', root, deeper]);
  }, 120_000);
});

describe('what cannot be read is named', () => {
  test('sockets, pipes and devices', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve));
    await expect(show()).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(`'${root}/socket' is a socket`),
    });
    await new Promise((resolve) => server.close(resolve));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await expect(show()).rejects.toThrow(`'${root}/pipe' is a named pipe`);
    await expect(show({}, '/dev/null')).rejects.toThrow(`'/dev/null' is a character device`);
  });

  test('a root that is not there', async () => {
    await expect(show({}, join(root, 'nothing'))).rejects.toMatchObject({
      code: 'io',
      message: `cannot read '${root}/nothing': it does not exist`,
    });
  });

  test.skipIf(isRoot)(
    'a file and a folder without permission (skipped for root, who may read all)',
    async () => {
      writeFileSync(join(root, 'secret'), 'x', { mode: 0 });
      await expect(show()).rejects.toThrow(`cannot read '${root}/secret': permission denied`);
      rmSync(join(root, 'secret'));
      mkdirSync(join(root, 'closed'), { mode: 0 });
      await expect(show()).rejects.toThrow(`cannot read '${root}/closed': permission denied`);
      chmodSync(join(root, 'closed'), 0o700);
    },
  );

  test('a file that goes, or becomes something else, after it was found', async () => {
    for (const size of [10, 3 << 20]) {
      const path = join(root, 'file');
      const others: readonly [string, () => void][] = [
        ['it does not exist', () => undefined],
        ['it became a symbolic link', () => symlinkSync('/etc/passwd', path)],
        ['it is no file any more', () => void execFileSync('mkfifo', [path])],
      ];
      for (const [problem, replace] of others) {
        writeFileSync(path, new Uint8Array(size));
        const filter = (): boolean => {
          rmSync(path);
          replace();
          return true;
        };
        await expect(show({ filter })).rejects.toThrow(`cannot read '${path}': ${problem}`);
        rmSync(path, { force: true });
      }
    }
  });

  test('errors of the blobs go through, before the root comes', async () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(join(root, name), name);
    const problem = new Error('the disk is full');
    const blobs = watched(memoryBlobs(), (bytes) => {
      if (bytes[0] === 0x62) throw problem;
    });
    const seen: string[] = [];
    const act = async (): Promise<void> => {
      for await (const { path } of fileSystemEntries(root, { blobs })) seen.push(showPath(path));
    };
    await expect(act()).rejects.toBe(problem);
    expect(seen).not.toContain('.');
  });

  test('an abort', async () => {
    for (let i = 0; i < 20; i++) writeFileSync(join(root, String(i)), bytesFor(2 << 20, String(i)));
    const reason = new Error('enough');
    await expect(show({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const blobs = watched(memoryBlobs(), () => controller.abort(reason));
    await expect(show({ blobs, signal: controller.signal })).rejects.toBe(reason);
  });
});

/** Calls `onWrite` with all bytes before they are stored. */
function watched(blobs: BlobService, onWrite: (bytes: Uint8Array) => void): BlobService {
  return {
    has: (digest, signal) => blobs.has(digest, signal),
    open: (digest, signal) => blobs.open(digest, signal),
    chunks: (digest, signal) => blobs.chunks(digest, signal),
    outboard: (digest, signal) => blobs.outboard(digest, signal),
    put: async (bytes, signal) => {
      onWrite(bytes);
      return await blobs.put(bytes, signal);
    },
    create: async (signal) => {
      const writer = await blobs.create(signal);
      return {
        write: async (bytes) => {
          onWrite(bytes);
          await writer.write(bytes);
        },
        close: () => writer.close(),
        [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
      };
    },
    [Symbol.asyncDispose]: () => blobs[Symbol.asyncDispose](),
  };
}

describe('a file that changes while it is read', () => {
  test.each([
    ['grows', (path: string) => appendFileSync(path, 'more')],
    ['shrinks', (path: string) => truncateSync(path, 1_500_000)],
    ['changes', (path: string) => writeFileSync(path, bytesFor(3 << 20, 'new'))],
  ])('%s: digest and size are those of what was stored', async (_, change) => {
    const path = join(root, 'file');
    writeFileSync(path, bytesFor(3 << 20));
    const blobs = memoryBlobs();
    let isChanged = false;
    const changing = watched(blobs, () => {
      if (!isChanged) change(path);
      isChanged = true;
    });
    const [entry] = await all({ blobs: changing });
    if (entry?.kind !== 'file') throw new Error('there is no file');
    await using reader = await blobs.open(entry.digest);
    const bytes = await reader?.read(0, reader.size);
    expect(bytes?.length).toBe(entry.size);
    expect(new B3Digest(hashBlake3(bytes ?? new Uint8Array()))).toEqual(entry.digest);
  });
});

async function all(options: FileSystemEntriesOptions): Promise<readonly IngestionEntry[]> {
  const entries: IngestionEntry[] = [];
  for await (const entry of fileSystemEntries(root, options)) entries.push(entry);
  return entries;
}

describe('the cache of files', () => {
  const restMs = 2000;

  /** What is read when the tree is imported once more, `laterMs` after the last change. */
  async function readAgain(
    environment: LmdbEnvironment,
    blobs: BlobService,
    laterMs = 10_000,
  ): Promise<readonly string[]> {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    vi.setSystemTime(Date.now() + laterMs);
    const read: string[] = [];
    const cache = new FileCache(environment);
    await all({
      blobs: watched(blobs, (bytes) => read.push(Buffer.from(bytes.subarray(0, 20)).toString())),
      cache,
    });
    await cache.save();
    vi.useRealTimers();
    return read.sort();
  }

  async function prepared(): Promise<LmdbEnvironment> {
    for (const name of ['a', 'b', 'c']) writeFileSync(join(root, name), name);
    return await LmdbEnvironment.open(join(folder, 'db'));
  }

  test('what has not changed is not read again, also by another process', async () => {
    const blobs = memoryBlobs();
    {
      await using environment = await prepared();
      expect(await readAgain(environment, blobs)).toEqual(['a', 'b', 'c']);
      expect(await readAgain(environment, blobs)).toEqual([]);
    }
    await using environment = await LmdbEnvironment.open(join(folder, 'db'));
    expect(await readAgain(environment, blobs)).toEqual([]);
    const entries = await all({ blobs, cache: new FileCache(environment) });
    expect(entries.slice(0, 3)).toEqual((await all({ blobs: memoryBlobs() })).slice(0, 3));
  });

  test('what changed less than two seconds before is not remembered', async () => {
    const blobs = memoryBlobs();
    await using environment = await prepared();
    expect(await readAgain(environment, blobs, restMs - 1000)).toEqual(['a', 'b', 'c']);
    expect(await readAgain(environment, blobs)).toEqual(['a', 'b', 'c']);
    expect(await readAgain(environment, blobs)).toEqual([]);
  });

  test.each<readonly [string, () => void, readonly string[]]>([
    ['contents', () => writeFileSync(join(root, 'b'), 'B'), ['B']],
    ['contents and size', () => writeFileSync(join(root, 'b'), 'longer'), ['longer']],
    ['the modification time', () => utimesSync(join(root, 'b'), 5, 5), ['b']],
    [
      'contents, with the time set back',
      () => {
        const { atime, mtime } = statSync(join(root, 'b'));
        writeFileSync(join(root, 'b'), 'B');
        utimesSync(join(root, 'b'), atime, mtime);
      },
      ['B'],
    ],
    ['the mode', () => chmodSync(join(root, 'b'), 0o755), ['b']],
    [
      'another file in its place',
      () => {
        const { atime, mtime } = statSync(join(root, 'b'));
        writeFileSync(join(folder, 'new'), 'N');
        utimesSync(join(folder, 'new'), atime, mtime);
        renameSync(join(folder, 'new'), join(root, 'b'));
      },
      ['N'],
    ],
    [
      'the contents of another name of it',
      () => {
        linkSync(join(root, 'b'), join(folder, 'other'));
        writeFileSync(join(folder, 'other'), 'O');
      },
      ['O'],
    ],
    ['its name only', () => renameSync(join(root, 'b'), join(root, 'd')), ['b']],
    ['nothing: a new file', () => writeFileSync(join(root, 'd'), 'd'), ['d']],
  ])('%s changed', async (_, change, expected) => {
    const blobs = memoryBlobs();
    await using environment = await prepared();
    await readAgain(environment, blobs);
    change();
    expect(await readAgain(environment, blobs)).toEqual(expected);
    const entries = await all({ blobs, cache: new FileCache(environment) });
    expect(entries).toEqual(await all({ blobs: memoryBlobs() }));
  });

  test('a file that grew while it was read is not remembered', async () => {
    const blobs = memoryBlobs();
    writeFileSync(join(root, 'large'), bytesFor(2 << 20));
    await using environment = await LmdbEnvironment.open(join(folder, 'db'));
    let isChanged = false;
    const growing = watched(blobs, () => {
      if (!isChanged) appendFileSync(join(root, 'large'), 'more');
      isChanged = true;
    });
    await readAgain(environment, growing);
    expect((await readAgain(environment, blobs)).length).toBeGreaterThan(0);
    expect(await readAgain(environment, blobs)).toEqual([]);
  });

  test('a blob that is known but gone is read again', async () => {
    await using environment = await prepared();
    const blobs = memoryBlobs();
    await readAgain(environment, blobs);
    const digest = new B3Digest(hashBlake3(encodeUtf8('b')));
    await blobs.inventory?.remove([digest], { unusedSinceMs: Infinity });
    expect(await readAgain(environment, blobs)).toEqual(['b']);
    expect(await blobs.has(digest)).toBe(true);
  });
});

describe('entries that break the rules', () => {
  const directory = (path: string): IngestionEntry => ({ kind: 'directory', path: parsePath(path) });
  const empty = (path: string): IngestionEntry => ({
    kind: 'file',
    path: parsePath(path),
    digest: new B3Digest(hashBlake3(new Uint8Array())),
    size: 0,
    executable: false,
  });

  test.each<readonly [string, readonly IngestionEntry[], string]>([
    ['no entries', [], 'ended before its root'],
    ['no root', [empty('a')], 'ended before its root'],
    ['two roots', [directory(''), directory('')], 'comes after the root'],
    ['an entry after the root', [directory(''), empty('a')], "'a' comes after the root"],
    ['a missing directory', [empty('a/b'), directory('')], "'a' has entries, but is not a directory"],
    [
      'entries of a file',
      [empty('a/b'), empty('a'), directory('')],
      "'a' has entries, but is not a directory",
    ],
    [
      'entries of the root, which is a file',
      [empty('a'), empty('')],
      "'.' has entries, but is not a directory",
    ],
    ['a child after its parent', [directory('a'), empty('a/b'), directory('')], "'a' has entries"],
    ['a path twice', [empty('a'), empty('a'), directory('')], "two entries named 'a'"],
  ])('%s', async (_, entries, problem) => {
    const directories = memoryDirectories();
    async function* given(): AsyncGenerator<IngestionEntry, void, void> {
      yield* entries;
    }
    await expect(ingestEntries(directories, given())).rejects.toThrow(problem);
    const listed: unknown[] = [];
    for await (const it of directories.inventory?.list() ?? []) listed.push(it);
    expect(listed).toEqual([]);
  });
});

describe('memory', () => {
  test('a file of 1 GiB is read in bounded memory', async () => {
    await using sparse = await open(join(root, 'sparse'), 'w');
    await sparse.truncate(2 ** 30);
    await sparse.write(bytesFor(100_000), 0, 100_000, 2 ** 29 + 5);
    await using child = await ChildProgram.bundle(`
      import { memoryDirectories } from '../memory-directories.ts';
      import { ingestEntries } from '../ingest-entries.ts';
      import { fileSystemEntries } from './file-system-entries.ts';
      import { readFileSync } from 'node:fs';
      import { openLocalBlobs } from './local-blobs.ts';
      const [root, path] = process.argv.slice(2);
      const blobs = await openLocalBlobs({ path });
      await ingestEntries(memoryDirectories(), fileSystemEntries(root, { blobs }));
      for await (const { sizeBytes } of blobs.inventory.list()) console.log(sizeBytes);
      // The kernel's figure for the process begins with that of the one that started it; this one does not.
      console.log(/VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
      await blobs[Symbol.asyncDispose]();
    `);
    const [size, peakKib] = child.run(root, join(folder, 'blobs')).map(Number);
    expect(size).toBe(2 ** 30);
    expect((peakKib ?? Infinity) / 1024).toBeLessThan(200);
  }, 120_000);
});
