/**
 * The folder in the user's cache where images and results are kept, one file an entry (`image-file.ts`):
 *
 *     <kind>-<checksum of the key>.<version>     an entry
 *     .new-<process>-<number>                    one that is being written
 *
 * An entry appears complete, by a rename, and is never changed but for its time of change, which is when it was last used.
 * Any number of processes may read, write and remove side by side: who has opened an entry keeps it, and of two who write
 * the same the later one stays. When the folder grows too large, what was used longest ago goes.
 *
 * Nothing here fails an evaluation: what cannot be read is not there, and what cannot be written is not kept. `problem` says
 * why. Entries decide what a program answers, so that they are only taken from files of the user that nobody else may
 * write.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { encodeUtf8 } from '@neve/bytes';
import { checksum, printChecksum } from '../checksum.ts';
import { imageFileVersion } from '../image-file.ts';
import { type ImageEntry, openEntry } from './image-entry.ts';
import { type Payload, writeEntry } from './write-entry.ts';

export type ImageFolderOptions = {
  /** It is made when something is put into it; the folder above it must be there or may be made. */
  readonly path: string;
  /** What all files may have together: 2 GiB without it. */
  readonly maxBytes?: number | undefined;
};

/** What an entry is found by: its kind, as in `result`, and a text that says all that matters. */
export type EntryName = {
  /** Lower-case letters. */
  readonly kind: string;
  readonly key: string;
};

export type NewEntry = EntryName & {
  /** Anything that JSON can say: settings, versions, times. */
  readonly info: unknown;
  /** What must still hold, as `encodeReadSet` writes it; empty when nothing must. */
  readonly reads: Uint8Array;
  readonly payload?: Payload | undefined;
  /**
   * How damage of the payload is found: by a checksum (the default), by who reads it, who has one of his own, or not at all,
   * since it is forced to disk.
   */
  readonly payloadCheck?: 'checksum' | 'reader' | 'disk';
};

/** An entry as a list shows it. */
export type EntrySummary = EntryName & {
  readonly info: unknown;
  readonly sizeBytes: number;
  readonly lastUsedMs: number;
};

const defaultMaxBytes = 2 * 2 ** 30;
/** Each of them is looked at when one is added. */
const maxEntries = 1000;
/** What is being written for so long was given up. */
const abandonedMs = 60 * 60 * 1000;
/** To note every use would be a write for every read. */
const noteUseAfterMs = 60 * 1000;

const entryPattern = new RegExp(`^[a-z]+-[0-9a-f]{16}\\.${imageFileVersion}$`);
const ownPattern = /^(?:[a-z]+-[0-9a-f]{16}\.\d+|\.new-.*)$/;

export class ImageFolder {
  readonly path: string;
  readonly #maxBytes: number;
  #problem: string | undefined;

  constructor({ path, maxBytes }: ImageFolderOptions) {
    this.path = path;
    this.#maxBytes = maxBytes ?? defaultMaxBytes;
  }

