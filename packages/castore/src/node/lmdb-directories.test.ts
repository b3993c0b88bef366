import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Directory, emptyDirectory } from '../directory.ts';
import type { DirectoryInventory, DirectoryService } from '../directory-service.ts';
import { pathComponent, symlinkTarget } from '../path-component.ts';
import { directoryCompliance } from '../testing/directory-compliance.ts';
import { lmdbDirectories } from './lmdb-directories.ts';
import { LmdbEnvironment } from './lmdb-environment.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-directories-'));
});

afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

describe('directories in LMDB', () => {
  for (const { name, run } of directoryCompliance) {
    test(name, () => run(() => lmdbDirectories(folder), { gets: 'any', puts: 'any' }));
  }
});

function link(target: string): Directory {
  const node = { kind: 'symlink', target: symlinkTarget(target) } as const;
  return Directory.of([{ name: pathComponent('link'), node }]);
}

function parent(...children: readonly Directory[]): Directory {
  return Directory.of(children.map(({ node }, index) => ({ name: pathComponent(`d${index}`), node })));
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}

const leaf = link('leaf');
const middle = parent(leaf, emptyDirectory);
const root = parent(middle);
const closure = [leaf, emptyDirectory, middle, root];

async function putAll(service: DirectoryService, directories: readonly Directory[]): Promise<void> {
  await using putter = service.putClosure();
  for (const directory of directories) await putter.put(directory);
  await putter.close();
}

function inventoryOf({ inventory }: DirectoryService): DirectoryInventory {
  if (inventory === undefined) throw new Error('the service has no inventory');
  return inventory;
}

/** The recorded times by digests. */
async function times(service: DirectoryService): Promise<(directory: Directory) => number | undefined> {
  const stored = await collect(inventoryOf(service).list());
  const byHex = new Map(stored.map(({ digest, lastUsedMs }) => [digest.hex, lastUsedMs]));
  return ({ digest }) => byHex.get(digest.hex);
}

/** Directories that nothing else in these tests has, with many entries. */
function largeDirectories(count: number): readonly Directory[] {
  return Array.from({ length: count }, (_, index) =>
    Directory.of(
      Array.from({ length: 300 }, (__, entry) => ({
        name: pathComponent(`entry-${entry}`),
        node: { kind: 'symlink', target: symlinkTarget(`${index} ${'x'.repeat(4000)}`) },
      })),
    ),
  );
}

describe('when directories were used', () => {
  const start = Date.parse('2030-01-01T00:00:00Z');
  const minute = 60_000;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: start });
  });

  test('putting again is recorded when the last time is a minute ago', async () => {
    await using service = await lmdbDirectories(folder);
    await putAll(service, closure);
    vi.setSystemTime(start + minute - 1);
    await putAll(service, closure);
    await service.put(root);
    expect((await times(service))(root)).toBe(start);
    vi.setSystemTime(start + minute);
    await putAll(service, closure);
    const timeOf = await times(service);
    expect(closure.map(timeOf)).toEqual(closure.map(() => start + minute));
  });

  test('a single directory that is put is a use of everything below it', async () => {
    await using service = await lmdbDirectories(folder);
    await putAll(service, [leaf, emptyDirectory, middle]);
    vi.setSystemTime(start + 2 * minute);
    await service.put(root);
    let timeOf = await times(service);
    expect(closure.map(timeOf)).toEqual(closure.map(() => start + 2 * minute));
    vi.setSystemTime(start + 4 * minute);
    await service.put(root);
    timeOf = await times(service);
    expect(closure.map(timeOf)).toEqual(closure.map(() => start + 4 * minute));
  });

  test('no directory has a later time than one below it', async () => {
    await using service = await lmdbDirectories(folder);
    await service.put(leaf);
    vi.setSystemTime(start + minute / 2);
    await service.put(emptyDirectory);
    await service.put(middle);
    vi.setSystemTime(start + minute - 1);
    await service.put(root);
    const timeOf = await times(service);
    expect(closure.map(timeOf)).toEqual([start, start + minute / 2, start, start]);
    const digests = closure.map(({ digest }) => digest);
    await inventoryOf(service).remove(digests, { unusedSinceMs: start + 1 });
    expect(await collect(inventoryOf(service).verify())).toEqual([]);
    expect((await collect(inventoryOf(service).list())).map(({ digest }) => digest.hex)).toEqual([
      emptyDirectory.digest.hex,
    ]);
  });

  test('what was used since the limit stays', async () => {
    await using service = await lmdbDirectories(folder);
    await putAll(service, closure);
    const digests = closure.map(({ digest }) => digest);
    expect(await inventoryOf(service).remove(digests, { unusedSinceMs: start })).toBe(0);
    vi.setSystemTime(start + 2 * minute);
    await service.put(leaf);
    expect(await inventoryOf(service).remove(digests, { unusedSinceMs: start + 1 })).toBeGreaterThan(0);
    expect((await collect(inventoryOf(service).list())).map(({ digest }) => digest.hex)).toEqual([
      leaf.digest.hex,
    ]);
  });

  test('a collection by a clock that is ahead is not waited for', async () => {
    await using service = await lmdbDirectories(folder);
    await putAll(service, closure);
    await inventoryOf(service).announceCollection?.(start + 60 * minute);
    // Every look at the clock is a little later.
    let ticks = 0;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => start + 2 * minute + ticks++);
    await service.put(root);
    clock.mockRestore();
    const timeOf = await times(service);
    expect(closure.every((it) => (timeOf(it) ?? 0) >= start + 2 * minute)).toBe(true);
  });

  test('a time in the future does not last', async () => {
    await using service = await lmdbDirectories(folder);
    await service.put(leaf);
    vi.setSystemTime(start - 10 * minute);
    await service.put(leaf);
    expect((await times(service))(leaf)).toBe(start - 10 * minute);
  });
});

