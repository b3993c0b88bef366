/**
 * Names inside of directories and targets of symbolic links. Both are bytes, not text: a file system has no encoding.
 *
 *     name     1 to 255 bytes, not `.` or `..`, neither `/` nor NUL
 *     target   1 to 4095 bytes, no NUL
 *
 * Whoever has a `PathComponent` or a `SymlinkTarget` knows that this holds; the bytes must not change.
 */
import { byteKey, compareBytes, decodeUtf8, encodeUtf8, equalBytes } from '@neve/bytes';
import { CastoreError } from './castore-error.ts';

export const maxNameLength = 255;
export const maxTargetLength = 4095;

const dot = 0x2e;
const slash = 0x2f;

export class PathComponent {
  readonly bytes: Uint8Array;
  #key: string | undefined;

  /** Throws `CastoreError` (`invalid-name`). */
  constructor(bytes: Uint8Array) {
    const problem = nameProblem(bytes);
    if (problem !== undefined) {
      throw new CastoreError('invalid-name', `${showBytes(bytes)} cannot be the name of a file: ${problem}`);
    }
    this.bytes = bytes;
  }

  /** The same for equal names, for use in maps; without a slash. */
  get key(): string {
    this.#key ??= byteKey(this.bytes);
    return this.#key;
  }

  equals(other: PathComponent): boolean {
    return equalBytes(this.bytes, other.bytes);
  }

  /** The order of directory entries: bytewise. */
  compare(other: PathComponent): number {
    return compareBytes(this.bytes, other.bytes);
  }

  /** For messages: what is not UTF-8 is replaced. */
  toString(): string {
    return decodeUtf8(this.bytes);
  }
}

export class SymlinkTarget {
  readonly bytes: Uint8Array;

  /** Throws `CastoreError` (`invalid-name`). */
  constructor(bytes: Uint8Array) {
    const problem = targetProblem(bytes);
    if (problem !== undefined) {
      throw new CastoreError(
        'invalid-name',
        `${showBytes(bytes)} cannot be the target of a symbolic link: ${problem}`,
      );
    }
    this.bytes = bytes;
  }

  equals(other: SymlinkTarget): boolean {
    return equalBytes(this.bytes, other.bytes);
  }

  toString(): string {
    return decodeUtf8(this.bytes);
  }
}

/** Throws `CastoreError` (`invalid-name`). */
export function pathComponent(text: string): PathComponent {
  return new PathComponent(encodeUtf8(text));
}

/** Throws `CastoreError` (`invalid-name`). */
export function symlinkTarget(text: string): SymlinkTarget {
  return new SymlinkTarget(encodeUtf8(text));
}

/** A relative path of components; `a//b/` is `a/b`, the empty path is the root. Throws `CastoreError`. */
export function parsePath(path: string | Uint8Array): readonly PathComponent[] {
  const bytes = typeof path === 'string' ? encodeUtf8(path) : path;
  const components: PathComponent[] = [];
  let start = 0;
  for (let end = 0; end <= bytes.length; end++) {
    if (end < bytes.length && bytes[end] !== slash) continue;
    if (end > start) components.push(new PathComponent(bytes.subarray(start, end)));
    start = end + 1;
  }
  return components;
}

/** For messages: components with slashes between them. */
export function showPath(components: readonly PathComponent[]): string {
  return components.length === 0 ? '.' : components.map(String).join('/');
}

function nameProblem(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'it is empty';
  if (bytes.length > maxNameLength)
    return `it has ${bytes.length} bytes, and at most ${maxNameLength} are allowed`;
  if (bytes[0] === dot && (bytes.length === 1 || (bytes.length === 2 && bytes[1] === dot))) {
    return "'.' and '..' have a meaning of their own";
  }
  if (bytes.includes(slash)) return 'it contains a slash';
  return bytes.includes(0) ? 'it contains a NUL byte' : undefined;
}

function targetProblem(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'it is empty';
  if (bytes.length > maxTargetLength)
    return `it has ${bytes.length} bytes, and at most ${maxTargetLength} are allowed`;
  return bytes.includes(0) ? 'it contains a NUL byte' : undefined;
}

function showBytes(bytes: Uint8Array): string {
  const shown = bytes.length > 80 ? `${decodeUtf8(bytes.subarray(0, 80))}…` : decodeUtf8(bytes);
  return JSON.stringify(shown);
}
