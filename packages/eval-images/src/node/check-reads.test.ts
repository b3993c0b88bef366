// What is asked of the world here is asked by hand, through the recording world, over real files.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { type EvalIO, EvalIOError } from '@neve/eval';
import { type ReadSet, RecordingIO, decodeReadSet, encodeReadSet, heldReads } from '../index.ts';
import { FileWorld, checkReads, haveSignaturesHeld, sha256, signReads } from './index.ts';

let root = '';
let environment: Record<string, string | undefined> = {};
const storeObject = '0123456789abcdfghijklmnpqrsvwxyz-thing';

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'neve-reads-')));
  environment = { SET: 'value' };
  fs.mkdirSync(join(root, 'dir/inner'), { recursive: true });
  fs.writeFileSync(join(root, 'dir/file'), 'contents');
  fs.writeFileSync(join(root, 'dir/inner/deep'), 'deep');
  fs.symlinkSync('file', join(root, 'dir/link'));
  fs.symlinkSync('dir', join(root, 'way'));
  fs.mkdirSync(join(root, `store/${storeObject}`), { recursive: true });
  fs.writeFileSync(join(root, `store/${storeObject}/f`), 'kept');
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const at = (path: string): Uint8Array => encodeUtf8(join(root, path));

/** The real files, without anything remembered. */
function world(): EvalIO {
  const refuse = (): never => {
    throw new Error('not asked here');
  };
  const files = filesOf();
  return {
    readFile(path) {
      try {
        return fs.readFileSync(decodeUtf8(path));
      } catch {
        const digest = files.digestOfContents(decodeUtf8(path));
        throw new EvalIOError(digest === 'failed:is-directory' ? 'is-directory' : 'not-found', digest, {
          path,
        });
      }
    },
    fileType(path) {
      const { type, signature } = files.lstat(decodeUtf8(path));
      if (type === 'regular' && (signature[5] & fs.constants.S_IXUSR) !== 0) return 'executable';
      return type === 'absent' ? undefined : type;
    },
    readDirectory: (path) => files.entries(decodeUtf8(path)),
    readLink: (path) => Buffer.from(files.readLink(decodeUtf8(path)), 'latin1'),
    environmentVariable(name) {
      const value = environment[decodeUtf8(name)];
      return value === undefined ? undefined : encodeUtf8(value);
    },
    currentTime: () => 1,
    addPathToStore: ({ path }) => ({
      storePath: `${root}/store/${storeObject}`,
      digest: Buffer.from(treeDigest(decodeUtf8(path)), 'hex'),
    }),
    hashFile: ({ path }) => Buffer.from(files.digestOfContents(decodeUtf8(path)), 'hex'),
    addTextToStore: refuse,
    writeDerivation: refuse,
    isValidStorePath: (path) => fs.existsSync(decodeUtf8(path)),
    toStorePath: (path) => decodeUtf8(path),
    message: () => undefined,
  };
}

/** All that a NAR would have of a tree. */
function treeDigest(path: string): string {
  const seen: string[] = [];
  const visit = (place: string): void => {
    const stats = fs.lstatSync(place);
    seen.push(place, stats.isDirectory() ? 'd' : stats.isSymbolicLink() ? 'l' : `f${stats.mode & 0o100}`);
    if (stats.isSymbolicLink()) seen.push(fs.readlinkSync(place));
    else if (stats.isDirectory())
      fs.readdirSync(place)
        .sort()
        .forEach((name) => visit(join(place, name)));
    else seen.push(fs.readFileSync(place, 'utf8'));
  };
  visit(path);
  return sha256(encodeUtf8(seen.join('\0')));
}

function filesOf(): FileWorld {
  return new FileWorld({ storeDir: join(root, 'store') });
}

/** An evaluation that begins `laterMs` after everything was written, and does this. */
async function evaluate(ask: (io: RecordingIO) => unknown, laterMs: number): Promise<ReadSet> {
  const io = new RecordingIO({
    ...{ world: world(), storeDir: join(root, 'store'), writesStore: false, hash: sha256 },
    nowMs: Date.now() + laterMs,
  });
  await ask(io);
  const reads = io.finish();
  signReads(reads, { files: filesOf(), storeIsFiles: true });
  return reads;
}