test('parents are removed before what they refer to, however many there are', async () => {
  await using service = await lmdbDirectories(folder);
  const levels = [leaf];
  for (let level = 1; level < 2500; level++) levels.push(parent(levels.at(-1) ?? leaf));
  await putAll(service, levels);
  const controller = new AbortController();
  const digests = levels.map(({ digest }) => digest);
  const removing = inventoryOf(service).remove(digests, { unusedSinceMs: Infinity }, controller.signal);
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(removing).rejects.toBe(reason);
  // The first batch had begun.
  expect((await collect(inventoryOf(service).list())).length).toBe(1500);
  expect(await collect(inventoryOf(service).verify())).toEqual([]);
});

test('a very large closure is stored in parts, each of them complete', async () => {
  await using service = await lmdbDirectories(folder);
  const directories = largeDirectories(16);
  const bytes = directories.reduce((sum, { encoded }) => sum + encoded.length, 0);
  expect(bytes).toBeGreaterThan(16 * 2 ** 20);
  {
    await using putter = service.putClosure();
    for (const directory of directories) await putter.put(directory);
    const stored = await collect(inventoryOf(service).list());
    expect(stored.length).toBeGreaterThan(0);
    expect(stored.length).toBeLessThan(16);
    expect(await collect(inventoryOf(service).verify())).toEqual([]);
  }
  const top = parent(...directories);
  await putAll(service, [...directories, top]);
  expect((await collect(service.closure(top.digest))).length).toBe(17);
});

test('damage is named, and can be removed', async () => {
  await using service = await lmdbDirectories(folder);
  await putAll(service, closure);
  await using environment = await LmdbEnvironment.open(folder);
  const table = environment.table('directories');
  const other = link('other');
  const wrongSize = Directory.of([{ name: pathComponent('d'), node: { ...leaf.node, size: 1000 } }]);
  const time = Buffer.alloc(8);
  await environment.write(() => {
    table.remove(Buffer.from(emptyDirectory.digest.bytes));
    table.put(Buffer.from(leaf.digest.bytes), Buffer.concat([time, other.encoded]));
    table.put(Buffer.from(other.digest.bytes), Buffer.concat([time, Buffer.from('what is this')]));
    table.put(Buffer.from(wrongSize.digest.bytes), Buffer.concat([time, wrongSize.encoded]));
    table.put(Buffer.alloc(32, 1), Buffer.alloc(3));
  });
  const damaged = await collect(inventoryOf(service).verify());
  const problems = new Map(damaged.map(({ digest, problem }) => [digest.hex, problem]));
  expect(problems.size).toBe(5);
  expect(problems.get(middle.digest.hex)).toContain(
    `${emptyDirectory.digest.toString()}, which is not there`,
  );
  expect(problems.get(leaf.digest.hex)).toContain(`there is ${other.digest.toString()}`);
  expect(problems.get(other.digest.hex)).toContain('is damaged');
  expect(problems.get(wrongSize.digest.hex)).toContain('records the size 1000');
  expect(problems.get('01'.repeat(32))).toContain('cut off');
  await expect(service.get(other.digest)).rejects.toMatchObject({ code: 'corrupt' });
  await expect(collect(service.closure(root.digest))).rejects.toMatchObject({ code: 'not-found' });
  const digests = damaged.map(({ digest }) => digest);
  await inventoryOf(service).remove(digests, { unusedSinceMs: Infinity });
  const left = await collect(inventoryOf(service).verify());
  expect(left.map(({ digest }) => digest.hex)).toEqual([root.digest.hex]);
});
