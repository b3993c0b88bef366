import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LmdbEnvironment } from './lmdb-environment.ts';

const key = Buffer.from('key');

/** Writes 1, 2, … under one key with the library itself, and prints each number when it is on disk. */
const counter = `
  import { writeSync } from 'node:fs';
  import { open } from 'lmdb';
  const format = { keyEncoding: 'binary', encoding: 'binary' };
  const root = open(process.argv[1], { ...format, overlappingSync: false, maxDbs: 32 });
  const table = root.openDB({ name: 'a', ...format });
  for (let number = 1; number <= 500; number++) {
    table.putSync(Buffer.from('key'), Buffer.from(String(number)));
    writeSync(1, number + '\\n');
    await new Promise(setImmediate);
  }
  await root.close();
`;

/**
 * Has the database open, and its mutexes destroyed, as LMDB leaves them when the last process closes the database (glibc's
 * `pthread_mutex_destroy` sets the kind to -1; before it is that of a robust mutex that processes share, 0x90).
 */
const closer = `
  import { openSync, readFileSync, writeSync } from 'node:fs';
  import { open } from 'lmdb';
  open(process.argv[1], { overlappingSync: false, maxDbs: 32 });
  const locks = process.argv[1] + '/lock.mdb';
  const file = openSync(locks, 'r+');
  const bytes = readFileSync(file);
  const kinds = [];
  for (let at = 0; at < bytes.length; at += 4) if (bytes.readInt32LE(at) === 0x90) kinds.push(at);
  for (const at of kinds) writeSync(file, Buffer.alloc(4, 0xff), 0, 4, at);
  writeSync(1, kinds.length + ' destroyed');
  setInterval(() => {}, 1000);
`;

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
    await environment.write(() => table.put(key, Buffer.from('value')));
  }
  await using environment = await LmdbEnvironment.open(folder);
  expect(environment.table('a').get(key)?.toString()).toBe('value');
  expect(environment.table('b').get(key)).toBeUndefined();
});

test('a change that throws is not written, the others of its turn are', async () => {
  await using environment = await LmdbEnvironment.open(folder);
  const table = environment.table('a');
  const results = await Promise.allSettled([
    environment.write(() => table.put(Buffer.from('first'), key)),
    environment.write(() => {
      table.put(Buffer.from('second'), key);
      throw new Error('changed my mind');
    }),
    environment.write(() => table.put(Buffer.from('third'), key)),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(['first', 'second', 'third'].map((name) => table.has(Buffer.from(name)))).toEqual([
    true,
    false,
    true,
  ]);
});

test('a folder is shared by its users and closed by the last', async () => {
  await using first = await LmdbEnvironment.open(folder);
  {
    await using second = await LmdbEnvironment.open(join(folder, '.'));
    await second.write(() => second.table('a').put(key, key));
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
  await environment.write(() => environment.table('a').put(key, key));
});

test('a database that was cut off is named, and nothing crashes', async () => {
  {
    await using environment = await LmdbEnvironment.open(folder);
    for (const name of ['a', 'b', 'c']) {
      const table = environment.table(name);
      await environment.write(() => table.put(key, Buffer.alloc(10_000)));
    }
  }
  const file = join(folder, 'data.mdb');
  expect((await stat(file)).size).toBeGreaterThan(8192);
  for (const size of [8192, 5000, 100]) {
    await truncate(file, size);
    await expect(LmdbEnvironment.open(folder)).rejects.toThrow('data.mdb is damaged');
  }
});

test('what another process has committed is seen at once', async () => {
  await using environment = await LmdbEnvironment.open(folder);
  const table = environment.table('a');
  const child = spawn(process.execPath, ['--input-type=module', '-e', counter, folder], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [seen, printed]: [number[], number[]] = [[], []];
  // Somebody reads all the time, so that there always is a read transaction that could be used again.
  const reading = setInterval(() => table.get(key), 0);
  child.stdout.on('data', (text: Buffer) => {
    printed.push(Number(text.toString().trimEnd().split('\n').at(-1)));
    seen.push(Number(table.get(key)));
  });
  await exited;
  clearInterval(reading);
  expect(printed.at(-1)).toBe(500);
  expect(seen.filter((number, index) => number < (printed[index] ?? 0))).toEqual([]);
});

test('rows are read in pages, and those before and after stay readable meanwhile', async () => {
  await using environment = await LmdbEnvironment.open(folder);
  const table = environment.table('a');
  const keys = Array.from({ length: 1000 }, (_, index) => Buffer.from(String(index).padStart(4, '0')));
  await environment.write(() => {
    for (const it of keys) table.put(it, it);
  });
  const found: string[] = [];
  for (const row of table.rows()) {
    // Each of these reads renews the transaction, and opening another table ends it.
    await Promise.resolve();
    expect(table.get(row.key)).toEqual(row.value);
    if (found.length % 300 === 0) environment.table(`other-${found.length}`);
    found.push(row.key.toString());
  }
  expect(found).toEqual(keys.map(String));
  expect(table.range({ after: Buffer.from('0997') }).map((row) => row.key.toString())).toEqual([
    '0998',
    '0999',
  ]);
  expect(table.keys({ start: Buffer.from('0010'), end: Buffer.from('0012') }).map(String)).toEqual([
    '0010',
    '0011',
  ]);
});

test('reading what was closed is an error that names the folder', async () => {
  const environment = await LmdbEnvironment.open(folder);
  const table = environment.table('a');
  await environment[Symbol.asyncDispose]();
  expect(() => table.get(key)).toThrow(`the database in '${folder}' cannot be read: it was closed`);
});

test('opened while another process closes it as the last one', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', closer, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(said.toString()).toMatch(/^[1-9]\d* destroyed/);
  const opening = LmdbEnvironment.open(folder);
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.kill('SIGKILL');
  await using environment = await opening;
  const table = environment.table('a');
  await environment.write(() => table.put(key, Buffer.from('value')));
  expect(table.get(key)?.toString()).toBe('value');
});
