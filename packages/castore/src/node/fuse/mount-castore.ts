/**
 * A castore as part of the tree of files: a FUSE mount that this process serves until it is disposed of, or somebody
 * unmounts it.
 *
 * The process must not use its own mount synchronously, which would wait for itself. Asynchronous calls of `node:fs` work,
 * but each that waits for the mount holds one of the few threads (`UV_THREADPOOL_SIZE`) that file-based stores need as well.
 * A worker thread that has mounted something must dispose of that before it is terminated: what waits for the kernel's
 * requests is a thread of its own, which cannot be stopped from outside.
 */
import { stat, statfs } from 'node:fs/promises';
import { CastoreError } from '../../castore-error.ts';
import { CastoreFileSystem } from './castore-file-system.ts';
import type { CastoreFileSystemOptions } from './castore-file-system.ts';
import { FuseConnection } from './fuse-connection.ts';
import { mountFuse } from './mount-program.ts';
import type { Unmounter } from './mount-program.ts';

export type MountOptions = CastoreFileSystemOptions & {
  /** An existing directory. */
  readonly mountpoint: string;
  /** Whether other users may look at it. Default: true for root, false for others. */
  readonly allowOther?: boolean;
};

/** Disposing of it unmounts. If it is in use, it is taken away from its users, and `onError` is told. */
export interface CastoreMount extends AsyncDisposable {
  /** Absolute, without symbolic links. */
  readonly mountpoint: string;
  /** Fulfilled when nothing is mounted any more, whoever unmounted it. Rejected when the device fails. */
  readonly unmounted: Promise<void>;
}

/**
 * Mounts a directory, or a root of named nodes. Throws `CastoreError`: `not-found` when there is no mountpoint, `unsupported`
 * where FUSE cannot be used, `io` otherwise. Blobs and directories stay the caller's, who disposes of them after the mount.
 */
export async function mountCastore(options: MountOptions, signal?: AbortSignal): Promise<CastoreMount> {
  const allowOther = options.allowOther ?? process.geteuid?.() === 0;
  const { fd, unmounter } = await mountFuse({ mountpoint: options.mountpoint, allowOther }, signal);
  const files = new CastoreFileSystem(options);
  const connection = new FuseConnection(fd, (request) => files.handle(request));
  const mount = new Mount({ files, connection, unmounter, onError: options.onError });
  try {
    await connection.ready;
    mount.device = (await stat(mount.mountpoint)).dev;
    signal?.throwIfAborted();
    return mount;
  } catch (error) {
    await mount[Symbol.asyncDispose]();
    throw error;
  }
}

/** How long the kernel has to end the connection of what was unmounted. */
const graceMs = 2000;

type MountParts = {
  readonly files: CastoreFileSystem;
  readonly connection: FuseConnection;
  readonly unmounter: Unmounter;
  readonly onError: ((error: CastoreError) => void) | undefined;
};

/** What the process must not exit with. */
const live = new Set<Mount>();

function abandonAll(): void {
  for (const mount of live) mount.abandon();
}

class Mount implements CastoreMount {
  readonly mountpoint: string;
  readonly unmounted: Promise<void>;
  /** Of the mounted file system; unknown while it is being mounted. */
  device: number | undefined;
  readonly #parts: MountParts;
  #disposed: Promise<void> | undefined;

  constructor(parts: MountParts) {
    this.#parts = parts;
    this.mountpoint = parts.unmounter.mountpoint;
    if (live.size === 0) process.on('exit', abandonAll);
    live.add(this);
    this.unmounted = this.#end();
    this.unmounted.catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#unmount();
    return this.#disposed;
  }

  async #end(): Promise<void> {
    const { connection, files, unmounter } = this.#parts;
    try {
      await connection.ended;
    } finally {
      live.delete(this);
      if (live.size === 0) process.off('exit', abandonAll);
      unmounter.dismissGuard();
      await files[Symbol.asyncDispose]();
      await connection.settled();
    }
  }

  async #unmount(): Promise<void> {
    const { connection, unmounter } = this.#parts;
    if (await this.#endsWithin(0)) return await this.unmounted;
    if (!(await unmounter.unmount())) {
      this.#tellUsers();
      // The thread that reads requests ends at this one, which makes the mount dead for all.
      connection.endAtNextRequest();
      await Promise.allSettled([statfs(this.mountpoint), unmounter.unmountLazily()]);
    } else if (!(await this.#endsWithin(graceMs))) {
      // Somebody else unmounted it lazily, so that no request can be made that would end it.
      this.#tellUsers();
      connection.endAtNextRequest();
      if (this.device !== undefined) await unmounter.abort(this.device);
    }
    await this.unmounted;
  }

  #tellUsers(): void {
    const problem = `${this.mountpoint} was in use when it was unmounted: whoever uses it gets errors from now on`;
    this.#parts.onError?.(new CastoreError('io', problem));
  }

  async #endsWithin(timeoutMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    try {
      return await Promise.race([this.#parts.connection.ended.then(() => true), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The process exits without having unmounted, and would wait for the thread that waits for the next request. */
  abandon(): void {
    const { connection, unmounter } = this.#parts;
    connection.abandonAtNextRequest();
    unmounter.wakeServerSync();
    unmounter.unmountLazilySync();
    unmounter.dismissGuard();
  }
}
