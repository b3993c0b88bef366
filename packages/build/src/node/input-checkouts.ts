/**
 * Nodes as files, made once and shared by all builds, which see them through read-only mounts. Files are hard links to local
 * blobs where that can be. A checkout is named by its contents, so that it is right whenever it is there, and nothing ever
 * replaces it:
 *
 *     inputs/<boot>/d-<digest>           a directory
 *                   f-<digest>, x-…      a file, and one that can be executed
 *                   .removed-<number>-…  removed, but a build that began before `number` may still use it
 *
 * `<boot>` is that of the kernel. Checkouts are not written through to the disk, as blobs are, so after a crash a file might
 * be empty; those of an earlier boot are made again instead.
 *
 * A checkout appears by a rename, when it is complete. What is removed is renamed first, and its files go when every
 * build has ended that had begun: a mount keeps a directory, but not what is in it.
 */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeHex } from '@neve/bytes';
import { type BlobService, type DirectoryService, type Node, WeightedSemaphore } from '@neve/castore';
import { type BlobFiles, exportToFiles } from '@neve/castore/node';
import { type BuildFolders, clock, clockText, removeAnyTree, startOf } from './build-folders.ts';

export type InputCheckoutsOptions = {
  readonly folder: string;
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  /** Where blobs are files already. */
  readonly files?: BlobFiles | undefined;
};

/** A node that can be mounted; links are made in each sandbox. */
export type CheckoutNode = Exclude<Node, { kind: 'symlink' }>;

const maxConcurrentExports = 4;
const removedPrefix = '.removed-';
const temporaryPrefix = '.new-';

export class InputCheckouts implements AsyncDisposable {
  readonly #options: InputCheckoutsOptions;
  readonly #builds: BuildFolders;
  readonly #folder: string;
  readonly #underWay = new Map<string, Promise<string>>();
  readonly #exports = new WeightedSemaphore(maxConcurrentExports);

  private constructor(options: InputCheckoutsOptions, builds: BuildFolders, folder: string) {
    this.#options = options;
    this.#builds = builds;
    this.#folder = folder;
  }

  /** Removes the checkouts of earlier boots. */
  static async open(options: InputCheckoutsOptions, builds: BuildFolders): Promise<InputCheckouts> {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
    const folder = join(options.folder, boot);
    await mkdir(folder, { recursive: true });
    for (const path of [options.folder, folder]) await chmod(path, 0o711);
    for (const name of await readdir(options.folder)) {
      if (name !== boot) await removeAnyTree(join(options.folder, name));
    }
    const checkouts = new InputCheckouts(options, builds, folder);
    await checkouts.removeUnused();
    return checkouts;
  }

  /**
   * The path of a node, which is made unless it is there. Whoever asks has a build folder, which keeps it. Several may wait
   * for the same one, so none of them can end it. Throws `CastoreError`, `not-found` when something is not in the castore.
   */
  path(node: CheckoutNode): Promise<string> {
    const key = checkoutKey(node);
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    const made = this.#find(node, key).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, made);
    return made;
  }

  /** Whether it is there at the moment. */
  has(node: CheckoutNode): Promise<boolean> {
    return exists(join(this.#folder, checkoutKey(node)));
  }

  async #find(node: CheckoutNode, key: string): Promise<string> {
    const path = join(this.#folder, key);
    if (await exists(path)) return path;
    const release = await this.#exports.acquire();
    try {
      await this.#export(node, path);
      return path;
    } finally {
      release();
    }
  }

  async #export(node: CheckoutNode, path: string): Promise<void> {
    const { blobs, directories, files } = this.#options;
    const temporary = join(
      this.#folder,
      `${temporaryPrefix}${clockText()}-${randomBytes(6).toString('hex')}`,
    );
    await exportToFiles(node, temporary, {
      blobs,
      directories,
      link: 'hardlink',
      ...(files !== undefined && { files }),
    });
    try {
      await rename(temporary, path);
    } catch (cause) {
      await removeAnyTree(temporary);
      // Somebody else was faster, and made the same.
      if (!(await exists(path))) throw cause;
    }
  }

  /** The keys of all nodes that are there. */
  async list(): Promise<readonly string[]> {
    return (await readdir(this.#folder)).filter((name) => !name.startsWith('.'));
  }

  /** Takes checkouts away by their keys; builds under way keep them. Those that are not there do not matter. */
  async remove(keys: Iterable<string>): Promise<void> {
    for (const key of keys) {
      const target = join(this.#folder, `${removedPrefix}${clockText()}-${randomBytes(6).toString('hex')}`);
      await rename(join(this.#folder, key), target).catch((cause: unknown) => {
        if (!isNotFound(cause)) throw cause;
      });
    }
    await this.removeUnused();
  }

  /** Frees what no build can use any more: removed checkouts, and what ended processes did not finish. */
  async removeUnused(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((it) => it.startsWith('.'));
    if (names.length === 0) return;
    const oldest = (await this.#builds.oldestStart()) ?? clock();
    for (const name of names) {
      const since = startOf(name.replace(/^\.[a-z]+-/u, ''));
      if (since !== undefined && since < oldest) await removeAnyTree(join(this.#folder, name));
    }
  }

  /** Waits for what is being made. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
  }
}

/** Nodes with the same key are the same on a file system. */
export function checkoutKey(node: CheckoutNode): string {
  const kind = node.kind === 'directory' ? 'd' : node.executable ? 'x' : 'f';
  return `${kind}-${encodeHex(node.digest.bytes)}`;
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (cause: unknown) => {
      if (isNotFound(cause)) return false;
      throw cause;
    },
  );
}

function isNotFound(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
