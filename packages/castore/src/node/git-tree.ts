/**
 * All entries of a git tree, from `git ls-tree -r -t -z`, whose answer consists of
 *
 *     mode " " type " " id "\t" path "\0"
 *
 * A tree comes before what is in it. Modes: 040000 a directory, 100644 (in old repositories also 100664) and 100755 files,
 * 120000 a symbolic link, 160000 a commit of another repository: a submodule.
 *
 * What the attribute `export-ignore` takes away is found as `git archive` finds it, by the `.gitattributes` of the tree. They
 * are read from an index of the tree that is made for the purpose: it needs no work tree, and every version of git can do
 * it. A directory of which nothing is left stays.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GitRepository } from './git-repository.ts';

export type GitTreeItem = {
  readonly kind: 'directory' | 'file' | 'symlink' | 'submodule';
  readonly executable: boolean;
  readonly id: string;
  /** Relative to the tree, with slashes. */
  readonly path: Buffer;
};

export type ListTreeOptions = {
  readonly exportIgnore: boolean;
  /** Whether patterns that end in a slash, which mean directories only, count. */
  readonly folderPatterns: boolean;
  readonly signal?: AbortSignal | undefined;
};

const tab = 0x09;
const slash = 0x2f;

/** `tree` is an id. Throws `CastoreError` (`io`), also for modes that git does not have. */
export async function listTree(
  git: GitRepository,
  tree: string,
  { exportIgnore, folderPatterns, signal }: ListTreeOptions,
): Promise<readonly GitTreeItem[]> {
  const listing = await git.output(['ls-tree', '-r', '-t', '-z', '--full-tree', tree], { signal });
  const items = Array.from(split(listing), (line) => parseItem(line, git));
  return exportIgnore ? await withoutIgnored(git, items, { tree, folderPatterns, signal }) : items;
}

function parseItem(line: Buffer, git: GitRepository): GitTreeItem {
  const end = line.indexOf(tab);
  const [mode = '', , id = ''] = line.toString('latin1', 0, end).split(' ');
  const path = line.subarray(end + 1);
  const kind = kinds[mode.slice(0, -4)];
  if (kind === undefined) throw git.failure(`'${path.toString()}' has the mode ${mode}, which is unknown`);
  return { kind, executable: kind === 'file' && (Number.parseInt(mode, 8) & 0o100) !== 0, id, path };
}

/** By the digits that are the type of the object. */
const kinds: Readonly<Record<string, GitTreeItem['kind']>> = {
  '04': 'directory',
  '10': 'file',
  '12': 'symlink',
  '16': 'submodule',
};

async function withoutIgnored(
  git: GitRepository,
  items: readonly GitTreeItem[],
  { tree, folderPatterns, signal }: Omit<ListTreeOptions, 'exportIgnore'> & { readonly tree: string },
): Promise<readonly GitTreeItem[]> {
  const folder = await mkdtemp(join(tmpdir(), 'neve-git-'));
  try {
    const indexFile = join(folder, 'index');
    await git.output(['read-tree', tree], { indexFile, signal });
    const input = Buffer.concat(
      items.flatMap(({ kind, path }) => [path, folderPatterns && isFolder(kind) ? folderEnd : pathEnd]),
    );
    const args = ['check-attr', '--cached', '-z', '--stdin', 'export-ignore'];
    const answers = [...split(await git.output(args, { input, indexFile, signal }))];
    let ignored: Buffer | undefined;
    return items.filter(({ kind, path }, index) => {
      if (ignored !== undefined && path.subarray(0, ignored.length).equals(ignored)) return false;
      // Each answer has three fields: path, attribute, value.
      if (answers[index * 3 + 2]?.toString() !== 'set') return true;
      if (kind === 'directory') ignored = Buffer.concat([path, Buffer.of(slash)]);
      return false;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

const pathEnd = Buffer.of(0);
const folderEnd = Buffer.of(slash, 0);

function isFolder(kind: GitTreeItem['kind']): boolean {
  return kind === 'directory' || kind === 'submodule';
}

/** What stands before each NUL. */
function* split(bytes: Buffer): Generator<Buffer, void, void> {
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}
