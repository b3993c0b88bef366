/**
 * Trees of git repositories, made here by git, against what `git archive` and a checkout give of them. Git is needed; without
 * it the tests are skipped and say so.
 */
import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archiveEntries } from '../archive-entries.ts';
import { readTar } from '../archive/read-tar.ts';
import { ingestEntries } from '../ingest-entries.ts';
import type { IngestionEntry } from '../ingestion-entry.ts';
import { memoryBlobs } from '../memory-blobs.ts';
import { memoryDirectories } from '../memory-directories.ts';
import type { Node } from '../node.ts';
import { parsePath, showPath } from '../path-component.ts';
import { fileSystemEntries } from './file-system-entries.ts';
import { type GitEntriesOptions, gitEntries } from './git-entries.ts';
import { resolveRevision } from './git-revision.ts';

const gitVersion = versionOfGit();

const environment = {
  PATH: process.env['PATH'],
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'A',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_AUTHOR_DATE: '1000000000 +0200',
  GIT_COMMITTER_NAME: 'C',
  GIT_COMMITTER_EMAIL: 'c@example.org',
  GIT_COMMITTER_DATE: '1234567890 -0300',
};

let folder: string;
const blobs = memoryBlobs();
const directories = memoryDirectories();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-git-test-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function versionOfGit(): string | undefined {
  try {
    return execFileSync('git', ['--version'], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
}

function git(repository: string, ...args: readonly string[]): Buffer {
  const allowed = ['-c', 'protocol.file.allow=always', '-c', 'core.autocrlf=false'];
  return execFileSync('git', [...allowed, ...args], {
    cwd: repository,
    env: environment,
    stdio: 'pipe',
    maxBuffer: 1 << 28,
  });
}

function write(
  repository: string,
  path: string | Uint8Array,
  contents: string | Uint8Array,
  mode = 0o644,
): void {
  const full = Buffer.concat([
    Buffer.from(`${repository}/`),
    typeof path === 'string' ? Buffer.from(path) : path,
  ]);
  mkdirSync(dirname(full.toString('latin1')), { recursive: true });
  writeFileSync(full, contents);
  chmodSync(full, mode);
}

function init(name: string, ...args: readonly string[]): string {
  const repository = join(folder, name);
  mkdirSync(repository);
  git(repository, 'init', '--quiet', '--initial-branch=main', ...args);
  return repository;
}

function commit(repository: string): string {
  git(repository, 'add', '--all');
  git(repository, 'commit', '--quiet', '--allow-empty', '--message=message');
  return git(repository, 'rev-parse', 'HEAD').toString().trim();
}

/** A bit of everything that a tree can have. */
function sample(name: string, ...args: readonly string[]): string {
  const repository = init(name, ...args);
  write(repository, 'run', '#!/bin/sh\n', 0o755);
  write(repository, 'empty', '');
  write(repository, 'a.b/file', 'sorted behind a/ by git, before it by names\r\n');
  write(repository, 'a/deep/er/file', 'x\n');
  write(repository, 'a-b', 'text');
  write(repository, 'name with\nnewline\t"', 'odd');
  write(repository, Buffer.from([0x66, 0xff, 0x80, 0x66]), 'not UTF-8');
  write(repository, 'large', Buffer.alloc(3 << 20, 'some bytes that repeat; '));
  write(repository, 'pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
  symlinkSync('../nowhere/at all', join(repository, 'a/link'));
  symlinkSync(Buffer.from([0x66, 0xff]), join(repository, 'bytes'));
  commit(repository);
  return repository;
}

function ingest(entries: AsyncIterable<IngestionEntry>): Promise<Node> {
  return ingestEntries(directories, entries);
}

function importGit(
  repository: string,
  revision: string,
  options: Partial<GitEntriesOptions> = {},
): Promise<Node> {
  return ingest(gitEntries(repository, revision, { blobs, ...options }));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes;
}

/** What the other importer makes of `git archive`. */
function archived(repository: string, revision: string, ...args: readonly string[]): Promise<Node> {
  const tar = git(repository, 'archive', '--format=tar', ...args, revision);
  return ingest(archiveEntries(readTar(once(tar)), { blobs, strip: 'never' }));
}

async function namesIn(entries: AsyncIterable<IngestionEntry>): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { kind, path } of entries)
    names.push(`${showPath(path)}${kind === 'directory' ? '/' : ''}`);
  return names;
}

async function codeOf(act: Promise<unknown>): Promise<unknown> {
  return await act.catch((error: unknown) =>
    error instanceof Error && 'code' in error ? error.code : error,
  );
}

describe.skipIf(gitVersion === undefined)('git (skipped without the program git)', () => {
  test.each(['sha1', 'sha256'])('a tree is what git archive and a checkout have, with %s', async (format) => {
    const repository = sample(`sample-${format}`, `--object-format=${format}`);
    const node = await importGit(repository, 'HEAD');
    expect(node).toEqual(await archived(repository, 'HEAD'));
    const filter: GitEntriesOptions & { filter: (path: ReturnType<typeof parsePath>) => boolean } = {
      blobs,
      filter: ([first]) => String(first) !== '.git',
    };
    expect(node).toEqual(await ingest(fileSystemEntries(repository, filter)));
  });

  test('every way to name a revision, also in a bare repository', async () => {
    const repository = sample('names');
    const first = git(repository, 'rev-parse', 'HEAD').toString().trim();
    git(repository, 'tag', 'light');
    git(repository, 'tag', '--annotate', '--message=tag', 'annotated');
    git(repository, 'tag', '--annotate', '--message=tag of a tag', 'twice', 'annotated');
    const node = await importGit(repository, first);
    write(repository, 'more', 'more');
    const second = commit(repository);
    const bare = join(folder, 'names.git');
    git(repository, 'clone', '--quiet', '--bare', repository, bare);
    const tree = git(repository, 'rev-parse', 'light^{tree}').toString().trim();
    for (const place of [repository, bare, join(repository, '.git')]) {
      for (const revision of [
        'light',
        'annotated',
        'twice',
        'HEAD~1',
        'main^',
        first.slice(0, 10),
        'refs/tags/light',
      ]) {
        const found = await resolveRevision(place, revision, { revCount: true });
        expect(found).toEqual({ commit: first, tree, commitTimeSeconds: 1234567890, revCount: 1 });
      }
      expect(await importGit(place, 'annotated')).toEqual(node);
      expect(await resolveRevision(place, 'main', { revCount: true })).toMatchObject({
        commit: second,
        revCount: 2,
      });
    }
  });

  test('a second work tree', async () => {
    const repository = sample('worktrees');
    const second = join(folder, 'second');
    git(repository, 'worktree', 'add', '--quiet', '-b', 'other', second);
    expect(await importGit(second, 'other')).toEqual(await importGit(repository, 'main'));
  });

  test('the configuration of the user and filters of the repository have no say', async () => {
    const repository = init('config');
    write(repository, '.gitattributes', '*.txt text eol=crlf\n*.bin filter=evil\n*.id ident\n');
    write(repository, 'a.txt', 'line\n');
    write(repository, 'a.bin', 'bytes');
    write(repository, 'a.id', '$Id$\n');
    commit(repository);
    git(repository, 'config', 'filter.evil.smudge', `touch ${folder}/smudged; cat`);
    git(repository, 'config', 'core.fsmonitor', `touch ${folder}/monitored`);
    write(repository, '.git/hooks/post-index-change', `#!/bin/sh\ntouch ${folder}/hooked\n`, 0o755);
    const kept: Record<string, string> = {};
    for (const exportIgnore of [false, true]) {
      for await (const entry of gitEntries(repository, 'HEAD', { blobs, exportIgnore })) {
        if (entry.kind !== 'file') continue;
        await using reader = await blobs.open(entry.digest);
        kept[showPath(entry.path)] = Buffer.from((await reader?.read(0, 100)) ?? []).toString();
      }
    }
    expect(kept).toMatchObject({ 'a.txt': 'line\n', 'a.bin': 'bytes', 'a.id': '$Id$\n' });
    expect(readdirSync(folder).filter((name) => /smudged|monitored|hooked/.test(name))).toEqual([]);
  });

  test('a replaced object is the one that its id names', async () => {
    const repository = sample('replaced');
    const node = await importGit(repository, 'HEAD');
    const [from = '', to = ''] = ['run', 'a-b'].map((it) =>
      git(repository, 'rev-parse', `HEAD:${it}`).toString().trim(),
    );
    git(repository, 'replace', from, to);
    expect(await importGit(repository, 'HEAD')).toEqual(node);
  });

  test('an empty tree, and empty trees in a tree', async () => {
    const repository = init('empty');
    commit(repository);
    expect(await namesIn(gitEntries(repository, 'HEAD', { blobs }))).toEqual(['./']);
    const empty = git(repository, 'write-tree').toString().trim();
    const tree = execFileSync('git', ['mktree'], {
      cwd: repository,
      env: environment,
      input: `040000 tree ${empty}\tb\n`,
      encoding: 'utf8',
    }).trim();
    const made = git(repository, 'commit-tree', '-m', 'm', tree).toString().trim();
    expect(await namesIn(gitEntries(repository, made, { blobs }))).toEqual(['b/', './']);
  });

  test('a subdirectory, a file and a link as the root', async () => {
    const repository = sample('subdirectory');
    const at = (path: string): Promise<Node> =>
      importGit(repository, 'HEAD', { subdirectory: parsePath(path) });
    expect(await at('a')).toEqual(await archived(repository, 'HEAD:a'));
    expect(await at('a/deep/er')).toEqual(await archived(repository, 'HEAD:a/deep/er'));
    expect(await at('run')).toMatchObject({ kind: 'file', executable: true, size: 10 });
    expect((await at('a/link')).kind).toBe('symlink');
    await expect(at('a/nothing')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`'a/nothing'`),
    });
    expect(await codeOf(at('run/below'))).toBe('not-found');
  });

  test('export-ignore', async () => {
    const repository = init('ignore');
    write(
      repository,
      '.gitattributes',
      '*.secret export-ignore\n/top export-ignore\ndocs/ export-ignore\nkept export-ignore=1\nback.secret -export-ignore\n',
    );
    write(repository, 'sub/.gitattributes', 'local export-ignore\n');
    for (const name of [
      'a.secret',
      'back.secret',
      'top',
      'docs/deep/file',
      'kept',
      'sub/local',
      'local',
      'sub/top',
      'f\xff.secret',
      'new\nline.secret',
      'gone/a.secret',
    ])
      write(repository, Buffer.from(name, 'latin1'), name);
    symlinkSync('x', join(repository, 'link.secret'));
    commit(repository);
    const node = await importGit(repository, 'HEAD', { exportIgnore: true });
    expect(node).toEqual(await archived(repository, 'HEAD'));
    expect(node).not.toEqual(await importGit(repository, 'HEAD'));
    const asFiles = await namesIn(
      gitEntries(repository, 'HEAD', { blobs, exportIgnore: true, folderPatterns: false }),
    );
    expect(asFiles).toContain('docs/deep/file');
    expect(asFiles).not.toContain('top');
    // The attributes of the revision count, not those of the work tree.
    write(repository, '.gitattributes', '');
    expect(await importGit(repository, 'HEAD', { exportIgnore: true })).toEqual(node);
    const bare = join(folder, 'ignore.git');
    git(repository, 'clone', '--quiet', '--bare', repository, bare);
    expect(await importGit(bare, 'HEAD', { exportIgnore: true })).toEqual(node);
    expect(await codeOf(importGit(bare, 'HEAD', { exportIgnore: true, submodules: true }))).toBe(
      'unsupported',
    );
  });

  test('submodules, nested ones too', async () => {
    const [leaf, inner] = [sample('leaf'), sample('inner')];
    git(inner, 'submodule', '--quiet', 'add', leaf, 'below/leaf');
    commit(inner);
    const outer = init('outer');
    write(outer, 'file', 'x');
    git(outer, 'submodule', '--quiet', 'add', '--name', 'odd name/x', inner, 'libs/inner');
    commit(outer);
    // Without them: as in the archive, where git writes the empty directory.
    expect(await importGit(outer, 'HEAD')).toEqual(await archived(outer, 'HEAD'));

    // From the URLs: the modules of `inner` were not fetched into `outer`.
    const whole = await importGit(outer, 'HEAD', { submodules: true });
    const clone = join(folder, 'outer-clone');
    git(folder, 'clone', '--quiet', '--recurse-submodules', outer, clone);
    const filter = (path: ReturnType<typeof parsePath>): boolean => String(path.at(-1)) !== '.git';
    expect(whole).toEqual(await ingest(fileSystemEntries(clone, { blobs, filter })));
    const part = await importGit(outer, 'HEAD', {
      submodules: true,
      subdirectory: parsePath('libs/inner/below/leaf/a'),
    });
    expect(part).toEqual(await archived(leaf, 'HEAD:a'));

    // From the clone's own folder for modules, when the places in the URLs have gone.
    rmSync(leaf, { recursive: true });
    rmSync(inner, { recursive: true });
    expect(await importGit(clone, 'HEAD', { submodules: true })).toEqual(whole);
    const bare = join(folder, 'outer.git');
    git(folder, 'clone', '--quiet', '--bare', outer, bare);
    await expect(importGit(bare, 'HEAD', { submodules: true })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/submodule 'libs\/inner'.*git submodule update/),
    });
  });

  test('a submodule with a name that leads outside is not looked for there', async () => {
    const outer = init('escape');
    const other = sample('escaped');
    const id = git(other, 'rev-parse', 'HEAD').toString().trim();
    write(
      outer,
      '.gitmodules',
      `[submodule "../../../escaped"]\n\tpath = sub\n\turl = https://example.org/x\n`,
    );
    git(outer, 'add', '.gitmodules');
    git(outer, 'update-index', '--add', '--cacheinfo', `160000,${id},sub`);
    git(outer, 'commit', '--quiet', '--message=m');
    expect(await codeOf(importGit(outer, 'HEAD', { submodules: true }))).toBe('not-found');
  });

  test('a shallow clone has its tree, but no count', async () => {
    const repository = sample('long');
    write(repository, 'more', 'x');
    commit(repository);
    const shallow = join(folder, 'shallow');
    git(folder, 'clone', '--quiet', '--depth=1', `file://${repository}`, shallow);
    expect(await importGit(shallow, 'HEAD')).toEqual(await importGit(repository, 'HEAD'));
    expect(await codeOf(resolveRevision(shallow, 'HEAD', { revCount: true }))).toBe('unsupported');
    expect(await codeOf(resolveRevision(shallow, 'HEAD~1'))).toBe('not-found');
  });

  test('objects are not fetched from elsewhere', async () => {
    const repository = sample('promisor');
    git(repository, 'config', 'uploadpack.allowFilter', 'true');
    const partial = join(folder, 'partial');
    git(folder, 'clone', '--quiet', '--no-checkout', '--filter=blob:none', `file://${repository}`, partial);
    expect(['not-found', 'io']).toContain(await codeOf(importGit(partial, 'HEAD')));
    expect(git(partial, 'count-objects', '-v').toString()).toMatch(/packs: 1\n/);
  });

  test('missing and damaged objects are named', async () => {
    const repository = sample('damaged');
    const fileOf = (name: string): readonly [id: string, file: string] => {
      const id = git(repository, 'rev-parse', `HEAD:${name}`).toString().trim();
      return [id, join(repository, '.git/objects', id.slice(0, 2), id.slice(2))];
    };
    const [large, largeFile] = fileOf('large');
    chmodSync(largeFile, 0o644);
    writeFileSync(largeFile, 'rubbish');
    await expect(importGit(repository, 'HEAD')).rejects.toMatchObject({
      message: expect.stringContaining(large),
    });
    rmSync(largeFile);
    await expect(importGit(repository, 'HEAD')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(new RegExp(`${repository}.*${large}.*git fsck`)),
    });
    const [tree, treeFile] = fileOf('a/deep');
    rmSync(treeFile);
    await expect(importGit(repository, 'HEAD')).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining(tree),
    });
  });

  test('what cannot be a repository or a revision is named', async () => {
    const repository = sample('mistakes');
    mkdirSync(join(repository, 'inside'));
    for (const place of [join(repository, 'inside'), join(folder, 'nowhere'), join(repository, 'run')]) {
      await expect(importGit(place, 'HEAD')).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringContaining(place),
      });
    }
    for (const revision of ['nothing', '0'.repeat(40), '--all', '', 'HEAD:run', 'a\0b', 'HEAD HEAD']) {
      await expect(importGit(repository, revision)).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringContaining(`'${revision}'`),
      });
    }
    const unborn = init('unborn');
    expect(await codeOf(importGit(unborn, 'HEAD'))).toBe('not-found');
  });

  test('a missing program is named', async () => {
    const repository = sample('without');
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      await expect(importGit(repository, 'HEAD')).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining('install it'),
      });
    } finally {
      process.env['PATH'] = path;
    }
  });

  test('it is given up when asked to, and ends its programs when nobody listens any more', async () => {
    const repository = sample('cancel');
    const controller = new AbortController();
    const reason = new Error('enough');
    const act = async (): Promise<void> => {
      for await (const _ of gitEntries(repository, 'HEAD', { blobs, signal: controller.signal }))
        controller.abort(reason);
    };
    await expect(act()).rejects.toBe(reason);
    await expect(importGit(repository, 'HEAD', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    for await (const _ of gitEntries(repository, 'HEAD', { blobs })) break;
  });

  test('many objects', async () => {
    const repository = init('many');
    for (let i = 0; i < 3000; i++)
      write(repository, `${i % 7}/${i % 13}/${i}`, `contents ${i}`.repeat(i % 50));
    commit(repository);
    git(repository, 'gc', '--quiet');
    expect(await importGit(repository, 'HEAD')).toEqual(await archived(repository, 'HEAD'));
  });
});
