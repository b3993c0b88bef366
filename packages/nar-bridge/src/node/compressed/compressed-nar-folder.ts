/**
 * Compressed NARs as files of a folder, made while nobody waits for them:
 *
 *     nar/<nixbase32 SHA-256 of the file>.nar.zst     what is served; complete and durable
 *     unfinished/                                     files that are being written
 *     db/                                             which files there are: `compressed-nar-table.ts`
 *
 * A file is written under another name, synced, renamed, and only then recorded. Every NAR is hashed while it is compressed: what
 * has another hash than its path info says becomes no file. The folder is bounded: the files that were used least recently go
 * first. A file that went, or that is damaged, is made again when it is asked for by its name; the same bytes come out, or it
 * is not there any more.
 *
 * Several processes may use a folder; each keeps the bound.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Digest, decodeNixBase32 } from '@neve/bytes';
import type { HashFunctions } from '@neve/bytes';
import { type Node, WeightedSemaphore, abortable } from '@neve/castore';
import { type NarSources, type PathInfo, renderNar } from '@neve/store';
import type { CompressedNar, CompressedNars } from '../../compressed-nars.ts';
import { NarBridgeError } from '../../nar-bridge-error.ts';
import { RecentMap } from '../../recent-map.ts';
import { compressFrames } from './compress-frames.ts';
import { type CompressedFileRecord, CompressedNarTable } from './compressed-nar-table.ts';

/** Whether a NAR is made a file now that it was requested so many times since the process began, this time included. */
export type CompressionPolicy = (pathInfo: PathInfo, requests: number) => boolean;

export type CompressedNarEvent =
  /** Narinfos of this path that are at hand name another file, or none. */
  | { readonly kind: 'made'; readonly hashPart: string | undefined; readonly file: CompressedNar }
  | { readonly kind: 'failed'; readonly hashPart: string | undefined; readonly error: unknown }
  | { readonly kind: 'damaged'; readonly file: string; readonly problem: string };

export type CompressedNarFolderOptions = {
  readonly path: string;
  /** What is served from; the folder leaves it open. */
  readonly store: Pick<NarSources, 'blobs' | 'directories'>;
  readonly hashes: HashFunctions;
  /** Of all files together; 16 GiB unless given. A NAR that would be larger by itself becomes no file. */
  readonly maxBytes?: number;
  /** Of zstd; 3 unless given. */
  readonly level?: number;
  /** At the first request unless given. */
  readonly policy?: CompressionPolicy;
  /** How many NARs may wait to be compressed; further ones are forgotten. 1024 unless given. */
  readonly maxQueued?: number;
  /** Threads that compress; half of the processors unless given, at most 3, since files are read by the same pool of 4. */
  readonly threads?: number;
  /** Whether clients are being served, which goes before. */
  readonly isBusy?: () => boolean;
  readonly onEvent?: (event: CompressedNarEvent) => void;
};

type Task = {
  readonly narHash: Digest;
  readonly narSize: number;
  readonly node: Node;
  readonly level: number;
  /** Of the path for which it is made. */
  readonly hashPart: string | undefined;
  /** Whether a client waits for it. */
  readonly isUrgent: boolean;
};

/** A file that was given out stays for a while: the server has yet to open it. */
const graceMs = 30_000;
/** What was not written to for so long is nobody's. */
const abandonedMs = 3_600_000;
/** Files of other processes are seen when so many of our own were made. */
const recountAfter = 64;
const keptShare = 0.95;
const hashedPieceSize = 1 << 20;

export class CompressedNarFolder implements CompressedNars, AsyncDisposable {
  readonly #options: Required<Omit<CompressedNarFolderOptions, 'isBusy' | 'onEvent'>> &
    Pick<CompressedNarFolderOptions, 'isBusy' | 'onEvent'>;
  readonly #table: CompressedNarTable;
  readonly #threads: WeightedSemaphore;
  readonly #ending: AbortController = new AbortController();
  /** Of all files, when they were counted last, and of those that this process has made since. */
  #bytes = 0;
  #uncounted = 0;
  #ended: Promise<void> | undefined;
  readonly #requests = new RecentMap<number>({ maxCost: 100_000 });
  /** By NAR hash; the one that is being made is not here any more. */
  readonly #queue = new Map<string, Task>();
  readonly #running = new Map<string, Promise<CompressedNar | undefined>>();
  /** When files were used since it was last recorded. */
  readonly #used = new Map<string, number>();

