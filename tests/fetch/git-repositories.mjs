// Git repositories made for the comparison, by the git of this machine, always with the same commits.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const variables = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'C',
  GIT_COMMITTER_EMAIL: 'c@example.org',
};

let time = 1_100_000_000;

/**
 * @param {string} repository
 * @param {...string} args
 */
export function git(repository, ...args) {
  time += 1000;
  const dates = { GIT_AUTHOR_DATE: `${time} +0200`, GIT_COMMITTER_DATE: `${time + 7} -0300` };
  const allowed = ['-c', 'protocol.file.allow=always'];
  return execFileSync('git', [...allowed, ...args], {
    cwd: repository,
    env: { ...variables, ...dates },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  }).trim();
}

/**
 * @param {string} repository
 * @param {Record<string, string | { link: string } | { run: string }>} files
 */
export function write(repository, files) {
  for (const [name, contents] of Object.entries(files)) {
    const path = join(repository, name);
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    if (typeof contents === 'string') writeFileSync(path, contents);
    else if ('link' in contents) symlinkSync(contents.link, path);
    else {
      writeFileSync(path, contents.run);
      chmodSync(path, 0o755);
    }
  }
}

/** @param {string} repository */
export function commit(repository) {
  git(repository, 'add', '--all');
  git(repository, 'commit', '--quiet', '--allow-empty', '--message=message');
  return git(repository, 'rev-parse', 'HEAD');
}

/** @param {string} path */
function init(path) {
  mkdirSync(path);
  git(path, 'init', '--quiet', '--initial-branch=main');
  return path;
}

const plain = {
  'a/b/c.txt': 'text\n',
  'a.b': 'beside a',
  run: { run: '#!/bin/sh\n' },
  link: { link: 'a/b' },
  dangling: { link: '../nowhere' },
  empty: '',
  'name with space': 'x',
};

/**
 * Everything that the cases name, in `folder`.
 *
 * @param {string} folder
 */
export function makeRepositories(folder) {
  const at = (/** @type {string} */ name) => join(folder, name);
  const repo = init(at('repo'));
  write(repo, plain);
  const first = commit(repo);
  git(repo, 'tag', 'light');
  write(repo, { 'a.b': 'changed', 'more/x': 'more' });
  const second = commit(repo);
  git(repo, 'tag', '--annotate', '--message=tag', 'annotated');
  git(repo, 'checkout', '--quiet', '-b', 'side/branch', first);
  write(repo, { side: 'side' });
  const side = commit(repo);
  git(repo, 'checkout', '--quiet', 'main');
  git(folder, 'clone', '--quiet', '--bare', repo, at('bare.git'));
  // A commit that no branch and no tag has.
  git(repo, 'checkout', '--quiet', '--detach', first);
  write(repo, { hidden: 'x' });
  const hidden = commit(repo);
  git(repo, 'checkout', '--quiet', 'main');

  const dirty = at('dirty');
  git(folder, 'clone', '--quiet', repo, dirty);
  write(dirty, { 'a.b': 'dirty', untracked: 'x', staged: 'staged', intent: 'i', 'new/deep/file': 'x' });
  rmSync(join(dirty, 'run'));
  git(dirty, 'add', 'staged', 'new');
  git(dirty, 'add', '--intent-to-add', 'intent');
  git(dirty, 'rm', '--quiet', '--cached', 'empty');
  chmodSync(join(dirty, 'name with space'), 0o755);

  const touched = at('touched');
  git(folder, 'clone', '--quiet', repo, touched);
  write(touched, { untracked: 'only untracked' });

  init(at('no-commits'));
  const staged = init(at('only-staged'));
  write(staged, { file: 'staged' });
  git(staged, 'add', 'file');

  git(folder, 'clone', '--quiet', repo, at('detached'));
  git(at('detached'), 'checkout', '--quiet', '--detach', first);
  git(folder, 'clone', '--quiet', '--bare', at('detached'), at('detached.git'));
  git(at('detached.git'), 'update-ref', '--no-deref', 'HEAD', first);
  git(folder, 'clone', '--quiet', '--depth=1', `file://${repo}`, at('shallow'));
  git(repo, 'worktree', 'add', '--quiet', '-b', 'other', at('worktree'), first);

  const ignoring = init(at('ignoring'));
  write(ignoring, {
    '.gitattributes':
      '*.secret export-ignore\n/top export-ignore\nkept export-ignore=1\nback.secret -export-ignore\ndocs/ export-ignore\nname/ export-ignore\n',
    'sub/.gitattributes': 'local export-ignore\n',
    'a.secret': 'x',
    'back.secret': 'x',
    top: 'x',
    kept: 'x',
    'sub/local': 'x',
    'sub/top': 'x',
    'sub/a.secret': 'x',
    'folder.secret/inside': 'x',
    'docs/inside': 'x',
    name: 'a file, which the pattern of a folder does not mean',
  });
  commit(ignoring);
  git(folder, 'clone', '--quiet', '--bare', ignoring, at('ignoring.git'));

  const inner = init(at('inner'));
  write(inner, { inner: 'inner' });
  commit(inner);
  const middle = init(at('middle'));
  write(middle, { middle: 'middle' });
  git(middle, 'submodule', '--quiet', 'add', '../inner', 'deep/inner');
  const middleRevision = commit(middle);
  const outer = init(at('outer'));
  write(outer, { outer: 'outer' });
  git(outer, 'submodule', '--quiet', 'add', middle, 'libs/middle');
  const outerRevision = commit(outer);
  git(outer, 'submodule', '--quiet', 'update', '--init', '--recursive');
  for (const name of ['outer', 'middle', 'inner'])
    git(folder, 'clone', '--quiet', '--bare', at(name), at(`${name}.git`));

  const dirtyOuter = at('dirty-outer');
  git(folder, 'clone', '--quiet', '--recurse-submodules', outer, dirtyOuter);
  write(join(dirtyOuter, 'libs/middle'), { middle: 'dirty' });

  const filtered = init(at('crlf'));
  write(filtered, { '.gitattributes': '*.txt text eol=crlf\n', 'a.txt': 'line\n' });
  commit(filtered);
  rmSync(join(filtered, 'a.txt'));
  git(filtered, 'checkout', '--', 'a.txt');
  return { first, second, side, hidden, outerRevision, middleRevision };
}