/** Why the reads do not hold; undefined when they do. */
async function change(reads: ReadSet): Promise<string | undefined> {
  const encoded = encodeReadSet(reads);
  const decoded = decodeReadSet(encoded);
  if (decoded === undefined) throw new Error('it cannot be decoded');
  const isSame = haveSignaturesHeld(encoded, { files: filesOf(), world: world() });
  const checked = await checkReads(decoded, { files: filesOf(), world: world(), nowMs: Date.now() });
  // The quick way may doubt, and must not be wrong.
  if (isSame) expect(checked.holds).toBe(true);
  return checked.holds ? undefined : checked.change.replaceAll(root, '');
}

const readFile = (path: string) => (io: RecordingIO) => io.readFile(at(path));
const write = (path: string, text: string) => () => fs.writeFileSync(join(root, path), text);

const cases: readonly [string, (io: RecordingIO) => unknown, () => unknown, string | undefined][] = [
  ['nothing', readFile('dir/file'), () => undefined, undefined],
  ['contents', readFile('dir/file'), write('dir/file', 'other'), 'the contents of /dir/file changed'],
  [
    'contents of the same size',
    readFile('dir/file'),
    write('dir/file', 'CONTENTS'),
    'the contents of /dir/file changed',
  ],
  [
    'contents of the same size and time',
    readFile('dir/file'),
    () => {
      const { atime, mtime } = fs.statSync(join(root, 'dir/file'));
      fs.writeFileSync(join(root, 'dir/file'), 'CONTENTS');
      fs.utimesSync(join(root, 'dir/file'), atime, mtime);
    },
    'the contents of /dir/file changed',
  ],
  ['the same contents again', readFile('dir/file'), write('dir/file', 'contents'), undefined],
  [
    'the same contents in another file',
    readFile('dir/file'),
    () => {
      fs.writeFileSync(join(root, 'new'), 'contents');
      fs.renameSync(join(root, 'new'), join(root, 'dir/file'));
    },
    undefined,
  ],
  [
    'a mode that nobody sees',
    readFile('dir/file'),
    () => fs.chmodSync(join(root, 'dir/file'), 0o755),
    undefined,
  ],
  [
    'a file that is gone',
    readFile('dir/file'),
    () => fs.rmSync(join(root, 'dir/file')),
    'the contents of /dir/file changed',
  ],
  [
    'contents through a link that leads elsewhere',
    readFile('dir/link'),
    () => {
      fs.writeFileSync(join(root, 'dir/other'), 'other');
      fs.rmSync(join(root, 'dir/link'));
      fs.symlinkSync('other', join(root, 'dir/link'));
    },
    'the contents of /dir/link changed',
  ],
  [
    'what a link leads to',
    readFile('dir/link'),
    write('dir/file', 'CONTENTS'),
    'the contents of /dir/link changed',
  ],
  [
    'a link among the parents',
    readFile('way/file'),
    () => {
      fs.mkdirSync(join(root, 'elsewhere'));
      fs.writeFileSync(join(root, 'elsewhere/file'), 'CONTENTS');
      fs.rmSync(join(root, 'way'));
      fs.symlinkSync('elsewhere', join(root, 'way'));
    },
    'the contents of /way/file changed',
  ],
  [
    'where a link leads',
    (io) => io.readLink(at('dir/link')),
    () => {
      fs.rmSync(join(root, 'dir/link'));
      fs.symlinkSync('inner', join(root, 'dir/link'));
    },
    'the link /dir/link leads elsewhere',
  ],
  [
    'a type',
    (io) => io.fileType(at('dir/inner')),
    () => {
      fs.renameSync(join(root, 'dir/inner'), join(root, 'moved'));
      fs.symlinkSync('../moved', join(root, 'dir/inner'));
    },
    '/dir/inner was a directory, and is a symlink now',
  ],
  ['a type whose contents change', (io) => io.fileType(at('dir/file')), write('dir/file', 'x'), undefined],
  [
    'an entry',
    (io) => io.readDirectory(at('dir')),
    write('dir/new', ''),
    'the directory /dir has other entries',
  ],
  [
    'an entry that goes',
    (io) => io.readDirectory(at('dir')),
    () => fs.rmSync(join(root, 'dir/link')),
    'the directory /dir has other entries',
  ],
  [
    'the type of an entry',
    (io) => io.readDirectory(at('dir')),
    () => {
      fs.rmSync(join(root, 'dir/file'));
      fs.mkdirSync(join(root, 'dir/file'));
    },
    'the directory /dir has other entries',
  ],
  [
    'an entry that came and went',
    (io) => io.readDirectory(at('dir')),
    () => {
      fs.writeFileSync(join(root, 'dir/new'), '');
      fs.rmSync(join(root, 'dir/new'));
    },
    undefined,
  ],
  [
    'what was not there',
    (io) => io.fileType(at('dir/none')),
    write('dir/none', ''),
    '/dir/none is there now',
  ],
  [
    'what could not be read',
    async (io) =>
      void (await Promise.resolve()
        .then(() => io.readFile(at('dir/none')))
        .catch(() => 0)),
    write('dir/none', ''),
    'the contents of /dir/none changed',
  ],
  [
    'a variable',
    (io) => io.environmentVariable(encodeUtf8('SET')),
    () => (environment = { SET: 'x' }),
    'the variable SET has another value',
  ],
  [
    'a variable that goes',
    (io) => io.environmentVariable(encodeUtf8('SET')),
    () => (environment = {}),
    'the variable SET was set, and is not any more',
  ],
  [
    'a variable that comes',
    (io) => io.environmentVariable(encodeUtf8('NEW')),
    () => (environment = { SET: 'value', NEW: '' }),
    'the variable NEW was not set',
  ],
  [
    'a variable that nobody asked for',
    (io) => io.environmentVariable(encodeUtf8('SET')),
    () => (environment = { SET: 'value', NEW: '' }),
    undefined,
  ],
  ['the clock', (io) => io.currentTime(), () => undefined, 'it asks for the time (builtins.currentTime)'],
  ['contents in an added tree', addTree('dir'), write('dir/inner/deep', 'DEEP'), '/dir was changed'],
  [
    'a mode in an added tree',
    addTree('dir'),
    () => fs.chmodSync(join(root, 'dir/inner/deep'), 0o755),
    '/dir was changed',
  ],
  ['an entry in an added tree', addTree('dir'), write('dir/inner/more', ''), '/dir was changed'],
  [
    'a link in an added tree',
    addTree('dir'),
    () => {
      fs.rmSync(join(root, 'dir/link'));
      fs.symlinkSync('inner', join(root, 'dir/link'));
    },
    '/dir was changed',
  ],
  ['the same again in an added tree', addTree('dir'), write('dir/inner/deep', 'deep'), undefined],
  [
    'an added tree that is gone',
    addTree('dir'),
    () => fs.rmSync(join(root, 'dir'), { recursive: true }),
    '/dir is not there any more',
  ],
  [
    'a hashed file',
    (io) => io.hashFile({ path: at('dir/file'), hashAlgorithm: 'sha256' }),
    write('dir/file', 'CONTENTS'),
    '/dir/file was changed',
  ],
  ['what is in a store object', readFile(`store/${storeObject}/f`), write('dir/file', ''), undefined],
  [
    'a store object that is gone',
    readFile(`store/${storeObject}/f`),
    () => fs.rmSync(join(root, `store/${storeObject}`), { recursive: true }),
    `/store/${storeObject} is not there any more`,
  ],
  [
    'a store object that was not there',
    (io) => io.fileType(at('store/1123456789abcdfghijklmnpqrsvwxyz-new')),
    write('store/1123456789abcdfghijklmnpqrsvwxyz-new', ''),
    '/store/1123456789abcdfghijklmnpqrsvwxyz-new is there now',
  ],
];

