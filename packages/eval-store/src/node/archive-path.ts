/**
 * Walks a path of the machine as a NAR does: entries in bytewise order, files streamed. The walk tells a visitor what
 * it meets, so that hashing and copying see the same bytes in one pass.
 */
import { compareBytes, decodeUtf8 } from '@neve/bytes';
import { EvalIOError, type FileType, type PathSet } from '@neve/eval';
import type { NarWriter } from '@neve/nix-compat';
import type { HostFiles } from './host-files.ts';
import { notFound } from './io-errors.ts';

/** Hears of every object; `relative` is the path below the root of the walk, empty for the root. */
export interface TreeVisitor {
  startFile(relative: Uint8Array, sizeBytes: number, executable: boolean): void;
  contents(bytes: Uint8Array): void;
  endFile(): void;
  symlink(relative: Uint8Array, target: Uint8Array): void;
  startDirectory(relative: Uint8Array): void;
  entry(name: Uint8Array): void;
  endDirectory(): void;
}

export type WalkOptions = {
  readonly files: HostFiles;
  readonly path: Uint8Array;
  /** Relative paths to keep; all, without it. */
  readonly accepted?: PathSet | undefined;
};

/** An object on the way: where it is, where it is below the root, and what it is as far as its directory knows. */
type Place = {
  readonly at: Uint8Array;
  readonly relative: Uint8Array;
  readonly type: FileType | undefined;
};

export function walkTree({ files, path, accepted }: WalkOptions, visitor: TreeVisitor): void {
  visit({ at: path, relative: new Uint8Array(), type: files.status(path)?.type });

  function visit({ at, relative, type }: Place): void {
    switch (type) {
      case undefined:
        throw notFound(at);
      case 'regular':
      case 'executable':
        files.stream(at, {
          start: (sizeBytes, executable) => visitor.startFile(relative, sizeBytes, executable),
          chunk: (bytes) => visitor.contents(bytes),
        });
        return visitor.endFile();
      case 'symlink':
        return visitor.symlink(relative, files.readLink(at));
      case 'directory':
        return visitDirectory(at, relative);
      case 'unknown':
        throw new EvalIOError('unsupported-file', `file '${decodeUtf8(at)}' has an unsupported type`, {
          path: at,
        });
    }
  }

  function visitDirectory(at: Uint8Array, relative: Uint8Array): void {
    visitor.startDirectory(relative);
    const entries = [...files.list(at)].sort((left, right) => compareBytes(left.name, right.name));
    for (const { name, type } of entries) {
      const below = relative.length === 0 ? name : joinPath(relative, name);
      if (accepted !== undefined && !accepted.has(below)) continue;
      visitor.entry(name);
      visit({ at: joinPath(at, name), relative: below, type });
    }
    visitor.endDirectory();
  }
}

/** `left/right`; the root brings its own slash. */
export function joinPath(left: Uint8Array, right: Uint8Array): Uint8Array {
  const root = left.length === 1 && left[0] === slash;
  const base = root ? 0 : left.length;
  const joined = new Uint8Array(base + 1 + right.length);
  joined.set(root ? [] : left);
  joined[base] = slash;
  joined.set(right, base + 1);
  return joined;
}

const slash = 0x2f;

/** Writes what the walk meets into an archive, and what it tells to another visitor. */
export function archiveVisitor(nar: NarWriter, also?: TreeVisitor): TreeVisitor {
  return {
    startFile(relative, sizeBytes, executable) {
      nar.startRegular(sizeBytes, executable);
      also?.startFile(relative, sizeBytes, executable);
    },
    contents(bytes) {
      nar.contents(bytes);
      also?.contents(bytes);
    },
    endFile() {
      nar.endRegular();
      also?.endFile();
    },
    symlink(relative, target) {
      nar.symlink(target);
      also?.symlink(relative, target);
    },
    startDirectory(relative) {
      nar.startDirectory();
      also?.startDirectory(relative);
    },
    entry(name) {
      nar.entry(name);
      also?.entry(name);
    },
    endDirectory() {
      nar.endDirectory();
      also?.endDirectory();
    },
  };
}
