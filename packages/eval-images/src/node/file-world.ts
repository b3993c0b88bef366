/**
 * The files of the machine, as they are looked at to see whether what was read still holds. Numbers instead of BigInt, as
 * this is done for thousands of files: times are then exact to a quarter of a microsecond, where file systems tick a
 * thousand times slower.
 */
import * as fs from 'node:fs';
import { compareBytes, keyBytes } from '@neve/bytes';
import type { DirectoryEntry } from '@neve/eval';
import { listingText } from '../listing-text.ts';
import type { SeenType, Signature } from '../read-set.ts';
import { smallSha256 } from './small-sha256.ts';

export type Status = { readonly type: SeenType; readonly signature: Signature };

export type FileWorldOptions = {
  readonly storeDir: string;
  /** Where the store's files are, when that is elsewhere. */
  readonly physicalStoreDir?: string | undefined;
};

/** Changes to a file that are nearer to each other than this may not be seen in its times. */
export const clockMs = 2000;

const absent = { type: 'absent', signature: [0, 0, 0, 0, 0, 0] } as const satisfies Status;
const lstatOptions = { throwIfNoEntry: false } as const;
const openFlags = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK;

export class FileWorld {
  readonly #storeDir: string;
  readonly #physicalStoreDir: string | undefined;

  constructor({ storeDir, physicalStoreDir }: FileWorldOptions) {
    this.#storeDir = storeDir;
    this.#physicalStoreDir = physicalStoreDir === storeDir ? undefined : physicalStoreDir;
  }

  /** What is at a path, links of its parents followed. Throws what the file system throws. */
  lstat(key: string): Status {
    return statusOf(() => fs.lstatSync(this.#physical(key), { throwIfNoEntry: false }));
  }

  /** Whether a path has the signature at an index, by which it is what it was. Nothing is made for the answer. */
  // oxlint-disable-next-line eslint/max-params -- asked thousands of times
  isUnchanged(key: string, signatures: ArrayLike<number>, at: number): boolean {
    const stats = fs.lstatSync(this.#physical(key), lstatOptions);
    return (
      stats !== undefined &&
      stats.ctimeMs === signatures[at + 4] &&
      stats.mtimeMs === signatures[at + 3] &&
      stats.ino === signatures[at + 1] &&
      stats.size === signatures[at + 2] &&
      stats.mode === signatures[at + 5] &&
      stats.dev === signatures[at]
    );
  }

  /** What is there when all links are followed. */
  stat(key: string): Status {
    return statusOf(() => fs.statSync(this.#physical(key), { throwIfNoEntry: false }));
  }

  readLink(key: string): string {
    return fs.readlinkSync(this.#physical(key), { encoding: 'latin1' });
  }

  entries(key: string): readonly DirectoryEntry[] {
    const entries = fs.readdirSync(this.#physical(key), { encoding: 'buffer', withFileTypes: true });
    return entries
      .map((entry) => ({ name: entry.name, type: typeOfEntry(entry) }))
      .sort((left, right) => compareBytes(left.name, right.name));
  }

  /** SHA-256 of a file in hexadecimal digits, or `failed:` and why it cannot be read. */
  digestOfContents(key: string): string {
    const status = this.stat(key);
    if (status.type === 'absent') return 'failed:not-found';
    if (status.type === 'directory') return 'failed:is-directory';
    if (status.type !== 'regular') return 'failed:unknown';
    const file = fs.openSync(this.#physical(key), openFlags);
    try {
      return sha256(fs.readFileSync(file));
    } finally {
      fs.closeSync(file);
    }
  }

  /** The same of a directory, as it was listed. */
  digestOfListing(key: string): string {
    const status = this.stat(key);
    if (status.type === 'absent') return 'failed:not-found';
    return status.type === 'directory' ? sha256(listingText(this.entries(key))) : 'failed:not-a-directory';
  }

  #physical(key: string): string | Buffer {
    const path =
      this.#physicalStoreDir === undefined ? key : this.#atPhysicalStore(key, this.#physicalStoreDir);
    return path.charCodeAt(0) === 0xfffd ? Buffer.from(keyBytes(path)) : path;
  }

  #atPhysicalStore(key: string, physicalStoreDir: string): string {
    if (!key.startsWith(this.#storeDir)) return key;
    const rest = key.slice(this.#storeDir.length);
    return rest === '' || rest.startsWith('/') ? physicalStoreDir + rest : key;
  }
}

/** So much is hashed before `node:crypto` is loaded for it. */
const smallBytes = 1 << 15;
let hashedBytes = 0;

/** In hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  hashedBytes += bytes.length;
  return hashedBytes <= smallBytes
    ? smallSha256(bytes)
    : process.getBuiltinModule('node:crypto').hash('sha256', bytes, 'hex');
}

export function isSameSignature(left: Signature, right: Signature): boolean {
  return (
    left[0] === right[0] &&
    left[1] === right[1] &&
    left[2] === right[2] &&
    left[3] === right[3] &&
    left[4] === right[4] &&
    left[5] === right[5]
  );
}

export function isLink(signature: Signature): boolean {
  return (signature[5] & fs.constants.S_IFMT) === fs.constants.S_IFLNK;
}

export function isRegular(signature: Signature): boolean {
  return (signature[5] & fs.constants.S_IFMT) === fs.constants.S_IFREG;
}

/** When a file was last changed, as far as its times say. */
export function changeTimeMs(signature: Signature): number {
  return Math.max(signature[3], signature[4]);
}

function statusOf(ask: () => fs.Stats | undefined): Status {
  let stats: fs.Stats | undefined;
  try {
    stats = ask();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return absent;
    throw error;
  }
  if (stats === undefined) return absent;
  const { dev, ino, size, mtimeMs, ctimeMs, mode } = stats;
  return { type: typeOfMode(mode), signature: [dev, ino, size, mtimeMs, ctimeMs, mode] };
}

function typeOfMode(mode: number): SeenType {
  switch (mode & fs.constants.S_IFMT) {
    case fs.constants.S_IFREG:
      return 'regular';
    case fs.constants.S_IFDIR:
      return 'directory';
    case fs.constants.S_IFLNK:
      return 'symlink';
    default:
      return 'unknown';
  }
}

function typeOfEntry(entry: fs.Dirent<Buffer>): DirectoryEntry['type'] {
  if (entry.isFile()) return 'regular';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : 'unknown';
}
