import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LmdbEnvironment } from './lmdb-environment.ts';

const key = Buffer.from('key');

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-lmdb-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('what was written is there after opening again', async () => {
  {
    await using environment = await LmdbEnvironment.open(folder);
    const table = environment.table('a');
    await environment.write(() => table.putSync(key, Buffer.from('value')));
  }
  await using environment = await LmdbEnvironment.open(folder);
  expect(environment.table('a').get(key)?.toString()).toBe('value');
  expect(environment.table('b').get(key)).toBeUndefined();
});

test('a change that throws is not written, the others of its turn are', async () => {
  await using environment = await LmdbEnvironment.open(folder);
  const table = environment.table('a');
  const results = await Promise.allSettled([
    environment.write(() => table.putSync(Buffer.from('first'), key)),
    environment.write(() => {
      table.putSync(Buffer.from('second'), key);
      throw new Error('changed my mind');
    }),
    environment.write(() => table.putSync(Buffer.from('third'), key)),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(['first', 'second', 'third'].map((name) => table.doesExist(Buffer.from(name)))).toEqual([
    true,
    false,
    true,
  ]);
});

test('a folder is shared by its users and closed by the last', async () => {
  await using first = await LmdbEnvironment.open(folder);
  {
    await using second = await LmdbEnvironment.open(join(folder, '.'));
    await second.write(() => second.table('a').putSync(key, key));
  }
  expect(first.table('a').get(key)).toEqual(key);
});

test('a path that cannot be a folder is named', async () => {
  await expect(LmdbEnvironment.open('/dev/null/store')).rejects.toThrow("the database in '/dev/null/store'");
});

test('a file that is no database is named, and nothing crashes', async () => {
  const file = join(folder, 'data.mdb');
  for (const contents of ['x', 'nonsense '.repeat(2000)]) {
    await writeFile(file, contents);
    await expect(LmdbEnvironment.open(folder)).rejects.toThrow(
      `the database in '${folder}' cannot be opened: data.mdb is damaged: it is no LMDB database`,
    );
  }
  await truncate(file, 0);
  await using environment = await LmdbEnvironment.open(folder);
  await environment.write(() => environment.table('a').putSync(key, key));
});

test('a database that was cut off is named, and nothing crashes', async () => {
  {
    await using environment = await LmdbEnvironment.open(folder);
    for (const name of ['a', 'b', 'c']) {
      const table = environment.table(name);
      await environment.write(() => table.putSync(key, Buffer.alloc(10_000)));
    }
  }
  const file = join(folder, 'data.mdb');
  expect((await stat(file)).size).toBeGreaterThan(8192);
  for (const size of [8192, 5000, 100]) {
    await truncate(file, size);
    await expect(LmdbEnvironment.open(folder)).rejects.toThrow('data.mdb is damaged');
  }
});
