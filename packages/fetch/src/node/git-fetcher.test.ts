/**
 * Git repositories made here, fetched. That the results are those of Nix is shown by `tests/fetch`; here is what Nix has no
 * say in: what is remembered, what is refused, what a repository must not be able to do. Git is needed; without it the
 * tests are skipped and say so.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDigest } from '@neve/bytes';
import { nodeHashes as hashes } from '@neve/bytes/node';
import { descend, memoryBlobs, memoryDirectories, parsePath } from '@neve/castore';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { GitFetch } from '../fetch.ts';
import type { FetchEvent, Fetched, Fetcher } from '../fetcher.ts';
import { type FetcherOptions, createFetcher } from './create-fetcher.ts';

const hasGit = hasProgram('git');
const hasLfs = hasGit && hasProgram('git-lfs');

let folder: string;
let repository: string;
let fetchers: Fetcher[] = [];
let events: FetchEvent[] = [];
const blobs = memoryBlobs();
const directories = memoryDirectories();

function hasProgram(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-git-fetch-test-'));
  events = [];
  if (!hasGit) return;
  repository = init('repository');
  write(repository, { 'file.txt': 'one\n', 'a/b': 'x' });
  commit(repository);
});

afterEach(async () => {
  for (const fetcher of fetchers) await fetcher[Symbol.asyncDispose]();
  fetchers = [];
  rmSync(folder, { recursive: true });
});

function git(path: string, ...args: readonly string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@example.org',
    GIT_COMMITTER_NAME: 'C',
    GIT_COMMITTER_EMAIL: 'c@example.org',
    GIT_ALLOW_PROTOCOL: 'file',
  };
  return execFileSync('git', args, { cwd: path, env, stdio: 'pipe', encoding: 'utf8' }).trim();
}

function init(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  git(path, 'init', '--quiet', '--initial-branch=main');
  return path;
}

function write(path: string, files: Readonly<Record<string, string>>): void {
  for (const [name, contents] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true });
    writeFileSync(join(path, name), contents);
  }
}

function commit(path: string): string {
  git(path, 'add', '--all');
  git(path, 'commit', '--quiet', '--allow-empty', '--message=m');
  return git(path, 'rev-parse', 'HEAD');
}

function bare(name: string): string {
  git(folder, 'clone', '--quiet', '--bare', repository, join(folder, name));
  return `file://${join(folder, name)}`;
}

function push(url: string): void {
  git(repository, 'push', '--quiet', '--force', url, 'HEAD:main');
}

function fetcherWith(options: Partial<FetcherOptions> = {}): Fetcher {
  const environment = { PATH: process.env['PATH'], HOME: folder };
  const cacheFolder = join(folder, 'cache');
  const fetcher = createFetcher({ blobs, directories, hashes, cacheFolder, environment, ...options });
  fetchers.push(fetcher);
  return fetcher;
}

function request(url: string, more: Partial<GitFetch> = {}): GitFetch {
  const none = { ref: undefined, revision: undefined, narHash: undefined };
  const flags = { shallow: false, submodules: false, lfs: false, exportIgnore: false, allRefs: false };
  return { kind: 'git', name: 'source', url, ...none, ...flags, ...more };
}

function run(
  url: string,
  more: Partial<GitFetch> = {},
  options: Partial<FetcherOptions> = {},
): Promise<Fetched> {
  return fetcherWith(options).fetch(request(url, more), { onEvent: (event) => void events.push(event) });
}

function warnings(): readonly string[] {
  return events.flatMap((event) => (event.kind === 'warning' ? [event.message] : []));
}

async function textAt({ node }: Fetched, path: string): Promise<string | undefined> {
  const found = await descend(directories, node, parsePath(path));
  if (found?.kind !== 'file') return undefined;
  await using reader = await blobs.open(found.digest);
  return Buffer.from((await reader?.read(0, found.size)) ?? []).toString();
}

describe.skipIf(!hasGit)('git (skipped without the program git)', () => {
  test('a dirty work tree is taken with a warning, or refused', async () => {
    const head = git(repository, 'rev-parse', 'HEAD');
    write(repository, { 'file.txt': 'two\n', untracked: 'x' });
    const fetched = await run(repository);
    expect(warnings()).toEqual([`Git tree '${repository}' is dirty`]);
    expect(fetched.git).toEqual({
      revision: undefined,
      dirtyRevision: head,
      revisionCount: undefined,
      ref: undefined,
    });
    expect(await textAt(fetched, 'file.txt')).toBe('two\n');
    expect(await textAt(fetched, 'untracked')).toBeUndefined();
    await expect(run(repository, {}, { allowDirty: false })).rejects.toMatchObject({
      code: 'invalid-fetch',
      message: `Git tree '${repository}' is dirty`,
    });
  });

  test('a branch is good for the time to live, also in another process, and then fetched again', async () => {
    const url = bare('x.git');
    const first = await run(url);
    write(repository, { 'file.txt': 'two\n' });
    const second = commit(repository);
    push(url);
    expect(await run(url)).toEqual(first);
    expect((await run(url, {}, { ttlMs: 0 })).git).toMatchObject({ revision: second, revisionCount: 2 });
  });

  test('history that was written anew, and a branch that became a folder of branches', async () => {
    const url = bare('x.git');
    git(repository, 'push', '--quiet', url, 'HEAD:topic');
    const now = { ttlMs: 0 };
    await run(url, { ref: 'topic' }, now);
    git(repository, 'push', '--quiet', url, ':topic');
    write(repository, { 'file.txt': 'anew\n' });
    git(repository, 'commit', '--quiet', '--all', '--amend', '--message=other');
    git(repository, 'push', '--quiet', url, 'HEAD:topic/x');
    push(url);
    const revision = git(repository, 'rev-parse', 'HEAD');
    expect((await run(url, { ref: 'topic/x' }, now)).git?.revision).toBe(revision);
    expect((await run(url, { ref: 'main' }, now)).git).toMatchObject({ revision, revisionCount: 1 });
    expect((await run(url, { ref: 'topic/x', allRefs: true }, now)).git?.revision).toBe(revision);
  });

  test('when the repository has gone, the branch as it was is given with a warning, and a revision without', async () => {
    const url = bare('x.git');
    const first = await run(url);
    // A folder that is no repository.
    rmSync(join(folder, 'x.git'), { recursive: true });
    mkdirSync(join(folder, 'x.git'));
    expect(await run(url, {}, { ttlMs: 0 })).toEqual(first);
    expect(warnings().at(-1)).toMatch(/continuing with the most recent version$/);
    events = [];
    const revision = first.git?.revision;
    expect((await run(url, { revision, ref: 'main' }, { ttlMs: 0 })).node).toEqual(first.node);
    expect(events).toEqual([]);
  });

  test('what has another hash is refused', async () => {
    const narHash = parseDigest('sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
    const { narHash: got } = await run(repository);
    await expect(run(repository, { narHash })).rejects.toMatchObject({
      code: 'hash-mismatch',
      message: expect.stringMatching(/^NAR hash mismatch in input '.*', expected 'sha256-47DEQ/),
      got: got.format('sri'),
    });
    expect((await run(repository, { narHash: got })).narHash).toEqual(got);
  });

  test('several at once, in one process and by several fetchers, fetch one after another', async () => {
    const url = bare('x.git');
    const all = await Promise.all(Array.from({ length: 6 }, () => run(url, {}, { ttlMs: 0 })));
    expect(new Set(all.map(({ narHash }) => narHash.format('sri'))).size).toBe(1);
  });

  test('what an interrupted fetch has left behind is no obstacle', async () => {
    const url = bare('x.git');
    await run(url, { shallow: true });
    const [name = ''] = readdirSync(join(folder, 'cache/git'));
    writeFileSync(join(folder, 'cache/git', name, 'shallow.lock'), '');
    mkdirSync(join(folder, 'cache/git', `${name}.new-abcdef`));
    write(repository, { 'file.txt': 'two\n' });
    const revision = commit(repository);
    push(url);
    expect((await run(url, { shallow: true }, { ttlMs: 0 })).git?.revision).toBe(revision);
  });

  test('submodules with relative URLs, from where the repository was fetched', async () => {
    const outer = init('outer');
    bare('inner.git');
    git(
      outer,
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      join(folder, 'inner.git'),
      'libs/inner',
    );
    write(outer, { '.gitmodules': '[submodule "i"]\n\tpath = libs/inner\n\turl = ../inner.git\n' });
    commit(outer);
    git(folder, 'clone', '--quiet', '--bare', outer, join(folder, 'outer.git'));
    const fetched = await run(`file://${join(folder, 'outer.git')}`, { submodules: true });
    expect(await textAt(fetched, 'libs/inner/a/b')).toBe('x');
  });

  test('a submodule cannot be put outside of its repository', async () => {
    const revision = git(repository, 'rev-parse', 'HEAD');
    const outer = init('outer');
    write(outer, { '.gitmodules': '[submodule "i"]\n\tpath = ../evil\n\turl = ../repository\n' });
    git(outer, 'add', '.gitmodules');
    git(outer, 'update-index', '--add', '--cacheinfo', `160000,${revision},sub`);
    git(outer, 'commit', '--quiet', '--message=m');
    await expect(run(outer, { submodules: true, ref: 'main' })).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('a repository cannot run anything: filters, hooks, file monitors, programs for ssh', async () => {
    const mark = join(folder, 'was-run');
    write(repository, { '.gitattributes': '*.txt filter=evil\n' });
    commit(repository);
    for (const name of [
      'filter.evil.clean',
      'filter.evil.smudge',
      'filter.evil.process',
      'core.fsmonitor',
      'core.sshCommand',
    ]) {
      git(repository, 'config', name, `touch ${mark}; cat`);
    }
    write(repository, {
      '.git/hooks/post-index-change': `#!/bin/sh\ntouch ${mark}\n`,
      'file.txt': 'touched\n',
    });
    chmodSync(join(repository, '.git/hooks/post-index-change'), 0o755);
    await run(repository);
    await run(repository, { ref: 'main' });
    expect(existsSync(mark)).toBe(false);
  });

  test.each([
    ['ext::sh -c "touch MARK"', 'invalid-fetch'],
    ['ext+ssh://x/touch', 'invalid-fetch'],
    ['--upload-pack=touch MARK', 'not-found'],
    ['ssh://-oProxyCommand=touch%20MARK/x', 'not-found'],
  ])('%s runs nothing', async (url, code) => {
    const mark = join(folder, 'was-run');
    await expect(run(url.replace('MARK', mark))).rejects.toMatchObject({ name: 'FetchError', code });
    expect(existsSync(mark)).toBe(false);
  });

  test('a reference that looks like an option is none', async () => {
    const url = bare('x.git');
    for (const place of [url, repository]) {
      await expect(run(place, { ref: '--upload-pack=touch x' })).rejects.toMatchObject({
        name: 'FetchError',
      });
    }
  });

  test('variables for git that point elsewhere are not passed on', async () => {
    const environment = {
      PATH: process.env['PATH'],
      HOME: folder,
      GIT_DIR: '/nowhere',
      GIT_WORK_TREE: '/nowhere',
      GIT_INDEX_FILE: '/nowhere',
      GIT_OBJECT_DIRECTORY: '/nowhere',
      GIT_CONFIG_PARAMETERS: "'core.bare=maybe'",
    };
    const url = bare('x.git');
    expect((await run(url, {}, { environment })).node).toEqual((await run(repository)).node);
  });

  test('passwords are in no error, event or result, and not on the disk', async () => {
    const error = await run('http://user:hunter2@127.0.0.1:1/x.git').catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'not-found' });
    expect(`${String(error)}${JSON.stringify(events)}`).not.toContain('hunter2');
    await Promise.all(fetchers.map((it) => it[Symbol.asyncDispose]()));
    const files = readdirSync(join(folder, 'cache'), { recursive: true, withFileTypes: true });
    const kept = files.filter((it) => it.isFile()).map((it) => readFileSync(join(it.parentPath, it.name)));
    expect(kept.length).toBeGreaterThan(1);
    expect(kept.some((bytes) => bytes.includes('hunter2'))).toBe(false);
  });

  test('without git it is said what to install', async () => {
    const environment = { PATH: join(folder, 'nothing') };
    await expect(run(bare('x.git'), {}, { environment })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/'git' .* install it, for example by 'apt install git'/),
    });
  });

  test('it can be given up', async () => {
    const controller = new AbortController();
    const fetching = fetcherWith().fetch(request(bare('x.git')), { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(fetching).rejects.toThrow('enough');
  });

  test('a repository that moved is still the one of its path', async () => {
    const moved = join(folder, 'moved');
    renameSync(repository, moved);
    expect((await run(moved)).git?.revisionCount).toBe(1);
  });

  test('LFS without git-lfs: it is said what to install', async () => {
    const onlyGit = join(folder, 'bin');
    mkdirSync(onlyGit);
    writeFileSync(join(onlyGit, 'git'), `#!/bin/sh\nPATH=${process.env['PATH']} exec git "$@"\n`, {
      mode: 0o755,
    });
    await expect(
      run(repository, { lfs: true, ref: 'main' }, { environment: { PATH: onlyGit } }),
    ).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining("'apt install git-lfs'"),
    });
  });

  test.skipIf(!hasLfs)('LFS (skipped without the program git-lfs)', async () => {
    git(repository, 'lfs', 'install', '--local');
    git(repository, 'lfs', 'track', '*.bin');
    write(repository, { 'a/large.bin': 'contents that are large', run: '' });
    chmodSync(join(repository, 'a/large.bin'), 0o755);
    commit(repository);
    const url = bare('x.git');
    git(repository, 'lfs', 'push', '--all', url);
    const pointers = await run(url);
    expect(await textAt(pointers, 'a/large.bin')).toMatch(/^version https:\/\/git-lfs/);
    const fetched = await run(url, { lfs: true });
    expect(await textAt(fetched, 'a/large.bin')).toBe('contents that are large');
    expect(await textAt(fetched, 'file.txt')).toBe('one\n');
    const node = await descend(directories, fetched.node, parsePath('a/large.bin'));
    expect(node).toMatchObject({ kind: 'file', executable: true });
  });
});
