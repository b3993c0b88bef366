// Archives made for the comparison, by the tar and zip of this machine and by hand.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const compressors = { gz: 'gzip', bz2: 'bzip2', xz: 'xz', zst: 'zstd' };

/**
 * @param {string} folder
 * @returns {readonly string[]} the names of the archives in it
 */
export function makeArchives(folder) {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'top/empty'), { recursive: true });
  writeFileSync(join(tree, 'top/file'), 'contents');
  writeFileSync(join(tree, 'top/run'), '#!/bin/sh\n', { mode: 0o755 });
  symlinkSync('file', join(tree, 'top/link'));
  writeFileSync(join(tree, 'beside'), 'beside');
  for (const [name, time] of Object.entries({
    'top/file': 1_200_000_000,
    'top/run': 1_300_000_001,
    beside: 1_000_000_000,
  })) {
    utimesSync(join(tree, name), time, time);
  }
  utimesSync(join(tree, 'top/empty'), 1_250_000_000, 1_250_000_000);
  utimesSync(join(tree, 'top'), 1_250_000_000, 1_250_000_000);
  const run = (/** @type {string[]} */ ...command) =>
    execFileSync(/** @type {string} */ (command[0]), command.slice(1), {
      cwd: tree,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const tar = (/** @type {string} */ name, /** @type {string[]} */ ...args) =>
    void run(
      'tar',
      '--create',
      '--file',
      join(folder, name),
      '--sort=name',
      '--owner=0',
      '--group=0',
      ...args,
    );
  const noLink = '--exclude=link';
  tar('one.tar', noLink, 'top');
  tar('pax.tar', '--format=pax', noLink, 'top');
  tar('dot.tar', noLink, './top');
  tar('file.tar', 'beside');
  tar('several.tar', noLink, 'top', 'beside');
  tar('link.tar', '--mtime=@1400000000', 'top');
  tar('none.tar', '--files-from=/dev/null');
  tar('old.tar', '--mtime=@-5', 'top');
  for (const [ending, program] of Object.entries(compressors)) {
    const output = execFileSync(program, ['-c', join(folder, 'one.tar')]);
    writeFileSync(join(folder, `one.tar.${ending}`), output);
  }
  run('zip', '-q', '-r', '-y', join(folder, 'unix.zip'), 'top', '-x', 'top/link');
  run('zip', '-q', '-r', '-X', join(folder, 'dos.zip'), 'top', '-x', 'top/link');
  writeFileSync(join(folder, 'half.tar.gz'), readFileSync(join(folder, 'one.tar.gz')).subarray(0, 100));
  writeFileSync(join(folder, 'not-an-archive.tar'), 'this is no archive\n');
  return [
    ...['one.tar', 'pax.tar', 'dot.tar', 'file.tar', 'several.tar', 'link.tar', 'none.tar', 'old.tar'],
    ...Object.keys(compressors).map((ending) => `one.tar.${ending}`),
    ...['unix.zip', 'dos.zip', 'half.tar.gz', 'not-an-archive.tar'],
  ];
}
