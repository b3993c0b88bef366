/** Processes that are killed, and processes that write at the same time. They run a bundle of this package's sources. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeHex } from '@neve/bytes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChildProgram, storedBy } from '../../tests/child-program.ts';
import { B3Digest } from '../b3-digest.ts';
import type { DirectoryService } from '../directory-service.ts';
import { lmdbDirectories } from './lmdb-directories.ts';

/**
 * Stores closures of very different sizes for ever. `+<root>` is printed when one is stored, `-<root>` before all of it but
 * what others share is removed. With a count, it ends after so many closures and removes nothing.
 */
const program = `
  import { writeSync } from 'node:fs';
  import { Directory } from '../directory.ts';
  import { pathComponent, symlinkTarget } from '../path-component.ts';
  import { lmdbDirectories } from './lmdb-directories.ts';

  const [folder, seed, count = 'Infinity'] = process.argv.slice(2);
  const link = (target) => Directory.of([
    { name: pathComponent('link'), node: { kind: 'symlink', target: symlinkTarget(target) } },
  ]);
  const parent = (...children) => Directory.of(
    children.map(({ node }, index) => ({ name: pathComponent('d' + index), node })),
  );
  const shared = link('shared');
  const service = await lmdbDirectories(folder);
  const stored = [];
  for (let round = 0; round < Number(count); round++) {
    const own = [link(seed + ' ' + round)];
    const levels = Math.random() < 0.2 ? 1500 : 5;
    for (let level = 1; level < levels; level++) own.push(parent(own.at(-1), shared));
    const root = own.at(-1);
    const putter = service.putClosure();
    for (const directory of [shared, ...own]) await putter.put(directory);
    await putter.close();
    writeSync(1, '+' + root.digest.hex + '\\n');
    stored.push(own);
    if (count !== 'Infinity' || Math.random() < 0.5) continue;
    const old = stored.shift();
    writeSync(1, '-' + old.at(-1).digest.hex + '\\n');
    await service.inventory.remove(old.map(({ digest }) => digest), { unusedSinceMs: Infinity });
  }
  await service[Symbol.asyncDispose]();
`;

let child: ChildProgram;
let folder: string;

beforeAll(async () => {
  child = await ChildProgram.bundle(program);
  folder = await mkdtemp(join(tmpdir(), 'neve-crash-'));
});

afterAll(async () => {
  await child[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function expectSound(service: DirectoryService, roots: readonly string[]): Promise<number> {
  const problems: string[] = [];
  for await (const { problem } of service.inventory?.verify() ?? []) problems.push(problem);
  expect(problems).toEqual([]);
  let directories = 0;
  for (const hex of roots) {
    const before = directories;
    for await (const directory of service.closure(new B3Digest(decodeHex(hex)))) {
      if (directory.entries.length > 0) directories++;
    }
    expect(directories, `the closure of ${hex}`).toBeGreaterThan(before);
  }
  return directories;
}

test('a process that is killed while it stores and removes leaves everything sound', async () => {
  const acknowledged: string[] = [];
  let stored = 0;
  for (let round = 0; round < 20; round++) {
    const writer = child.start(folder, `round ${round}`);
    await writer.started;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
    writer.kill();
    expect(await writer.ended).toEqual({ code: null, signal: 'SIGKILL' });
    acknowledged.push(...storedBy(writer));
    stored += writer.lines.filter((line) => line.startsWith('+')).length;
    await using service = await lmdbDirectories(folder);
    await expectSound(service, acknowledged);
  }
  expect(stored).toBeGreaterThanOrEqual(20);
}, 120_000);

test('processes that write at the same time lose nothing', async () => {
  const writers = ['first', 'second', 'third'].map((name) => child.start(folder, name, '40'));
  await using service = await lmdbDirectories(folder);
  // They are read meanwhile.
  for (const writer of writers) {
    await writer.started;
    await expectSound(service, storedBy(writer));
  }
  const ends = await Promise.all(writers.map(({ ended }) => ended));
  expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
  const roots = writers.flatMap(storedBy);
  expect(roots.length).toBe(120);
  expect(await expectSound(service, roots)).toBeGreaterThan(600);
}, 120_000);
