/**
 * Imports a revision of a git repository, with or without a work tree, from its objects: nothing is checked out. Contents are
 * those of the objects, whatever conversions of line ends or filters the repository asks for; an LFS pointer stays one.
 *
 * A submodule is an empty directory, as in `git archive`, unless submodules are asked for. Then it is the tree of its commit,
 * and so are its own submodules; one that `.gitmodules` does not know stays empty.
 */
import type { BlobService } from '../blob-service.ts';
import { storeStream } from '../archive-entries.ts';
import { CastoreError } from '../castore-error.ts';
import type { IngestionEntry, IngestionPath } from '../ingestion-entry.ts';
import { OrderedWindow } from '../ordered-window.ts';
import { SymlinkTarget, parsePath, showPath } from '../path-component.ts';
import { GitObjects } from './git-objects.ts';
import { GitRepository } from './git-repository.ts';
import { resolveRevision } from './git-revision.ts';
import { GitSubmodules } from './git-submodules.ts';
import { type GitTreeItem, listTree } from './git-tree.ts';

export type GitEntriesOptions = {
  readonly blobs: BlobService;
  /** Takes the contents of submodules from their repositories on this machine. */
  readonly submodules?: boolean;
  /** Leaves out what has the attribute `export-ignore`. Not together with `submodules`, as in Nix. */
  readonly exportIgnore?: boolean;
  /** Only what is there; a file or a symbolic link is possible too. */
  readonly subdirectory?: IngestionPath;
  readonly signal?: AbortSignal;
};

/** Larger objects are streamed. */
const smallObject = 1 << 20;
const limits = { maxCost: 64 << 20, maxItems: 1024 };

/**
 * The tree of a commit. Throws `CastoreError`: `not-found` for an unknown repository, revision, subdirectory or submodule and
 * for an object that is missing, `unsupported` where git is not installed, `io`, `invalid-name`.
 */
export async function* gitEntries(
  repository: string,
  revision: string,
  options: GitEntriesOptions,
): AsyncIterable<IngestionEntry> {
  if (options.submodules === true && options.exportIgnore === true) {
    throw new CastoreError(
      'unsupported',
      'submodules and export-ignore of a git repository cannot be combined',
    );
  }
  const git = await GitRepository.open(repository);
  const { commit } = await resolveRevision(git, revision, options);
  const subdirectory = options.subdirectory ?? [];
  let found = false;
  for await (const entry of treeEntries({ git, commit, prefix: [] }, options)) {
    options.signal?.throwIfAborted();
    if (!startsWith(entry.path, subdirectory)) continue;
    found ||= entry.path.length === subdirectory.length;
    yield { ...entry, path: entry.path.slice(subdirectory.length) };
  }
  if (found) return;
  throw new CastoreError(
    'not-found',
    `commit ${commit} of the git repository '${repository}' has no '${showPath(subdirectory)}'`,
  );
}

/** `prefix` is where the tree is in the superproject. */
type Place = { readonly git: GitRepository; readonly commit: string; readonly prefix: IngestionPath };
type Item = GitTreeItem & { readonly fullPath: IngestionPath };

/** The tree with its own root, which comes last. What is outside of the subdirectory may be left out. */
async function* treeEntries(
  place: Place,
  options: GitEntriesOptions,
): AsyncGenerator<IngestionEntry, void, void> {
  const { git, prefix } = place;
  const { exportIgnore = false, subdirectory = [], signal } = options;
  const { tree } = await resolveRevision(git, place.commit, signal && { signal });
  const all = await listTree(git, tree, { exportIgnore, signal });
  const items = all
    .map((item): Item => ({ ...item, fullPath: [...prefix, ...parseItemPath(item, git)] }))
    .filter(({ fullPath }) => startsWith(fullPath, subdirectory) || startsWith(subdirectory, fullPath));
  const importer = new TreeImporter(place, options, items);
  await using objects = importer.objects;
  await using window = new OrderedWindow<IngestionEntry>(limits);
  const open: IngestionPath[] = [prefix];
  for (const item of items) {
    while (!startsWith(item.fullPath, open.at(-1) ?? [])) window.push(directoryEntry(open.pop() ?? []), 0);
    if (item.kind === 'directory') open.push(item.fullPath);
    else if (item.kind === 'submodule') {
      while (!window.isEmpty) yield await window.shift();
      yield* submoduleEntries(item, await importer.findSubmodule(item, all), options);
    } else {
      const { result, cost } = await importer.startObject(item, objects);
      window.push(result, cost);
    }
    while (window.isFull) yield await window.shift();
  }
  for (const path of open.toReversed()) window.push(directoryEntry(path), 0);
  while (!window.isEmpty) yield await window.shift();
}

