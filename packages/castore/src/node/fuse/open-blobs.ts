/**
 * Readers of the blobs that are being read, with read-ahead.
 *
 * The kernel does not say who opens and closes a file here, so a reader is kept until it was not used for a while, or
 * another one needs its place: there are never more than `limit`. A blob that is read from the beginning or on from where
 * the last read ended is read in windows, each twice as long as the one before it up to `readAheadBytes`, and the next
 * window is fetched while one is being used. A reader holds at most two windows.
 */
import type { B3Digest } from '../../b3-digest.ts';
import type { BlobReader, BlobService } from '../../blob-service.ts';

export type OpenBlobsOptions = {
  /** How many readers are open at most. */
  readonly limit: number;
  /** The longest window. */
  readonly readAheadBytes: number;
  /** After this long without use a reader is closed, at the latest after twice as long. */
  readonly idleMs: number;
};

type Window = { readonly start: number; readonly end: number; readonly bytes: Promise<Uint8Array> };

type OpenBlob = {
  readonly key: string;
  readonly reader: Promise<BlobReader | undefined>;
  users: number;
  idle: boolean;
  /** Where the last read ended. */
  position: number;
  windowBytes: number;
  /** In ascending order, each beginning where the one before it ends. */
  windows: Window[];
};

export class OpenBlobs implements AsyncDisposable {
  readonly #blobs: BlobService;
  readonly #options: OpenBlobsOptions;
  /** The longest unused first. */
  readonly #open = new Map<string, OpenBlob>();
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new Set<Promise<void>>();
  readonly #disposed = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(blobs: BlobService, options: OpenBlobsOptions) {
    this.#blobs = blobs;
    this.#options = options;
    this.#timer = setInterval(() => this.#closeIdle(), options.idleMs);
    this.#timer.unref();
  }

  /** `length` bytes from `offset` on, fewer where the blob ends; `undefined` when there is no such blob. */
  async read(digest: B3Digest, offset: number, length: number): Promise<Uint8Array | undefined> {
    const blob = await this.#acquire(digest);
    try {
      const reader = await blob.reader;
      if (reader !== undefined) return await this.#readFrom(blob, reader, { offset, length });
      this.#drop(blob);
      return undefined;
    } catch (error) {
      // What failed is tried again by the next read.
      blob.windows = [];
      throw error;
    } finally {
      this.#release(blob);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#disposed.abort();
    for (const blob of this.#open.values()) this.#close(blob);
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  async #acquire(digest: B3Digest): Promise<OpenBlob> {
    const { key } = digest;
    while (true) {
      const known = this.#open.get(key);
      if (known !== undefined) {
        this.#open.delete(key);
        this.#open.set(key, known);
        known.users++;
        known.idle = false;
        return known;
      }
      if (this.#open.size < this.#options.limit || this.#closeOldest()) break;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    const reader = this.#blobs.open(digest, this.#disposed.signal);
    const blob: OpenBlob = {
      key,
      reader,
      users: 1,
      idle: false,
      position: 0,
      windowBytes: 0,
      windows: [],
    };
    this.#open.set(key, blob);
    // A failure reaches those who wait for the reader; the next one tries again.
    reader.catch(() => this.#drop(blob));
    return blob;
  }

  #drop(blob: OpenBlob): void {
    if (this.#open.get(blob.key) === blob) this.#open.delete(blob.key);
  }

  #release(blob: OpenBlob): void {
    blob.users--;
    if (blob.users === 0) this.#waiting.shift()?.();
  }

  #closeOldest(): boolean {
    for (const blob of this.#open.values()) {
      if (blob.users > 0) continue;
      this.#close(blob);
      return true;
    }
    return false;
  }

  #closeIdle(): void {
    for (const blob of this.#open.values()) {
      if (blob.users > 0) continue;
      if (blob.idle) this.#close(blob);
      blob.idle = true;
    }
  }

  #close(blob: OpenBlob): void {
    this.#open.delete(blob.key);
    const closed = closeReader(blob).finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  async #readFrom(blob: OpenBlob, reader: BlobReader, range: Range): Promise<Uint8Array> {
    const { offset } = range;
    const end = Math.min(offset + range.length, reader.size);
    if (offset >= end) return new Uint8Array(0);
    const isNext = offset === blob.position;
    blob.position = end;
    const used = this.#windowsFor(blob, reader, { offset, end, isNext });
    if (used === undefined) return await reader.read(offset, end - offset, this.#disposed.signal);
    this.#readAhead(blob, reader, end);
    const [only] = used;
    if (used.length === 1 && only !== undefined) {
      return (await only.bytes).subarray(offset - only.start, end - only.start);
    }
    return await joinWindows(used, offset, end);
  }

  /** The windows that cover a range, the last of which may be new; `undefined` for a range that is better read alone. */
  #windowsFor(blob: OpenBlob, reader: BlobReader, range: Wanted): readonly Window[] | undefined {
    const { offset, end } = range;
    const held = blob.windows.filter((it) => it.start < end && offset < it.end);
    const first = held[0];
    if (first === undefined || first.start > offset) {
      if (!range.isNext) return undefined;
      blob.windows = [];
      return [this.#fetchWindow(blob, reader, { start: offset, end })];
    }
    const last = held.at(-1) ?? first;
    if (last.end >= end) return held;
    // With a third window the first one would be too many.
    return held.length > 1 ? undefined : [first, this.#fetchWindow(blob, reader, { start: last.end, end })];
  }

  /** Fetches the next window when the last one is half used, and this is more than the beginning of the blob. */
  #readAhead(blob: OpenBlob, reader: BlobReader, end: number): void {
    const last = blob.windows.at(-1);
    if (last === undefined || last.end >= reader.size || end <= this.#options.readAheadBytes / 8) return;
    if (end - last.start <= (last.end - last.start) / 2) return;
    this.#fetchWindow(blob, reader, { start: last.end, end: last.end });
  }

  /** Begins to fetch the window from `start` on, which reaches at least to `end`. */
  #fetchWindow(blob: OpenBlob, reader: BlobReader, { start, end }: Span): Window {
    blob.windowBytes = Math.min(Math.max(blob.windowBytes * 2, end - start), this.#options.readAheadBytes);
    const windowEnd = Math.min(Math.max(start + blob.windowBytes, end), reader.size);
    const bytes = reader.read(start, windowEnd - start, this.#disposed.signal);
    // It may be that nobody comes for the window; who does, sees the failure.
    bytes.catch(() => undefined);
    const window: Window = { start, end: windowEnd, bytes };
    blob.windows = [...blob.windows.slice(-1), window];
    return window;
  }
}

type Range = { readonly offset: number; readonly length: number };
type Span = { readonly start: number; readonly end: number };
type Wanted = { readonly offset: number; readonly end: number; readonly isNext: boolean };

async function joinWindows(windows: readonly Window[], offset: number, end: number): Promise<Uint8Array> {
  const joined = new Uint8Array(end - offset);
  for (const window of windows) {
    const bytes = await window.bytes;
    const from = Math.max(offset, window.start);
    const to = Math.min(end, window.end);
    joined.set(bytes.subarray(from - window.start, to - window.start), from - offset);
  }
  return joined;
}

/** Waits for windows that are being fetched, then disposes of the reader. Nobody is there to hear of failures. */
async function closeReader(blob: OpenBlob): Promise<void> {
  try {
    await Promise.allSettled(blob.windows.map((it) => it.bytes));
    const reader = await blob.reader;
    await reader?.[Symbol.asyncDispose]();
  } catch {
    // What failed to open needs no closing; a reader that fails to close has given all that was asked of it.
  }
}
