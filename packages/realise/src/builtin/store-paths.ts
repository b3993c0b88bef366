/**
 * The store as a build sees it: the closure of its inputs and nothing else, symbolic links followed. What leads out of it is
 * not there.
 */
import { concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { CastoreError, PathComponent, parsePath } from '@neve/castore';
import type { Directory, DirectoryService, FileNode, Node } from '@neve/castore';
import type { StoreDirectory } from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';
import { RealiseError } from '../realise-error.ts';

export type StorePathsOptions = {
  readonly store: StoreDirectory;
  readonly directories: Pick<DirectoryService, 'get'>;
  /** By hash part. */
  readonly inputs: ReadonlyMap<string, PathInfo>;
};

/** A path without symbolic links in it, and what is there. Never a symbolic link. */
export type Found = {
  /** Absolute. */
  readonly path: Uint8Array;
  readonly node: Exclude<Node, { readonly kind: 'symlink' }>;
};

/** As Linux. */
const maxLinks = 40;

/** Directories that are remembered. */
const maxKnown = 4096;

export class StorePaths {
  readonly #options: StorePathsOptions;
  readonly #root: readonly PathComponent[];
  readonly #byBaseName: ReadonlyMap<string, Node>;
  readonly #known: Map<string, Directory> = new Map();

  constructor(options: StorePathsOptions) {
    this.#options = options;
    this.#root = parsePath(options.store.path);
    this.#byBaseName = new Map(
      Array.from(options.inputs.values(), ({ storePath, node }) => [storePath.baseName, node]),
    );
  }

  /** `undefined` when nothing is there. Throws `RealiseError` (`builtin-failed`) for links that lead in a circle. */
  async find(path: Uint8Array, signal?: AbortSignal): Promise<Found | undefined> {
    let links = 0;
    let rest = components(path);
    let trail: Step[] = [];
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === '..') {
        trail.pop();
        continue;
      }
      const node = await this.#enter(trail, name, signal);
      if (node === undefined && trail.length >= this.#root.length) return undefined;
      if (node?.kind !== 'symlink') {
        trail.push({ name, node });
        continue;
      }
      if (++links > maxLinks) {
        throw new RealiseError(
          'builtin-failed',
          `too many levels of symbolic links in '${decodeUtf8(path)}'`,
        );
      }
      rest = [...components(node.target.bytes), ...rest];
      if (node.target.bytes[0] === slash) trail = [];
    }
    const node = trail.at(-1)?.node;
    return node === undefined ? undefined : { path: joinPath(trail.map(({ name }) => name)), node };
  }

  /** Throws `CastoreError` (`not-found`). */
  async readDirectory(
    { digest }: Extract<Node, { readonly kind: 'directory' }>,
    signal?: AbortSignal,
  ): Promise<Directory> {
    const known = this.#known.get(digest.key);
    if (known !== undefined) return known;
    const directory = await this.#options.directories.get(digest, signal);
    if (directory !== undefined) {
      if (this.#known.size >= maxKnown) this.#known.clear();
      this.#known.set(digest.key, directory);
      return directory;
    }
    throw new CastoreError('not-found', `the directory ${digest.toString()} is not there`);
  }

  /** The file at a path, `undefined` when there is none or it is no file. */
  async findFile(path: Uint8Array, signal?: AbortSignal): Promise<FileNode | undefined> {
    const found = await this.find(path, signal);
    return found?.node.kind === 'file' ? found.node : undefined;
  }

  /** What has the name `name` at the end of a trail: `undefined` for nothing, and for folders above the store. */
  async #enter(trail: readonly Step[], name: PathComponent, signal?: AbortSignal): Promise<Node | undefined> {
    const depth = this.#root.length;
    if (trail.length > depth) {
      const last = trail.at(-1)?.node;
      return last?.kind === 'directory' ? (await this.readDirectory(last, signal)).get(name) : undefined;
    }
    const isStore = trail.length === depth && this.#root.every((it, index) => trail[index]?.name.equals(it));
    return isStore ? this.#byBaseName.get(name.toString()) : undefined;
  }
}

/** A component of a path without symbolic links, and what is there; `undefined` above the store. */
type Step = { readonly name: PathComponent; readonly node: Found['node'] | undefined };

function components(path: Uint8Array): (PathComponent | '..')[] {
  const result: (PathComponent | '..')[] = [];
  let start = 0;
  for (let end = 0; end <= path.length; end++) {
    if (end < path.length && path[end] !== slash) continue;
    const name = path.subarray(start, end);
    start = end + 1;
    if (name.length === 0 || isDots(name, 1)) continue;
    result.push(isDots(name, 2) ? '..' : new PathComponent(name));
  }
  return result;
}

const slash = 0x2f;
const dot = 0x2e;

function isDots(name: Uint8Array, count: number): boolean {
  return name.length === count && name.every((byte) => byte === dot);
}

/** An absolute path. */
export function joinPath(components: readonly PathComponent[]): Uint8Array {
  return concatBytes(components.flatMap(({ bytes }) => [encodeUtf8('/'), bytes]));
}

/** The path of an entry of a folder. */
export function below(folder: Uint8Array, name: PathComponent): Uint8Array {
  return concatBytes([folder, encodeUtf8('/'), name.bytes]);
}