async function* submoduleEntries(
  { id, fullPath }: Item,
  git: GitRepository | undefined,
  options: GitEntriesOptions,
): AsyncGenerator<IngestionEntry, void, void> {
  if (git === undefined) yield { kind: 'directory', path: fullPath };
  else yield* treeEntries({ git, commit: id, prefix: fullPath }, options);
}

class TreeImporter {
  readonly objects: GitObjects;
  readonly #place: Place;
  readonly #options: GitEntriesOptions;
  #submodules: Promise<GitSubmodules> | undefined;

  constructor(place: Place, options: GitEntriesOptions, items: readonly Item[]) {
    this.#place = place;
    this.#options = options;
    const isObject = ({ kind }: Item): boolean => kind === 'file' || kind === 'symlink';
    const ids = items.filter(isObject).map(({ id }) => id);
    this.objects = new GitObjects(place.git, ids, options.signal);
  }

  /** The object of a file or link, which must be the next one. It is read when this is fulfilled, but perhaps not stored. */
  async startObject(
    { kind, id, fullPath: path, executable }: Item,
    objects: GitObjects,
  ): Promise<{ readonly result: Promise<IngestionEntry>; readonly cost: number }> {
    const { blobs, signal } = this.#options;
    signal?.throwIfAborted();
    const size = await objects.next(id);
    const contents = objects.contents(id, size);
    if (kind === 'symlink') {
      // It may be of any size; no more of it is kept than says that it is too long.
      const target = new SymlinkTarget(await gather(contents, Math.min(size, 1 << 16)));
      return { result: Promise.resolve({ kind, path, target }), cost: 0 };
    }
    const entry = { kind: 'file', path, size, executable } as const;
    if (size > smallObject) {
      const digest = await storeStream(blobs, contents, signal);
      return { result: Promise.resolve({ ...entry, digest }), cost: 0 };
    }
    const bytes = await gather(contents, size);
    return { result: blobs.put(bytes, signal).then((digest) => ({ ...entry, digest })), cost: size };
  }

  async findSubmodule({ path, id }: Item, all: readonly GitTreeItem[]): Promise<GitRepository | undefined> {
    if (this.#options.submodules !== true) return undefined;
    const { git } = this.#place;
    const { signal } = this.#options;
    const gitmodules = all.find(
      (it) => it.kind === 'file' && it.path.toString('latin1') === '.gitmodules',
    )?.id;
    this.#submodules ??= GitSubmodules.load(git, gitmodules, signal);
    return await (await this.#submodules).find(path, id, signal);
  }
}

/** The first `length` bytes; all are read. */
async function gather(contents: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  for await (const piece of contents) {
    bytes.set(piece.subarray(0, length - done), done);
    done += Math.min(piece.length, length - done);
  }
  return bytes;
}

function directoryEntry(path: IngestionPath): Promise<IngestionEntry> {
  return Promise.resolve({ kind: 'directory', path });
}

function parseItemPath({ path }: GitTreeItem, git: GitRepository): IngestionPath {
  try {
    return parsePath(new Uint8Array(path));
  } catch (cause) {
    if (!(cause instanceof CastoreError)) throw cause;
    throw new CastoreError(cause.code, `a tree of the git repository '${git.path}': ${cause.message}`, {
      cause,
    });
  }
}

function startsWith(path: IngestionPath, start: IngestionPath): boolean {
  return start.length <= path.length && start.every((name, index) => path[index]?.equals(name) === true);
}