function addTree(path: string): (io: RecordingIO) => unknown {
  return (io) => io.addPathToStore({ path: at(path), name: 'x', method: 'nar', hashAlgorithm: 'sha256' });
}

test.each(cases)('%s', async (_, ask, mutate, expected) => {
  // At once, when nothing can be told from times, and later, when signatures are kept.
  for (const laterMs of [0, 10_000]) {
    const reads = await evaluate(ask, laterMs);
    if (reads.obstacle() === undefined) expect(await change(reads)).toBeUndefined();
    if (laterMs === 0) continue;
    mutate();
    expect(await change(reads)).toBe(expected);
  }
});

test.each(cases)('at once: %s', async (_, ask, mutate, expected) => {
  const reads = await evaluate(ask, 0);
  mutate();
  expect(await change(reads)).toBe(expected);
});

test('signatures are taken again when they are old enough, and then suffice', async () => {
  const reads = await evaluate(
    (io) => [readFile('dir/file')(io), io.readDirectory(at('dir')), addTree('dir')(io)],
    0,
  );
  const isSame = (): boolean =>
    haveSignaturesHeld(encodeReadSet(reads), { files: filesOf(), world: world() });
  expect(isSame()).toBe(false);
  const options = { files: filesOf(), world: world() };
  expect(await checkReads(reads, { ...options, nowMs: Date.now() })).toEqual({
    holds: true,
    isRefreshed: false,
  });
  expect(isSame()).toBe(false);
  const checked = await checkReads(reads, { ...options, nowMs: Date.now() + 10_000 });
  expect(checked).toEqual({ holds: true, isRefreshed: true });
  expect(isSame()).toBe(true);
});

