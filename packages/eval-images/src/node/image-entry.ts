/** An entry of the image folder that is open for reading: it stays readable when it is replaced or removed meanwhile. */
import * as fs from 'node:fs';
import { Checksummer } from '../checksum.ts';
import { type ImageHead, decodeHead, headBytes, imageHeaderBytes, payloadStart } from '../image-file.ts';

/** A small entry comes in one piece. */
const firstReadBytes = 1 << 20;
const pieceBytes = 1 << 24;
/** What a thread reads at a time, and how many do: as many as Node.js has for that. */
const sliceBytes = 1 << 21;
const readers = 4;

export class ImageEntry implements Disposable {
  readonly path: string;
  readonly lastUsedMs: number;
  readonly #file: number;
  readonly #head: ImageHead;
  readonly #payloadStart: number;
  #isOpen = true;

  constructor(opened: {
    path: string;
    file: number;
    head: ImageHead;
    payloadStart: number;
    lastUsedMs: number;
  }) {
    this.path = opened.path;
    this.lastUsedMs = opened.lastUsedMs;
    this.#file = opened.file;
    this.#head = opened.head;
    this.#payloadStart = opened.payloadStart;
  }

  get key(): string {
    return this.#head.key;
  }

  get info(): unknown {
    return this.#head.info;
  }

  /** As it was put. */
  get reads(): Uint8Array {
    return this.#head.reads;
  }

  get payloadBytes(): number {
    return this.#head.payloadBytes;
  }

  /**
   * Reads the payload into an array that is at least as long, such as the memory that it came from. False when it is
   * damaged: what is in the array then means nothing, and the entry is removed. Throws what the file system throws.
   */
  readPayload(into: Uint8Array): boolean {
    const { payloadBytes, payloadChecksum } = this.#head;
    const summer = payloadChecksum === undefined ? undefined : new Checksummer();
    for (let done = 0; done < payloadBytes;) {
      const wanted = Math.min(pieceBytes, payloadBytes - done);
      const count = readFully(this.#file, into.subarray(done, done + wanted), this.#payloadStart + done);
      if (count < wanted) return this.#remove();
      summer?.update(into.subarray(done, done + wanted));
      done += wanted;
    }
    const found = summer?.finish();
    const isWhole = found?.[0] === payloadChecksum?.[0] && found?.[1] === payloadChecksum?.[1];
    return isWhole || this.#remove();
  }

  /** Reads a part of the payload, which the reader checks. Throws what the file system throws, and when it is too short. */
  readPart(into: Uint8Array, position: number): void {
    if (
      position + into.length > this.payloadBytes ||
      readFully(this.#file, into, this.#payloadStart + position) < into.length
    ) {
      throw this.#tooShort();
    }
  }

  /**
   * Reads what follows a position into several arrays, one after the other, by several threads at once: most of the time goes by
   * while the system makes room for what is read. Throws as `readPart` does.
   */
  async readParts(parts: readonly Uint8Array[], position: number): Promise<void> {
    const slices: [into: Uint8Array, position: number][] = [];
    let at = position;
    for (const part of parts) {
      for (let done = 0; done < part.length; done += sliceBytes) {
        slices.push([part.subarray(done, done + sliceBytes), at + done]);
      }
      at += part.length;
    }
    if (at > this.payloadBytes) throw this.#tooShort();
    const isReading = slices.values();
    const readOn = async (): Promise<void> => {
      for (const [into, start] of isReading) {
        if ((await readSome(this.#file, into, this.#payloadStart + start)) < into.length)
          throw this.#tooShort();
      }
    };
    // The file is not closed while anybody reads.
    const ends = await Promise.allSettled(Array.from({ length: readers }, readOn));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  #tooShort(): Error {
    return new Error(`'${this.path}' is shorter than it says`);
  }

  /** The payload in an array of its own; undefined when it is damaged. */
  payload(): Uint8Array | undefined {
    const bytes = new Uint8Array(this.payloadBytes);
    return this.readPayload(bytes) ? bytes : undefined;
  }

  /** For those who find it damaged. It stays readable. */
  remove(): void {
    fs.rmSync(this.path, { force: true });
  }

  /** It is the one that was used last now. */
  noteUse(): void {
    const now = Date.now() / 1000;
    try {
      fs.futimesSync(this.#file, now, now);
    } catch {
      // It will be among the first to go.
    }
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) fs.closeSync(this.#file);
    this.#isOpen = false;
  }

  #remove(): false {
    this.remove();
    return false;
  }
}

/** Undefined when there is nothing, or nothing to be trusted. What is damaged is removed. Throws what the file system throws. */
export function openEntry(path: string): ImageEntry | undefined {
  let file: number;
  try {
    file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  let entry: ImageEntry | undefined;
  try {
    const stats = fs.fstatSync(file);
    if (!stats.isFile() || stats.uid !== process.geteuid?.() || (stats.mode & 0o022) !== 0) return undefined;
    entry = readHead({ path, file, sizeBytes: stats.size, lastUsedMs: stats.mtimeMs });
    if (entry === undefined) fs.rmSync(path, { force: true });
    return entry;
  } finally {
    if (entry === undefined) fs.closeSync(file);
  }
}

type OpenedFile = {
  readonly path: string;
  readonly file: number;
  readonly sizeBytes: number;
  readonly lastUsedMs: number;
};

function readHead({ path, file, sizeBytes, lastUsedMs }: OpenedFile): ImageEntry | undefined {
  let bytes: Uint8Array = Buffer.allocUnsafeSlow(Math.min(sizeBytes, firstReadBytes));
  if (readFully(file, bytes, 0) < bytes.length) return undefined;
  const length = headBytes(bytes);
  if (length === undefined || length < imageHeaderBytes || length > sizeBytes) return undefined;
  if (length > bytes.length) {
    bytes = Buffer.allocUnsafeSlow(length);
    if (readFully(file, bytes, 0) < length) return undefined;
  }
  const head = decodeHead(bytes.subarray(0, length));
  if (head === undefined) return undefined;
  const start = payloadStart(length, head.payloadBytes);
  if (start + head.payloadBytes !== sizeBytes) return undefined;
  return new ImageEntry({ path, file, head, payloadStart: start, lastUsedMs });
}

/** The same as below, by another thread. */
async function readSome(file: number, into: Uint8Array, position: number): Promise<number> {
  for (let done = 0; ;) {
    const count = await new Promise<number>((resolve, reject) => {
      fs.read(file, into, done, into.length - done, position + done, (error, bytes) => {
        if (error === null) resolve(bytes);
        else reject(error);
      });
    });
    done += count;
    if (count === 0 || done === into.length) return done;
  }
}

/** Reads until the array is full or the file ends. */
function readFully(file: number, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.length) {
    const count = fs.readSync(file, into, done, into.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
