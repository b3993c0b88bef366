/**
 * Store paths as files of the machine, for links to results: made when they are asked for, with hard links to local blobs
 * where that can be.
 *
 *     <folder>/<base name>         the object
 *     <folder>/.<base name>.node   what it was made of: message `Entry`
 *     <folder>/.new-<uuid>         what is being made; several processes may make the same
 *
 * Nothing needs it: what is missing is made again, and what is left of a path that the store no longer has is removed.
 */
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { lstat, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { equalBytes } from '@neve/bytes';
import { type FileNode, type Node, encodeEntry } from '@neve/castore';
import { type BlobFiles, exportToFiles, removeTree, writeSmallFile } from '@neve/castore/node';
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
    if (node.kind === 'file' && node.size <= smallFile && (await this.#showSmall(storePath, node, record))) {
      return path;
    }
    if (await this.#isMade(storePath, record)) return path;
    const { folder, castore, files } = this.#options;
    const temporary = join(folder, `.new-${randomUUID()}`);
    try {
      await mkdir(folder, { recursive: true });
      await exportToFiles(node, temporary, {
        ...castore,
        link: 'hardlink',
        ...(files !== undefined && { files }),
        ...(signal !== undefined && { signal }),
      });
      // Another process may have been faster.
      if (await this.#isMade(storePath, record)) return path;
      await this.#remove(storePath);
      await rename(temporary, path);
      const temporaryRecord = join(folder, `.new-${randomUUID()}`);
      await writeFile(temporaryRecord, record);
      await rename(temporaryRecord, this.#recordPath(storePath));
      return path;
    } catch (cause) {
      if (!(cause instanceof Error) || !('syscall' in cause)) throw cause;
      if (await this.#isMade(storePath, record)) return path;
      throw new StoreError('io', `'${path}' cannot be made: ${cause.message}`, { cause });
    } finally {
      await removeTree(temporary);
    }
  }

  /**
   * Derivations are small, and come by the thousand: what takes a thread a dozen times otherwise is done at once. False when
   * anything is not as for a path that was never shown.
   */
  // oxlint-disable-next-line eslint/max-params -- of what, and what is written down of it
  async #showSmall(storePath: StorePath, node: FileNode, record: Uint8Array): Promise<boolean> {
    const { folder, castore } = this.#options;
    const recordPath = this.#recordPath(storePath);
    const made = readIfThere(recordPath);
    if (made !== undefined) return equalBytes(made, record);
    await using reader = await castore.blobs.open(node.digest);
    if (reader?.size !== node.size) return false;
    const bytes = await reader.read(0, node.size);
    const temporary = join(folder, `.new-${randomUUID()}`);
    try {
      writeSmallFile(temporary, bytes, node.executable ? 0o555 : 0o444);
      renameSync(temporary, this.path(storePath));
      writeSmallFile(temporary, record, 0o644);
      renameSync(temporary, recordPath);
      return true;
    } catch {
      // Whoever does it the other way tells what is wrong.
      rmSync(temporary, { force: true });
      return false;
    }
  }

  async #isMade(storePath: StorePath, record: Uint8Array): Promise<boolean> {
    const made = await readFile(this.#recordPath(storePath)).catch(() => undefined);
    return made !== undefined && equalBytes(made, record);
  }

  /** Removes what the store no longer has, and what processes that were killed have left half made. */
  async prune(has: (storePath: StorePath) => Promise<boolean>): Promise<void> {
    const { folder } = this.#options;
    for (const name of await readdir(folder).catch(() => [])) {
      if (name.startsWith('.new-') && (await isOld(join(folder, name)))) await removeTree(join(folder, name));
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

const smallFile = 1 << 16;

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** So that nobody is making it any more. */
async function isOld(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.ctimeMs > 24 * 60 * 60 * 1000;
}

function storePathOf(name: string): StorePath | undefined {
  try {
    return parseStorePath(name);
  } catch (error) {
    if (error instanceof NixCompatError) return undefined;
    throw error;
  }
}
