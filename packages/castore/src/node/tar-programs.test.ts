/**
 * Archives of GNU tar, in all of its formats, and of Python's tarfile are read as what was packed; what we write, GNU
 * tar unpacks. The trees have what makes formats differ: long names and targets, names that are not UTF-8, sparse
 * files, hard links, an empty directory.
 */
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import {
  chmod,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  readlink,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ArchiveMember } from '../archive/archive-member.ts';
import { ArchiveTree } from '../archive/archive-tree.ts';
import { readTar } from '../archive/read-tar.ts';
import { writeTar } from '../archive/write-tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'neve-tar-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function isGnuTar(): boolean {
  return spawnSync('tar', ['--version']).stdout?.toString().includes('GNU tar') ?? false;
}

function hasPython(): boolean {
  return spawnSync('python3', ['-c', '1']).status === 0;
}

function run(program: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C' },
  });
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr.toString()}`);
}

/** v7 and ustar cannot hold everything. */
async function makeTree(name: string, isFull: boolean): Promise<void> {
  const at = (...rest: readonly string[]): string => join(folder, name, ...rest);
  mkdirSync(at('dir', 'empty'), { recursive: true });
  await writeFile(at('dir', 'file'), 'contents');
  await writeFile(at('dir', 'run'), '#!/bin/sh\n');
  await chmod(at('dir', 'run'), 0o755);
  await writeFile(at('nothing'), '');
  await writeFile(at('block'), Buffer.alloc(512, 'b'));
  await symlink('../nowhere', at('dir', 'link'));
  await link(at('dir', 'file'), at('hard'));
  if (!isFull) return;
  await mkdir(at('d'.repeat(120), 'e'.repeat(120)), { recursive: true });
  await writeFile(at('d'.repeat(120), 'e'.repeat(120), 'ü'.repeat(60)), 'deep');
  await symlink('t'.repeat(200), at('long-target'));
  await writeFile(Buffer.concat([Buffer.from(at('x')), Buffer.from([0xff, 0xfe])]), 'not UTF-8');
}

async function makeSparse(name: string, parts: number): Promise<void> {
  const file = await open(join(folder, name), 'w');
  for (let index = 0; index < parts; index++) await file.write(`part ${index}`, index * 65_536 + 4096);
  await file.truncate(parts * 65_536 + 1000);
  await file.close();
}

/** One line an entry, what `ls` would say, with the hash of contents. */
async function describeFiles(name: string): Promise<string[]> {
  const lines: string[] = [];
  const visit = async (path: Buffer, shown: string): Promise<void> => {
    const stat = await lstat(path);
    if (stat.isSymbolicLink()) lines.push(`l ${shown} ${await readlink(path)}`);
    else if (stat.isFile())
      lines.push(`${stat.mode & 0o100 ? 'x' : 'f'} ${shown} ${sha256(await readFile(path))}`);
    else {
      lines.push(`d ${shown}`);
      for (const entry of await readdir(path, { encoding: 'buffer' })) {
        await visit(Buffer.concat([path, Buffer.from('/'), entry]), `${shown}/${entry.toString('latin1')}`);
      }
    }
  };
  await visit(Buffer.from(join(folder, name)), '');
  return lines.sort();
}

async function describeTar(archive: string): Promise<string[]> {
  const tree = new ArchiveTree<string>();
  for await (const member of readTar(createReadStream(join(folder, archive), { highWaterMark: 10_000 }))) {
    if (member.kind !== 'file') tree.add(member);
    else {
      const hash = createHash('sha256');
      let length = 0;
      for await (const piece of member.contents) {
        hash.update(piece);
        length += piece.length;
      }
      expect(length).toBe(member.sizeBytes);
      tree.add({ ...member, value: hash.digest('hex') });
    }
  }
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  return [...tree.entries('always')]
    .map((it) => {
      const shown = it.path.map((component) => `/${text(component)}`).join('');
      if (it.kind === 'directory') return `d ${shown}`;
      return it.kind === 'symlink'
        ? `l ${shown} ${text(it.target)}`
        : `${it.executable ? 'x' : 'f'} ${shown} ${it.value}`;
    })
    .sort();
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

beforeAll(async () => {
  await makeTree('small', false);
  await makeTree('full', true);
  mkdirSync(join(folder, 'sparse'));
  await makeSparse('sparse/few', 3);
  // More than the header of old GNU and one block after it hold.
  await makeSparse('sparse/many', 60);
  await makeSparse('sparse/hole', 0);
  await writeFile(join(folder, 'sparse', 'after'), 'after');
});

describe.skipIf(!isGnuTar())('GNU tar (skipped where tar is another program)', () => {
  test.each(['v7', 'ustar', 'oldgnu', 'gnu', 'pax'])('--format=%s', async (format) => {
    run('tar', 'cf', `small-${format}.tar`, `--format=${format}`, 'small');
    expect(await describeTar(`small-${format}.tar`)).toEqual(await describeFiles('small'));
  });

  test.each(['oldgnu', 'gnu', 'pax'])('--format=%s, everything', async (format) => {
    run('tar', 'cf', `full-${format}.tar`, `--format=${format}`, './full');
    expect(await describeTar(`full-${format}.tar`)).toEqual(await describeFiles('full'));
  });

  test.each([
    ['--format=oldgnu'],
    ['--format=gnu'],
    ['--format=pax', '--sparse-version=0.0'],
    ['--format=pax', '--sparse-version=0.1'],
    ['--format=pax', '--sparse-version=1.0'],
  ])('sparse, %s %s', async (...options) => {
    const name = `sparse${options.join('')}.tar`;
    run('tar', 'cf', name, '--sparse', '--hole-detection=raw', ...options, 'sparse');
    // Without its holes the archive is a fraction of the files; else nothing was tested.
    expect((await lstat(join(folder, name))).size).toBeLessThan(1_000_000);
    expect(await describeTar(name)).toEqual(await describeFiles('sparse'));
  });

  test('it unpacks what we write', async () => {
    run('tar', 'cf', 'again.tar', '--format=pax', 'full');
    const source = createReadStream(join(folder, 'again.tar'));
    await pipeline(Readable.from(writeTar(readTar(source))), async function (bytes: AsyncIterable<Buffer>) {
      await writeFile(join(folder, 'ours.tar'), bytes);
    });
    mkdirSync(join(folder, 'ours'));
    // Directories that cannot be written to come before what is in them.
    run('tar', 'xf', 'ours.tar', '--delay-directory-restore', '-C', 'ours');
    expect(await describeFiles('ours/full')).toEqual(await describeFiles('full'));
    run('chmod', '-R', 'u+w', 'ours');
  });

  test('it takes a member of 9 GiB as what it is', async () => {
    const size = 9 * 2 ** 30;
    const zeroes = new Uint8Array(1 << 16);
    const contents = async function* (): AsyncGenerator<Uint8Array, void, void> {
      for (;;) yield zeroes;
    };
    const member: ArchiveMember = {
      kind: 'file',
      path: [Buffer.from('big')],
      executable: false,
      sizeBytes: size,
      contents: contents(),
    };
    const head = (await writeTar([member]).next()).value as Uint8Array;
    const { stdout } = spawnSync('tar', ['tvf', '-'], { input: head });
    expect(stdout.toString()).toContain(String(size));
  });
});

describe.skipIf(!hasPython())("Python's tarfile (skipped where python3 is missing)", () => {
  test.each(['USTAR', 'GNU', 'PAX'])('%s_FORMAT', async (format) => {
    const tree = format === 'USTAR' ? 'small' : 'full';
    const program = `import sys, tarfile
with tarfile.open(sys.argv[1], 'w', format=tarfile.${format}_FORMAT) as it: it.add(sys.argv[2])`;
    run('python3', '-c', program, `python-${format}.tar`, tree);
    expect(await describeTar(`python-${format}.tar`)).toEqual(await describeFiles(tree));
  });
});