  /** Why something could not be read or written, the last time that it could not. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Opens an entry; whoever gets it disposes of it. Undefined when there is none, or none that is whole. */
  find(name: EntryName): ImageEntry | undefined {
    try {
      const entry = openEntry(this.#pathOf(name));
      if (entry === undefined) return undefined;
      if (entry.key !== name.key) {
        entry[Symbol.dispose]();
        return undefined;
      }
      if (Date.now() - entry.lastUsedMs > noteUseAfterMs) entry.noteUse();
      return entry;
    } catch (error) {
      this.#note(error);
      return undefined;
    }
  }

  /** Whether there is something by this name, which may turn out to be of no use. */
  has(name: EntryName): boolean {
    return fs.existsSync(this.#pathOf(name));
  }

  /** Puts an entry, in the place of one of the same name. False when it could not be written. */
  put(entry: NewEntry): boolean {
    try {
      fs.mkdirSync(this.path, { recursive: true, mode: 0o700 });
      const sizeBytes = writeEntry(this.path, {
        entry,
        target: this.#pathOf(entry),
        maxBytes: this.#maxBytes,
      });
      if (sizeBytes === undefined) {
        this.#problem = `an entry of kind '${entry.kind}' is larger than the folder may become`;
        return false;
      }
      this.#makeRoom(this.#pathOf(entry));
      return true;
    } catch (error) {
      this.#note(error);
      return false;
    }
  }

  remove(name: EntryName): void {
    fs.rmSync(this.#pathOf(name), { force: true });
  }

  /** Every entry that can be read, those that were used last first. */
  list(): readonly EntrySummary[] {
    const summaries: EntrySummary[] = [];
    for (const { name, sizeBytes, lastUsedMs } of this.#filesIfAny()) {
      if (!entryPattern.test(name)) continue;
      using entry = this.#open(join(this.path, name));
      if (entry === undefined) continue;
      const kind = name.slice(0, name.indexOf('-'));
      summaries.push({ kind, key: entry.key, info: entry.info, sizeBytes, lastUsedMs });
    }
    return summaries.sort((left, right) => right.lastUsedMs - left.lastUsedMs);
  }

  /** Removes all that this class has written, of any version. Gives how many files and bytes that were. */
  clear(): { readonly files: number; readonly sizeBytes: number } {
    const files = this.#files();
    for (const { name } of files) fs.rmSync(join(this.path, name), { force: true });
    return { files: files.length, sizeBytes: files.reduce((sum, it) => sum + it.sizeBytes, 0) };
  }

  /** Whether something could be written, found out by writing; otherwise why not. */
  writingProblem(): string | undefined {
    const probe = join(this.path, `.new-${process.pid}-probe`);
    try {
      fs.mkdirSync(this.path, { recursive: true, mode: 0o700 });
      fs.writeFileSync(probe, 'neve', { mode: 0o600 });
      fs.rmSync(probe);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  #pathOf({ kind, key }: EntryName): string {
    return join(this.path, `${kind}-${printChecksum(checksum(encodeUtf8(key)))}.${imageFileVersion}`);
  }

  #open(path: string): ImageEntry | undefined {
    try {
      return openEntry(path);
    } catch {
      return undefined;
    }
  }

  /** Removes what was given up, and what was used longest ago until the rest is small enough. */
  #makeRoom(added: string): void {
    const files = this.#files();
    const now = Date.now();
    let sizeBytes = 0;
    let count = 0;
    for (const file of files.sort((left, right) => right.lastUsedMs - left.lastUsedMs)) {
      const path = join(this.path, file.name);
      const isNew = file.name.startsWith('.new-');
      const isAbandoned = isNew && now - file.lastUsedMs > abandonedMs;
      const fits = sizeBytes + file.sizeBytes <= this.#maxBytes && count < maxEntries;
      if (path === added || (isNew && !isAbandoned) || (!isAbandoned && fits)) {
        sizeBytes += file.sizeBytes;
        count += 1;
      } else fs.rmSync(path, { force: true });
    }
  }

  #filesIfAny(): readonly {
    readonly name: string;
    readonly sizeBytes: number;
    readonly lastUsedMs: number;
  }[] {
    try {
      return this.#files();
    } catch (error) {
      this.#note(error);
      return [];
    }
  }

  #files(): { readonly name: string; readonly sizeBytes: number; readonly lastUsedMs: number }[] {
    const files = [];
    for (const name of namesIn(this.path)) {
      if (!ownPattern.test(name)) continue;
      const stats = fs.lstatSync(join(this.path, name), { throwIfNoEntry: false });
      if (stats?.isFile() === true) files.push({ name, sizeBytes: stats.size, lastUsedMs: stats.mtimeMs });
    }
    return files;
  }

  #note(error: unknown): void {
    this.#problem = messageOf(error);
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