  private constructor(table: CompressedNarTable, options: CompressedNarFolderOptions) {
    this.#table = table;
    const threads = options.threads ?? Math.max(1, Math.min(3, availableParallelism() >> 1));
    const defaults = { maxBytes: 2 ** 34, level: 3, policy: () => true, maxQueued: 1024 };
    this.#options = { ...defaults, ...options, threads };
    this.#threads = new WeightedSemaphore(threads);
  }

  /** Makes the folder if it is missing, and removes what a crash has left. Throws `CastoreError` (`io`) or the system's error. */
  static async open(options: CompressedNarFolderOptions): Promise<CompressedNarFolder> {
    for (const name of ['nar', 'unfinished']) await mkdir(join(options.path, name), { recursive: true });
    const folder = new CompressedNarFolder(await CompressedNarTable.open(join(options.path, 'db')), options);
    await folder.#removeLeftovers();
    await folder.#makeRoom();
    return folder;
  }

  async find({ narHash }: PathInfo): Promise<CompressedNar | undefined> {
    const record = this.#table.ofNar(narHash);
    return record === undefined ? undefined : this.#usable(record);
  }

  async open(fileHash: string, signal?: AbortSignal): Promise<CompressedNar | undefined> {
    const digest = digestOf(fileHash);
    const record = digest === undefined ? undefined : this.#table.get(digest);
    if (record === undefined) return undefined;
    return (await this.#usable(record)) ?? this.#makeAgain(record, signal);
  }

  request(pathInfo: PathInfo): void {
    const { narHash, narSize, node, storePath } = pathInfo;
    // The NAR of a link is shorter than a request for it.
    if (this.#ending.signal.aborted || node.kind === 'symlink') return;
    const requests = (this.#requests.get(keyOf(narHash)) ?? 0) + 1;
    this.#requests.set(keyOf(narHash), requests);
    if (!this.#options.policy(pathInfo, requests)) return;
    const { level } = this.#options;
    this.#enqueue({ narHash, narSize, node, level, hashPart: storePath.hashPart, isUrgent: false });
  }

  /** Fulfilled when nothing waits to be compressed and nothing is being compressed. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values());
  }

  /**
   * Reads every file and removes those that are not what their names say; gives how many were read and how many were damaged.
   * A damaged one is made again when it is asked for.
   */
  async check(signal?: AbortSignal): Promise<{ readonly files: number; readonly damaged: number }> {
    let [files, damaged] = [0, 0];
    for (const record of this.#table.all()) {
      if (!record.isThere) continue;
      signal?.throwIfAborted();
      files++;
      const hash = await this.#hashOfFile(this.#pathOf(record)).catch(() => undefined);
      if (hash?.equals(record.fileHash) === true) continue;
      damaged++;
      await this.#discard(
        record,
        hash === undefined ? 'it cannot be read' : 'its contents have another hash',
      );
    }
    return { files, damaged };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    this.#ending.abort(new NarBridgeError('interrupted', 'the server ends'));
    this.#queue.clear();
    await this.idle();
    await this.#recordUses();
    await this.#table[Symbol.asyncDispose]();
  }

  #pathOf({ fileHash }: Pick<CompressedFileRecord, 'fileHash'>): string {
    return join(this.#options.path, 'nar', `${fileHash.format('nix32')}.nar.zst`);
  }

  /** The file if it is there as it should be; its contents were right when it was written. */
  async #usable(record: CompressedFileRecord): Promise<CompressedNar | undefined> {
    if (!record.isThere) return undefined;
    const { fileHash, fileSize } = record;
    const file = this.#pathOf(record);
    const size = (await stat(file).catch(() => undefined))?.size;
    if (size !== fileSize) {
      const problem = size === undefined ? 'it is missing' : `it has ${size} bytes instead of ${fileSize}`;
      await this.#discard(record, problem);
      return undefined;
    }
    this.#used.set(keyOf(fileHash), Date.now());
    return { file, fileHash, fileSize, compression: 'zstd' };
  }

  async #discard(record: CompressedFileRecord, problem: string): Promise<void> {
    const file = this.#pathOf(record);
    this.#options.onEvent?.({ kind: 'damaged', file, problem });
    await this.#table.update([record.fileHash], (it) => ({ ...it, isThere: false }));
    await rm(file, { force: true });
  }

  async #makeAgain(record: CompressedFileRecord, signal?: AbortSignal): Promise<CompressedNar | undefined> {
    if (this.#ending.signal.aborted) return undefined;
    const task = { ...record, hashPart: undefined, isUrgent: true };
    const made = await abortable(this.#run(task), signal);
    if (made?.fileHash.equals(record.fileHash) === true) return made;
    // By another recipe, or from contents that are gone: the old name leads nowhere.
    if (made !== undefined) await this.#table.remove(record);
    return undefined;
  }

  #enqueue(task: Task): void {
    const key = keyOf(task.narHash);
    if (this.#running.has(key) || this.#queue.has(key)) return;
    if (this.#queue.size >= this.#options.maxQueued) return;
    this.#queue.set(key, task);
    this.#pump();
  }

  #pump(): void {
    for (const [key, task] of this.#queue) {
      if (this.#running.size >= this.#options.threads) return;
      this.#queue.delete(key);
      void this.#run(task);
    }
  }

  /** Once for each NAR at a time. Never rejects. */
  #run(task: Task): Promise<CompressedNar | undefined> {
    const key = keyOf(task.narHash);
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const run = this.#makeOrTell(task).finally(() => {
      this.#running.delete(key);
      this.#pump();
    });
    this.#running.set(key, run);
    return run;
  }