test.each([
  ['left alone', 10_000],
  ['changed a moment ago', 0],
])('of a directory on the way, %s before it was asked for, only the type matters', async (_, laterMs) => {
  const reads = await evaluate((io) => io.fileType(at('dir')), laterMs);
  const isSame = (): boolean =>
    haveSignaturesHeld(encodeReadSet(reads), { files: filesOf(), world: world() });
  expect(isSame()).toBe(true);
  fs.writeFileSync(join(root, 'dir/new'), 'beside');
  expect(isSame()).toBe(true);
  fs.rmSync(join(root, 'dir'), { recursive: true });
  expect(isSame()).toBe(false);
  fs.writeFileSync(join(root, 'dir'), 'a file now');
  expect(isSame()).toBe(false);
});

test('what changed while it was read cannot be kept', async () => {
  const type = await evaluate((io) => {
    void io.fileType(at('dir/file'));
    fs.rmSync(join(root, 'dir/file'));
  }, 0);
  expect(type.obstacle()).toContain('changed while it was read');
  fs.writeFileSync(join(root, 'dir/file'), 'contents');
  // Of contents what was read is known, so that they are merely not what is there.
  const contents = await evaluate((io) => {
    void io.readFile(at('dir/file'));
    fs.writeFileSync(join(root, 'dir/file'), 'CONTENTS');
  }, 0);
  expect(await change(contents)).toBe('the contents of /dir/file changed');
});

test('each region holds by itself', async () => {
  const reads = await evaluate((io) => {
    io.region = 'shared';
    void io.readFile(at('dir/file'));
    void io.fileType(at('dir'));
    io.region = 'own';
    void io.readFile(at('dir/inner/deep'));
    void io.fileType(at('dir'));
    void io.readDirectory(at('dir'));
  }, 10_000);
  const parts = { own: reads.of('own'), shared: reads.of('shared') };
  fs.writeFileSync(join(root, 'dir/new'), '');
  expect(await change(parts.shared)).toBeUndefined();
  expect(await change(parts.own)).toBe('the directory /dir has other entries');
  // Whoever uses the shared part depends on all of it.
  const user = await evaluate((io) => io.include(parts.shared, 'shared'), 10_000);
  expect(await change(user)).toBeUndefined();
  fs.writeFileSync(join(root, 'dir/file'), 'CONTENTS');
  expect(await change(user)).toBe('the contents of /dir/file changed');
  expect(user.of('own').paths.size).toBe(0);
  expect(await change(user.of('shared'))).toBe('the contents of /dir/file changed');
});

test('reads that are held without being decoded are looked at like all others', async () => {
  const image = await evaluate((io) => {
    io.region = 'shared';
    void io.readFile(at('dir/file'));
    void io.fileType(at('missing'));
  }, 10_000);
  const encoded = encodeReadSet(image.of('shared'));
  const user = await evaluate((io) => {
    io.hold(heldReads(encoded));
    void io.readFile(at('dir/inner/deep'));
  }, 10_000);
  expect(user.held).toHaveLength(1);
  expect(user.count()).toBe(image.paths.size + user.paths.size);
  const both = encodeReadSet(user);
  const options = { files: filesOf(), world: world() };
  const holds = async (): Promise<string | undefined> => {
    const decoded = decodeReadSet(both);
    if (decoded === undefined) throw new Error('what was encoded is damaged');
    const quick = haveSignaturesHeld(both, options);
    const checked = await checkReads(decoded, { ...options, nowMs: Date.now() });
    if (quick) expect(checked.holds).toBe(true);
    return checked.holds ? undefined : checked.change.replace(root, '');
  };
  expect(haveSignaturesHeld(both, options)).toBe(true);
  expect(await holds()).toBeUndefined();
  // What an image of this evaluation would depend on.
  expect([...user.of('shared').paths.keys()].sort()).toEqual([...image.of('shared').paths.keys()].sort());
  fs.writeFileSync(join(root, 'missing'), '');
  expect(haveSignaturesHeld(both, options)).toBe(false);
  expect(await holds()).toBe('/missing is there now');
  fs.rmSync(join(root, 'missing'));
  expect(await holds()).toBeUndefined();
  fs.writeFileSync(join(root, 'dir/file'), 'CONTENTS');
  expect(haveSignaturesHeld(both, options)).toBe(false);
  expect(await holds()).toBe('the contents of /dir/file changed');
});

