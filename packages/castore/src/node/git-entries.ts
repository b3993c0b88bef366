/**
 * Imports a revision of a git repository, with or without a work tree, from its objects: nothing is checked out. Contents are
 * those of the objects, whatever conversions of line ends or filters the repository asks for; an LFS pointer stays one.
 *
 * A submodule is an empty directory, as in `git archive`, unless submodules are asked for. Then it is the tree of its commit,
 * and so are its own submodules; one that `.gitmodules` does not know stays empty.
 */
import type { BlobService } from '../blob-service.ts';
import { BlobUploader } from '../blob-uploader.ts';
import { CastoreError } from '../castore-error.ts';
import type { IngestionEntry, IngestionPath } from '../ingestion-entry.ts';
import { SymlinkTarget, parsePath, showPath } from '../path-component.ts';
import { loadBlake3 } from './blake3.ts';
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
  /**
   * Whether patterns of `export-ignore` for directories only, which end in a slash, count; true unless given. libgit2 does
   * not find them in bare repositories.
   */
  readonly folderPatterns?: boolean;
  /** Only what is there; a file or a symbolic link is possible too. */
  readonly subdirectory?: IngestionPath;
  readonly signal?: AbortSignal;
};

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
  const blake3 = await loadBlake3();
  await using uploader = new BlobUploader(options.blobs, {
    hash: (bytes) => blake3.hashBytes(bytes),
    ...(options.signal !== undefined && { signal: options.signal }),
  });
  for await (const entry of treeEntries({ git, commit, prefix: [] }, { ...options, uploader })) {
    options.signal?.throwIfAborted();
    if (!startsWith(entry.path, subdirectory)) continue;
    if (entry.path.length === subdirectory.length) {
      found = true;
      // Whoever gets the root may rely on everything being there.
      await uploader.finish();
    }
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
type TreeOptions = GitEntriesOptions & { readonly uploader: BlobUploader };

/** The tree with its own root, which comes last. What is outside of the subdirectory may be left out. */
async function* treeEntries(place: Place, options: TreeOptions): AsyncGenerator<IngestionEntry, void, void> {
  const { git, prefix } = place;
  const { exportIgnore = false, folderPatterns = true, subdirectory = [], signal } = options;
  const { tree } = await resolveRevision(git, place.commit, signal && { signal });
  const all = await listTree(git, tree, { exportIgnore, folderPatterns, signal });
  const items = all
    .map((item): Item => ({ ...item, fullPath: [...prefix, ...parseItemPath(item, git)] }))
    .filter(({ fullPath }) => startsWith(fullPath, subdirectory) || startsWith(subdirectory, fullPath));
  const importer = new TreeImporter(place, options, items);
  await using objects = importer.objects;
  const open: IngestionPath[] = [prefix];
  for (const item of items) {
    while (!startsWith(item.fullPath, open.at(-1) ?? [])) yield { kind: 'directory', path: open.pop() ?? [] };
    if (item.kind === 'directory') open.push(item.fullPath);
    else if (item.kind === 'submodule') {
      yield* submoduleEntries(item, await importer.findSubmodule(item, all), options);
    } else yield await importer.importObject(item, objects);
  }
  for (const path of open.toReversed()) yield { kind: 'directory', path };
}

async function* submoduleEntries(
  { id, fullPath }: Item,
  git: GitRepository | undefined,
  options: TreeOptions,
): AsyncGenerator<IngestionEntry, void, void> {
  if (git === undefined) yield { kind: 'directory', path: fullPath };
  else yield* treeEntries({ git, commit: id, prefix: fullPath }, options);
}

class TreeImporter {
  readonly objects: GitObjects;
  readonly #place: Place;
  readonly #options: TreeOptions;
  #submodules: Promise<GitSubmodules> | undefined;

  constructor(place: Place, options: TreeOptions, items: readonly Item[]) {
    this.#place = place;
    this.#options = options;
    const isObject = ({ kind }: Item): boolean => kind === 'file' || kind === 'symlink';
    const ids = items.filter(isObject).map(({ id }) => id);
    this.objects = new GitObjects(place.git, ids, options.signal);
  }

  /** The object of a file or link, which must be the next one. It is read when this is fulfilled, but perhaps not stored. */
  async importObject(
    { kind, id, fullPath: path, executable }: Item,
    objects: GitObjects,
  ): Promise<IngestionEntry> {
    const { uploader, signal } = this.#options;
    signal?.throwIfAborted();
    const size = await objects.next(id);
    const contents = objects.contents(id, size);
    if (kind === 'symlink') {
      // It may be of any size; no more of it is kept than says that it is too long.
      return { kind, path, target: new SymlinkTarget(await gather(contents, Math.min(size, 1 << 16))) };
    }
    const digest = await uploader.upload({ size, contents, name: showPath(path) });
    return { kind: 'file', path, digest, size, executable };
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
