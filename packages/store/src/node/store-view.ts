/**
 * Store paths as files of the machine, for links to results: made when they are asked for, with hard links to local blobs
 * where that can be.
 *
 *     <folder>/<base name>         the object
 *     <folder>/.<base name>.node   what it was made of: message `Entry`
 *
 * Nothing needs it: what is missing is made again, and what is left of a path that the store no longer has is removed.
 */
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes } from '@neve/bytes';
import { type Node, encodeEntry } from '@neve/castore';
import { type BlobFiles, exportToFiles, removeTree } from '@neve/castore/node';
import { NixCompatError, type StorePath, parseStorePath } from '@neve/nix-compat';
import type { Castore } from '../copy-node.ts';
import { StoreError } from '../store-error.ts';

export type StoreViewOptions = {
  readonly folder: string;
  readonly castore: Castore;
  /** Where blobs are files already. */
  readonly files?: BlobFiles | undefined;
};

export class StoreView {
  readonly #options: StoreViewOptions;

  constructor(options: StoreViewOptions) {
    this.#options = options;
  }

  path({ baseName }: StorePath): string {
    return join(this.#options.folder, baseName);
  }

  /** The path of the files, which are there when it is fulfilled. Throws `StoreError` (`io`) and `CastoreError`. */
  async show(storePath: StorePath, node: Node, signal?: AbortSignal): Promise<string> {
    const path = this.path(storePath);
    const record = encodeEntry(node);
    const made = await readFile(this.#recordPath(storePath)).catch(() => undefined);
    if (made !== undefined && equalBytes(made, record)) return path;
    const { folder, castore, files } = this.#options;
    try {
      await mkdir(folder, { recursive: true });
      await this.#remove(storePath);
      await exportToFiles(node, path, {
        ...castore,
        link: 'hardlink',
        ...(files !== undefined && { files }),
        ...(signal !== undefined && { signal }),
      });
      const temporary = `${this.#recordPath(storePath)}.${process.pid}`;
      await writeFile(temporary, record);
      await rename(temporary, this.#recordPath(storePath));
      return path;
    } catch (cause) {
      if (!(cause instanceof Error) || !('syscall' in cause)) throw cause;
      throw new StoreError('io', `'${path}' cannot be made: ${cause.message}`, { cause });
    }
  }

  /** Removes what the store no longer has. */
  async prune(has: (storePath: StorePath) => Promise<boolean>): Promise<void> {
    for (const name of await readdir(this.#options.folder).catch(() => [])) {
      const storePath = storePathOf(name);
      if (storePath !== undefined && !(await has(storePath))) await this.#remove(storePath);
    }
  }

  async #remove(storePath: StorePath): Promise<void> {
    await rm(this.#recordPath(storePath), { force: true });
    await removeTree(this.path(storePath));
  }

  #recordPath({ baseName }: StorePath): string {
    return join(this.#options.folder, `.${baseName}.node`);
  }
}

function storePathOf(name: string): StorePath | undefined {
  try {
    return parseStorePath(name);
  } catch (error) {
    if (error instanceof NixCompatError) return undefined;
    throw error;
  }
}
