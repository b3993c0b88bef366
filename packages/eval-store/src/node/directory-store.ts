/**
 * A plain directory as a store: store objects are its entries, and what is there is valid.
 *
 * An object appears under its name only when it is complete and on disk: it is written beside it under a temporary
 * name (`.neve-…`), made read only with the time stamp 1, synced, and renamed. Two writers of the same object do no
 * harm to each other: the second finds the first one's and drops its own.
 */
import * as fs from 'node:fs';
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { joinPath, type TreeVisitor } from './archive-path.ts';
import { errorCode, ioError } from './io-errors.ts';

/** Seconds since 1970 that every store object has as its time of change. */
const storeTime = 1;

export class DirectoryStore {
  readonly #directory: string;
  /** Whether contents are forced to disk before they are visible. */
  readonly #fsync: boolean;
  #counter = 0;

  constructor(directory: string, options: { readonly fsync: boolean }) {
    this.#directory = directory;
    this.#fsync = options.fsync;
  }

  has(baseName: string): boolean {
    return fs.lstatSync(`${this.#directory}/${baseName}`, { throwIfNoEntry: false }) !== undefined;
  }

  /** Writes one file, unless the object is there. */
  writeFile(baseName: string, contents: Uint8Array): void {
    this.writeTree(baseName, (visitor) => {
      visitor.startFile(new Uint8Array(), contents.length, false);
      visitor.contents(contents);
      visitor.endFile();
    });
  }

  /** Writes what `fill` tells the visitor, unless the object is there. When `fill` throws, nothing is left behind. */
  writeTree(baseName: string, fill: (visitor: TreeVisitor) => void): void {
    const target = `${this.#directory}/${baseName}`;
    try {
      if (this.has(baseName)) return;
      fs.mkdirSync(this.#directory, { recursive: true });
      const temporary = `${this.#directory}/.neve-${process.pid}-${Date.now().toString(36)}-${this.#counter++}`;
      this.#writeThere({ temporary, target, fill });
    } catch (error) {
      throw ioError(error, 'write', encodeUtf8(target));
    }
  }

  #writeThere({
    temporary,
    target,
    fill,
  }: {
    temporary: string;
    target: string;
    fill: (visitor: TreeVisitor) => void;
  }) {
    const tree = new TreeWriter(temporary, this.#fsync);
    try {
      fill(tree);
      tree.finish();
      fs.renameSync(temporary, target);
    } catch (error) {
      tree.remove();
      // Another writer was faster; both wrote the same.
      if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
    }
    if (this.#fsync) syncPath(this.#directory);
  }
}

/** Makes files, symlinks and directories under a root as they are told. */
class TreeWriter implements TreeVisitor {
  readonly #root: Uint8Array;
  readonly #fsync: boolean;
  readonly #directories: Buffer[] = [];
  #file = -1;

  constructor(root: string, fsync: boolean) {
    this.#root = encodeUtf8(root);
    this.#fsync = fsync;
  }

  startFile(relative: Uint8Array, _sizeBytes: number, executable: boolean): void {
    this.#file = fs.openSync(this.#at(relative), 'wx', 0o600);
    fs.fchmodSync(this.#file, executable ? 0o555 : 0o444);
  }

  contents(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += fs.writeSync(this.#file, bytes, done);
  }

  endFile(): void {
    fs.futimesSync(this.#file, storeTime, storeTime);
    if (this.#fsync) fs.fsyncSync(this.#file);
    this.#close();
  }

  symlink(relative: Uint8Array, target: Uint8Array): void {
    const path = this.#at(relative);
    fs.symlinkSync(Buffer.from(target), path);
    fs.lutimesSync(path, storeTime, storeTime);
  }

  startDirectory(relative: Uint8Array): void {
    const path = this.#at(relative);
    fs.mkdirSync(path, 0o700);
    this.#directories.push(path);
  }

  entry(): void {
    // The path of the object itself says where it goes.
  }

  endDirectory(): void {
    // Directories stay writable until all is written, so that a failure can be cleaned up.
  }

  /** Makes the directories read only, the innermost first since that changes the outer one's time. */
  finish(): void {
    for (const path of this.#directories.toReversed()) {
      fs.chmodSync(path, 0o555);
      fs.utimesSync(path, storeTime, storeTime);
      if (this.#fsync) syncPath(path);
    }
  }

  /** Takes away what was written so far. */
  remove(): void {
    this.#close();
    for (const path of this.#directories) fs.chmodSync(path, 0o700);
    fs.rmSync(decodeUtf8(this.#root), { recursive: true, force: true });
  }

  #close(): void {
    if (this.#file !== -1) fs.closeSync(this.#file);
    this.#file = -1;
  }

  #at(relative: Uint8Array): Buffer {
    return Buffer.from(relative.length === 0 ? this.#root : joinPath(this.#root, relative));
  }
}

function syncPath(path: string | Buffer): void {
  const file = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}
