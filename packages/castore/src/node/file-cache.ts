/**
 * Remembers what was read from files, so that an unchanged tree need not be read again: an LMDB table from a file's
 * identity to the digest of its contents.
 *
 *     key      device:f64  inode:f64
 *     value    size:f64  mtime:f64  ctime:f64  mode:f64  digest
 *
 * A file is unchanged when all of these are as they were. The change time, which no program can set, moves with every
 * write. A write within the clock's tick after the file was read would not move it; so a file is remembered only when it
 * had been at rest for a while before it was read (what git calls racily clean).
 *
 * Numbers are doubles, as Node gives them. An inode above 2^53, as overlays of file systems have, could be that of a
 * neighbour, so such files are not remembered.
 */
import type { Stats } from 'node:fs';
import { B3Digest } from '../b3-digest.ts';
import type { LmdbEnvironment, LmdbTable } from './lmdb-environment.ts';

export type KnownFile = { readonly digest: B3Digest; readonly size: number; readonly executable: boolean };

/** What a file was when it was read, and when the reading began. */
export type FileObservation = { readonly stats: Stats; readonly startedMs: number };

/** How long a file must not have changed before it is remembered. */
const restMs = 2000;

const headLength = 32;

export class FileCache {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;
  #pending: { readonly key: Buffer; readonly value: Buffer }[] = [];

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#table = environment.table('file-cache');
  }

  /** The folder of the database that it is in. */
  get path(): string {
    return this.#environment.path;
  }

  get(stats: Stats): KnownFile | undefined {
    if (!hasIdentity(stats)) return undefined;
    const value = this.#table.get(keyOf(stats));
    if (value === undefined || value.compare(headOf(stats), 0, headLength, 0, headLength) !== 0)
      return undefined;
    const digest = new B3Digest(new Uint8Array(value.subarray(headLength)));
    return { digest, size: stats.size, executable: (stats.mode & 0o100) !== 0 };
  }

  /** Remembers a file from the next `save` on. */
  set({ stats, startedMs }: FileObservation, { digest, size }: KnownFile): void {
    if (size !== stats.size || !hasIdentity(stats)) return;
    if (startedMs - Math.max(stats.mtimeMs, stats.ctimeMs) < restMs) return;
    this.#pending.push({ key: keyOf(stats), value: Buffer.concat([headOf(stats), digest.bytes]) });
  }

  async save(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length === 0) return;
    await this.#environment.write(() => {
      for (const { key, value } of pending) this.#table.put(key, value);
    });
  }
}

function hasIdentity({ dev, ino }: Stats): boolean {
  return Number.isSafeInteger(dev) && Number.isSafeInteger(ino);
}

function keyOf({ dev, ino }: Stats): Buffer {
  const key = Buffer.allocUnsafe(16);
  key.writeDoubleBE(dev, 0);
  key.writeDoubleBE(ino, 8);
  return key;
}

function headOf({ size, mtimeMs, ctimeMs, mode }: Stats): Buffer {
  const head = Buffer.allocUnsafe(headLength);
  head.writeDoubleBE(size, 0);
  head.writeDoubleBE(mtimeMs, 8);
  head.writeDoubleBE(ctimeMs, 16);
  head.writeDoubleBE(mode, 24);
  return head;
}