  async #makeOrTell(task: Task): Promise<CompressedNar | undefined> {
    try {
      const known = this.#table.ofNar(task.narHash);
      const there = known === undefined || task.isUrgent ? undefined : await this.#usable(known);
      if (there !== undefined) return there;
      const file = await this.#make(task);
      this.#options.onEvent?.({ kind: 'made', hashPart: task.hashPart, file });
      return file;
    } catch (error) {
      if (!this.#ending.signal.aborted)
        this.#options.onEvent?.({ kind: 'failed', hashPart: task.hashPart, error });
      return undefined;
    }
  }

  async #make({ narHash, narSize, node, level, isUrgent }: Task): Promise<CompressedNar> {
    const { path, store, hashes, maxBytes, threads, isBusy } = this.#options;
    const { signal } = this.#ending;
    const unfinished = join(path, 'unfinished', randomUUID());
    const [narHasher, fileHasher] = [hashes.create('sha256'), hashes.create('sha256')];
    const nar = observed(renderNar(node, store, signal), (piece) => narHasher.update(piece));
    const frames = compressFrames(
      nar,
      {
        level,
        size: narSize,
        threads: this.#threads,
        parallel: threads,
        isBusy: isUrgent ? undefined : isBusy,
      },
      signal,
    );
    try {
      await using file = await open(unfinished, 'wx', 0o644);
      let fileSize = 0;
      for await (const frame of frames) {
        fileSize += frame.length;
        if (fileSize > maxBytes) throw tooLarge(maxBytes);
        await writeHashed(file, frame, (piece) => fileHasher.update(piece));
      }
      const found = narHasher.digest();
      if (!found.equals(narHash)) throw wrongNar(narHash, found);
      await file.sync();
      const fileHash = fileHasher.digest();
      await this.#commit(unfinished, {
        ...{ fileHash, fileSize, narHash, narSize, node, level },
        isThere: true,
        lastUsedMs: Date.now(),
      });
      return { file: this.#pathOf({ fileHash }), fileHash, fileSize, compression: 'zstd' };
    } finally {
      await rm(unfinished, { force: true });
    }
  }

  async #commit(unfinished: string, record: CompressedFileRecord): Promise<void> {
    await rename(unfinished, this.#pathOf(record));
    await using folder = await open(join(this.#options.path, 'nar'), constants.O_RDONLY);
    await folder.sync();
    this.#used.set(keyOf(record.fileHash), record.lastUsedMs);
    await this.#table.put([record]);
    this.#bytes += record.fileSize;
    this.#uncounted++;
    if (this.#bytes > this.#options.maxBytes || this.#uncounted >= recountAfter) await this.#makeRoom();
  }

  /** Removes what was used least recently until the bound is kept. */
  async #makeRoom(): Promise<void> {
    const records = [...this.#table.all()].filter(({ isThere }) => isThere);
    this.#bytes = records.reduce((sum, { fileSize }) => sum + fileSize, 0);
    this.#uncounted = 0;
    const { maxBytes } = this.#options;
    if (this.#bytes <= maxBytes) return;
    const lastUse = (it: CompressedFileRecord): number =>
      Math.max(it.lastUsedMs, this.#used.get(keyOf(it.fileHash)) ?? 0);
    const removed: CompressedFileRecord[] = [];
    for (const record of records.toSorted((a, b) => lastUse(a) - lastUse(b))) {
      // A little more than has to go, so that not every new file looks at all of them.
      if (this.#bytes <= maxBytes * keptShare || lastUse(record) > Date.now() - graceMs) break;
      removed.push(record);
      this.#bytes -= record.fileSize;
    }
    await this.#recordUses();
    await this.#table.update(
      removed.map(({ fileHash }) => fileHash),
      (it) => ({ ...it, isThere: false }),
    );
    for (const record of removed) {
      this.#used.delete(keyOf(record.fileHash));
      await rm(this.#pathOf(record), { force: true });
    }
  }

  async #recordUses(): Promise<void> {
    const used = new Map(this.#used);
    const digests = [...this.#table.all()].map((it) => it.fileHash).filter((it) => used.has(keyOf(it)));
    await this.#table.update(digests, (it) => ({
      ...it,
      lastUsedMs: Math.max(it.lastUsedMs, used.get(keyOf(it.fileHash)) ?? 0),
    }));
    for (const [key, timeMs] of used) if (this.#used.get(key) === timeMs) this.#used.delete(key);
  }

  /** Files that were being written, and those that were renamed and never recorded. */
  async #removeLeftovers(): Promise<void> {
    const recorded = new Set([...this.#table.all()].filter((it) => it.isThere).map((it) => this.#pathOf(it)));
    for (const name of ['nar', 'unfinished']) {
      const folder = join(this.#options.path, name);
      for (const entry of await readdir(folder)) {
        const file = join(folder, entry);
        if (recorded.has(file)) continue;
        const changedMs = (await stat(file).catch(() => undefined))?.mtimeMs;
        if (changedMs === undefined || Date.now() - changedMs < abandonedMs) continue;
        await rm(file, { force: true });
      }
    }
  }

  async #hashOfFile(path: string): Promise<Digest> {
    await using file = await open(path);
    const hasher = this.#options.hashes.create('sha256');
    const buffer = Buffer.allocUnsafeSlow(hashedPieceSize);
    while (true) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return hasher.digest();
      hasher.update(buffer.subarray(0, bytesRead));
    }
  }
}

async function* observed(
  source: AsyncIterable<Uint8Array>,
  observe: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of source) {
    observe(piece);
    yield piece;
  }
}

/** In pieces, so that hashing holds up nobody for long. */
async function writeHashed(
  file: FileHandle,
  bytes: Uint8Array,
  hash: (piece: Uint8Array) => void,
): Promise<void> {
  for (let start = 0; start < bytes.length; start += hashedPieceSize) {
    const piece = bytes.subarray(start, start + hashedPieceSize);
    hash(piece);
    for (let done = 0; done < piece.length;) {
      done += (await file.write(piece, done, piece.length - done)).bytesWritten;
    }
  }
}

function keyOf(hash: Digest): string {
  return hash.format('nix32');
}

function digestOf(nix32: string): Digest | undefined {
  try {
    return new Digest('sha256', decodeNixBase32(nix32));
  } catch {
    return undefined;
  }
}

function wrongNar(expected: Digest, found: Digest): NarBridgeError {
  const [wanted, actual] = [expected.format('sri'), found.format('sri')];
  return new NarBridgeError(
    'corrupt',
    `the contents of a path give a NAR with the hash ${actual}, but its path info says ${wanted}: verify the store`,
  );
}

function tooLarge(maxBytes: number): NarBridgeError {
  return new NarBridgeError(
    'bad-option',
    `a compressed NAR is larger than the ${maxBytes} bytes of the whole folder: raise its limit to have it as a file`,
  );
}
