/** Processes that are killed, and processes that write at the same time. They run a bundle of this package's sources. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decodeHex } from '@neve/bytes';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

const sources = dirname(fileURLToPath(import.meta.url));
// Below the workspace, so that the bundle finds the native package.
const cache = join(sources, '../../../../node_modules/.cache');

let bundle: string;
let folder: string;

beforeAll(async () => {
  await mkdir(cache, { recursive: true });
  bundle = join(await mkdtemp(join(cache, 'neve-crash-')), 'child.mjs');
  folder = await mkdtemp(join(tmpdir(), 'neve-crash-'));
  await build({
    stdin: { contents: program, resolveDir: sources, sourcefile: 'child.ts', loader: 'ts' },
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['source'],
    external: ['lmdb'],
    logLevel: 'error',
  });
});

afterAll(async () => {
  await rm(dirname(bundle), { recursive: true });
  await rm(folder, { recursive: true });
});

type Child = { readonly process: ChildProcess; readonly lines: string[]; readonly ended: Promise<unknown> };

function start(...args: readonly string[]): Child {
  const child = spawn(process.execPath, [bundle, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { process: child, lines, ended: once(child, 'close') };
}

/** Waits for a line, so that the kill does not hit the start. */
async function firstLine({ lines, process: child }: Child): Promise<void> {
  while (lines.length === 0 && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What was stored and not removed, as `program` told. */
function rootsOf(lines: readonly string[]): readonly string[] {
  const roots = new Set<string>();
  for (const line of lines) {
    if (line.startsWith('+')) roots.add(line.slice(1));
    else roots.delete(line.slice(1));
  }
  return [...roots];
}

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
    const child = start(folder, `round ${round}`);
    await firstLine(child);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
    child.process.kill('SIGKILL');
    await child.ended;
    expect(child.process.signalCode).toBe('SIGKILL');
    acknowledged.push(...rootsOf(child.lines));
    stored += child.lines.filter((line) => line.startsWith('+')).length;
    await using service = await lmdbDirectories(folder);
    await expectSound(service, acknowledged);
  }
  expect(stored).toBeGreaterThanOrEqual(20);
}, 120_000);

test('processes that write at the same time lose nothing', async () => {
  const children = ['first', 'second', 'third'].map((name) => start(folder, name, '40'));
  await using service = await lmdbDirectories(folder);
  // They are read meanwhile.
  for (const child of children) {
    await firstLine(child);
    await expectSound(service, rootsOf(child.lines));
  }
  await Promise.all(children.map(({ ended }) => ended));
  expect(children.map(({ process: child }) => child.exitCode)).toEqual([0, 0, 0]);
  const roots = children.flatMap(({ lines }) => rootsOf(lines));
  expect(roots.length).toBe(120);
  expect(await expectSound(service, roots)).toBeGreaterThan(600);
}, 120_000);
