/**
 * What every reader of archives yields: one member after another, in the order of the archive, paths already cleaned.
 *
 * A path is a list of components, bytes each, relative to the root of the archive; the root itself is the empty list
 * and only ever a directory. `.` and empty components are dropped (`./a//b/` is `a/b`). What could reach outside is
 * refused and the member named: a leading `/`, a component `..`, a NUL. Nix is laxer where it unpacks tarballs: it
 * cuts a leading `/` off and lets `a/../b` be `b`; where it extracts with libarchive it refuses `..`
 * (ARCHIVE_EXTRACT_SECURE_NODOTDOT) as we do. No sound archive needs either.
 *
 * Rules about several members together (duplicates, members below a link) are those of `archive-tree.ts`.
 */
import { decodeUtf8 } from '@neve/bytes';
import { CastoreError } from '../castore-error.ts';

/** Components of a member's name, none of them empty, `.`, `..` or with a slash or NUL. */
export type ArchivePath = readonly Uint8Array[];

/** In whole seconds since 1970, if the archive says it. */
type Modified = { readonly modifiedSeconds?: number };

export type ArchiveDirectory = Modified & { readonly kind: 'directory'; readonly path: ArchivePath };

export type ArchiveFile = Modified & {
  readonly kind: 'file';
  readonly path: ArchivePath;
  /** Whether the owner may execute it (mode & 0o100). */
  readonly executable: boolean;
  /** Of the contents, in bytes; holes of sparse files count. */
  readonly sizeBytes: number;
  /**
   * The contents, once. A reader skips what is left when its next member is asked for; after that they are gone. The
   * pieces must not be changed.
   */
  readonly contents: AsyncIterable<Uint8Array>;
};

export type ArchiveSymlink = Modified & {
  readonly kind: 'symlink';
  readonly path: ArchivePath;
  /** As it is in the archive: not empty and without NUL, but otherwise anything. */
  readonly target: Uint8Array;
};

export type ArchiveHardlink = Modified & {
  readonly kind: 'hardlink';
  readonly path: ArchivePath;
  /** The earlier member whose file this is too. */
  readonly target: ArchivePath;
};

export type ArchiveMember = ArchiveDirectory | ArchiveFile | ArchiveSymlink | ArchiveHardlink;

/** How much an archive may ask for. What is not given has the default; `Infinity` lifts a limit. */
export type ArchiveLimits = {
  /** Contents of all members together, holes included. 64 GiB unless given. */
  readonly maxTotalBytes?: number;
  /** 2,000,000 unless given. */
  readonly maxMembers?: number;
  /** Length of a name or of the target of a link. 16 KiB unless given. */
  readonly maxPathBytes?: number;
  /** Extended headers and sparse map of one member. 4 MiB unless given. */
  readonly maxHeaderBytes?: number;
};

export const defaultArchiveLimits: Required<ArchiveLimits> = {
  maxTotalBytes: 64 * 2 ** 30,
  maxMembers: 2_000_000,
  maxPathBytes: 16 * 1024,
  maxHeaderBytes: 4 * 2 ** 20,
};

const dot = 0x2e;
const slash = 0x2f;

/** The components of a name as an archive has it. Throws `CastoreError` (`invalid-archive`, `limit-exceeded`). */
export function parseArchivePath(name: Uint8Array, maxPathBytes: number): ArchivePath {
  if (name.length === 0) throw invalid('a member of the archive has an empty name');
  if (name.length > maxPathBytes) {
    throw new CastoreError(
      'limit-exceeded',
      `the member ${showName(name)} has a name of ${name.length} bytes, and ${maxPathBytes} are allowed`,
    );
  }
  if (name[0] === slash) throw invalid(`the member ${showName(name)} has an absolute path`);
  if (name.includes(0)) throw invalid(`the member ${showName(name)} has a NUL byte in its name`);
  const components: Uint8Array[] = [];
  let start = 0;
  for (let end = name.indexOf(slash); start < name.length; end = name.indexOf(slash, start)) {
    if (end === -1) end = name.length;
    const length = end - start;
    if (length === 2 && name[start] === dot && name[start + 1] === dot) {
      throw invalid(`the member ${showName(name)} leads outside of its directory with '..'`);
    }
    if (length > 1 || (length === 1 && name[start] !== dot)) components.push(name.slice(start, end));
    start = end + 1;
  }
  return components;
}

/** For messages. */
export function showArchivePath(path: ArchivePath): string {
  return path.length === 0 ? "'.'" : quote(path.map(decodeUtf8).join('/'));
}

/** For messages: a name as it is in the archive. */
export function showName(name: Uint8Array): string {
  return quote(decodeUtf8(name));
}

function quote(text: string): string {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return `'${shown.replaceAll(/\p{Cc}/gu, (it) => `\\x${it.charCodeAt(0).toString(16).padStart(2, '0')}`)}'`;
}

function invalid(message: string): CastoreError {
  return new CastoreError('invalid-archive', message);
}
