/** Consumes the entries of an importer: the one place where directories are made. */
import { CastoreError } from './castore-error.ts';
import { Directory, type DirectoryEntry } from './directory.ts';
import type { DirectoryService } from './directory-service.ts';
import type { IngestionEntry, IngestionPath } from './ingestion-entry.ts';
import type { Node } from './node.ts';
import { type PathComponent, showPath } from './path-component.ts';

/**
 * Stores the directories of a tree and gives its root. Nothing is visible unless the whole tree is there. Throws
 * `CastoreError` (`invalid-archive`) when the entries break the rules of `ingestion-entry.ts`, and whatever the importer
 * throws.
 */
export async function ingestEntries(
  directories: DirectoryService,
  entries: AsyncIterable<IngestionEntry>,
  signal?: AbortSignal,
): Promise<Node> {
  await using putter = directories.putClosure(signal);
  const unfinished = new UnfinishedDirectories();
  let root: Node | undefined;
  for await (const entry of entries) {
    signal?.throwIfAborted();
    if (root !== undefined) throw broken(entry.path, 'comes after the root');
    const { node, directory } = unfinished.finish(entry);
    if (directory !== undefined) await putter.put(directory);
    const name = entry.path.at(-1);
    if (name === undefined) root = node;
    else unfinished.add(entry.path, { name, node });
  }
  if (root === undefined) throw new CastoreError('invalid-archive', 'a tree ended before its root came');
  unfinished.checkEmpty();
  if (root.kind === 'directory') await putter.close();
  return root;
}

type Unfinished = { readonly path: IngestionPath; readonly entries: DirectoryEntry[] };

/** Entries that wait for the directory that they are in. */
class UnfinishedDirectories {
  readonly #byPath = new Map<string, Unfinished>();

  finish(entry: IngestionEntry): { readonly node: Node; readonly directory?: Directory } {
    switch (entry.kind) {
      case 'directory': {
        const key = pathKey(entry.path, entry.path.length);
        const entries = this.#byPath.get(key)?.entries ?? [];
        this.#byPath.delete(key);
        const directory = Directory.of(entries);
        return { node: directory.node, directory };
      }
      case 'file': {
        const { digest, size, executable } = entry;
        return { node: { kind: 'file', digest, size, executable } };
      }
      case 'symlink':
        return { node: { kind: 'symlink', target: entry.target } };
    }
  }

  /** `path` is the entry's own. */
  add(path: IngestionPath, entry: DirectoryEntry): void {
    const key = pathKey(path, path.length - 1);
    const unfinished = this.#byPath.get(key);
    if (unfinished === undefined) this.#byPath.set(key, { path: path.slice(0, -1), entries: [entry] });
    else unfinished.entries.push(entry);
  }

  checkEmpty(): void {
    for (const { path } of this.#byPath.values()) throw broken(path, 'has entries, but is not a directory');
  }
}

/** The first `length` components: names cannot contain a slash. */
function pathKey(path: IngestionPath, length: number): string {
  let key = '';
  for (let i = 0; i < length; i++) key += `/${(path[i] as PathComponent).key}`;
  return key;
}

function broken(path: IngestionPath, problem: string): CastoreError {
  return new CastoreError('invalid-archive', `'${showPath(path)}' ${problem}`);
}