test('what is at paths is known from reads that are held, and not asked again', async () => {
  fs.chmodSync(join(root, 'dir/file'), 0o755);
  const names = ['dir/file', 'dir/inner/deep', 'dir', 'way', 'missing'];
  const ask = (io: RecordingIO): unknown[] => names.map((name) => io.fileType(at(name)));
  let expected: unknown[] = [];
  const image = await evaluate((io) => {
    io.region = 'shared';
    expected = ask(io);
  }, 10_000);
  expect(expected).toEqual(['executable', 'regular', 'directory', 'symlink', undefined]);
  const held = heldReads(encodeReadSet(image.of('shared')));
  const user = await evaluate((io) => {
    io.hold(held);
    expect(ask(io)).toEqual(expected);
  }, 10_000);
  expect(user.paths.size).toBe(0);
  // As they stand in the file of an image.
  const moved = new Uint8Array(held.encoded.length + 3).subarray(3);
  moved.set(held.encoded);
  expect([...heldReads(moved).types()]).toEqual([...held.types()]);
});

test('reads that are held and damaged cannot be kept for another image', async () => {
  const encoded = Uint8Array.from(
    encodeReadSet(await evaluate((io) => void io.readFile(at('dir/file')), 10_000)),
  );
  // The last byte of the answers: JSON comes after it.
  const json = encoded.lastIndexOf(0) + 1;
  encoded[json - 2] = (encoded[json - 2] ?? 0) ^ 1;
  const user = await evaluate((io) => io.hold(heldReads(encoded)), 10_000);
  expect(user.of('shared').obstacle()).toBe('what an image has read is damaged');
});

test('the way to what a region has read is its too, whoever asked for it first', async () => {
  const reads = await evaluate((io) => {
    void io.fileType(at('dir'));
    void io.readLink(at('way'));
    void io.fileType(at('way'));
    io.region = 'shared';
    void io.readFile(at('way/file'));
  }, 10_000);
  const shared = reads.of('shared');
  expect([...shared.paths.keys()].map((it) => it.replace(root, '')).sort()).toEqual(['/way', '/way/file']);
  fs.mkdirSync(join(root, 'copy'));
  fs.copyFileSync(join(root, 'dir/file'), join(root, 'copy/file'));
  fs.rmSync(join(root, 'way'));
  fs.symlinkSync('copy', join(root, 'way'));
  expect(await change(shared)).toBe('the link /way leads elsewhere');
});

test('what was written has to be there', async () => {
  const io = new RecordingIO({
    ...{ storeDir: join(root, 'store'), writesStore: true, hash: sha256, nowMs: Date.now() },
    world: {
      ...world(),
      addTextToStore: () => `${root}/store/${storeObject}`,
      writeDerivation: () => undefined,
    },
  });
  await io.addTextToStore({ name: 'thing', contents: new Uint8Array(), references: [] });
  const reads = io.finish();
  signReads(reads, { files: filesOf(), storeIsFiles: true });
  expect(await change(reads)).toBeUndefined();
  fs.rmSync(join(root, `store/${storeObject}`), { recursive: true });
  expect(await change(reads)).toContain('which was written, is not there any more');
});

test('fetches that are not locked, and stores that would have to be asked, are obstacles', async () => {
  const fetched = { storePath: `${root}/store/${storeObject}`, attributes: new Map() };
  const obstacle = async (
    attributes: Record<string, string>,
    storeIsFiles: boolean,
  ): Promise<string | undefined> => {
    const io = new RecordingIO({
      ...{ storeDir: join(root, 'store'), writesStore: false, hash: sha256, nowMs: Date.now() },
      world: { ...world(), fetch: () => fetched },
    });
    await io.fetch?.({ kind: 'tarball', attributes: new Map(Object.entries(attributes)), pure: false });
    const reads = io.finish();
    signReads(reads, { files: filesOf(), storeIsFiles });
    return reads.obstacle();
  };
  const url = 'https://name:secret@example.org/a.tar.gz';
  expect(await obstacle({ url, sha256: 'sha256-x' }, false)).toBeUndefined();
  expect(await obstacle({ url }, true)).toMatch(
    /^it fetches https:.*example\.org\/a\.tar\.gz, which is not locked$/,
  );
  expect(await obstacle({ url }, true)).not.toContain('secret');
  fs.rmSync(join(root, `store/${storeObject}`), { recursive: true });
  expect(await obstacle({ url, sha256: 'sha256-x' }, true)).toContain('is for the store to know');
});
