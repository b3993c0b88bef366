// Mercurial repositories made for the comparison, by the hg of this machine if there is one.

import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * False when there is no hg.
 *
 * @param {string} folder
 */
export function makeMercurialRepositories(folder) {
  const repository = join(folder, 'hg');
  mkdirSync(repository);
  try {
    hg(repository, 'init');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return false;
    throw error;
  }
  const at = (/** @type {string} */ name) => join(repository, name);
  mkdirSync(at('a'));
  writeFileSync(at('a/file'), 'text');
  writeFileSync(at('run'), '#!/bin/sh\n');
  chmodSync(at('run'), 0o755);
  symlinkSync('a/file', at('link'));
  commit(repository);
  writeFileSync(at('a/more'), 'more');
  commit(repository);
  hg(repository, 'branch', 'side');
  writeFileSync(at('side'), 'side');
  commit(repository);
  hg(repository, 'update', 'default');
  const dirty = join(folder, 'hg-dirty');
  hg(folder, 'clone', repository, dirty);
  appendFileSync(join(dirty, 'a/file'), 'dirty');
  rmSync(join(dirty, 'run'));
  writeFileSync(join(dirty, 'untracked'), 'x');
  writeFileSync(join(dirty, 'added'), 'x');
  hg(dirty, 'add', 'added');
  hg(dirty, 'remove', 'run');
  return true;
}

/** @param {string} repository */
function commit(repository) {
  hg(repository, 'commit', '--addremove', '--message=m', '--user=u', '--date=1100000000 0');
}

/**
 * @param {string} folder
 * @param {...string} args
 */
function hg(folder, ...args) {
  const env = { PATH: process.env['PATH'], HGPLAIN: '1', HOME: '/nonexistent' };
  execFileSync('hg', args, { cwd: folder, env, stdio: 'ignore' });
}
