/**
 * A NAR into castore, in one pass over its bytes: files become blobs while the next ones are read, directories follow
 * leaves first, and the hashes are made on the way.
 *
 * What the NAR is expected to be is checked before its root is stored. A NAR that is refused leaves blobs that nothing
 * refers to, which garbage collection removes; no directory of it is visible.
 */
import type { Digest, Hasher, HashFunctions } from '@neve/bytes';
import { OrderedWindow, PathComponent, SymlinkTarget, ingestEntries } from '@neve/castore';
import type { BlobService, BlobWriter, DirectoryService, IngestionEntry, Node } from '@neve/castore';
import { readNar } from '@neve/nix-compat';
import type { ContentAddress, NarEvent } from '@neve/nix-compat';
import type { NarCalculation } from './path-info-service.ts';
import { StoreError } from './store-error.ts';

export type IngestNarOptions = {
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  readonly hashes: HashFunctions;
  readonly expected?: ExpectedNar;
};

/** What is given must be so. */
export type ExpectedNar = {
  /** Any algorithm. */
  readonly narHash?: Digest | undefined;
  readonly narSize?: number | undefined;
  /** Of contents that do not mention their own path; not `git`. */
  readonly contentAddress?: ContentAddress | undefined;
};

/**
 * The node of the archive, and its SHA-256 and size. The source's pieces are used only until the next one is asked for.
 * Throws `NixCompatError` (`bad-nar`), `StoreError` (`corrupt` for what was expected and is not so, `unsupported` for a
 * content address that cannot be computed), `CastoreError`, and what the source throws.
 */
export async function ingestNar(
  source: AsyncIterable<Uint8Array>,
  options: IngestNarOptions,
  signal?: AbortSignal,
): Promise<NarCalculation & { readonly node: Node }> {
  const hashing = new NarHashing(options);
  const entries = narEntries(hashing.watch(source), { blobs: options.blobs, hashing }, signal);
  const node = await ingestEntries(options.directories, entries, signal);
  return { node, narSize: hashing.narSize, narHash: hashing.narHash };
}

/** Files up to this size are gathered in memory and stored in the background. */
const smallFile = 1 << 20;

const uploadLimits = { maxCost: 64 << 20, maxItems: 1024 };

type EntriesOptions = { readonly blobs: BlobService; readonly hashing: NarHashing };

async function* narEntries(
  source: AsyncIterable<Uint8Array>,
  { blobs, hashing }: EntriesOptions,
  signal?: AbortSignal,
): AsyncGenerator<IngestionEntry, void, void> {
  await using window = new OrderedWindow<IngestionEntry>(uploadLimits);
  await using reading = new EntryReader(blobs, hashing, signal);
  for await (const events of readNar(source)) {
    for (const event of events) {
      const entry =
        reading.take(event) ?? (reading.hasLargeFile ? await reading.takeSlowly(event) : undefined);
      if (entry !== undefined) window.push(entry.result, entry.cost);
      while (window.isFull) yield await window.shift();
    }
  }
  // Only the root, which comes last, makes the others visible.
  hashing.check();
  while (!window.isEmpty) yield await window.shift();
}

type PendingEntry = { readonly result: Promise<IngestionEntry>; readonly cost: number };

type OpenFile = {
  readonly size: number;
  readonly executable: boolean;
  /** Of a small file. */
  readonly bytes: Uint8Array | undefined;
  filled: number;
};

/** Makes entries of events. What has to wait for a blob writer is done by `takeSlowly`, everything else by `take`. */
class EntryReader implements AsyncDisposable {
  readonly #blobs: BlobService;
  readonly #hashing: NarHashing;
  readonly #signal: AbortSignal | undefined;
  /** The names of the object at hand and of the directories around it. */
  readonly #path: PathComponent[] = [];
  #file: OpenFile | undefined;
  #writer: BlobWriter | undefined;

  // oxlint-disable-next-line eslint/max-params -- signal comes last
  constructor(blobs: BlobService, hashing: NarHashing, signal: AbortSignal | undefined) {
    this.#blobs = blobs;
    this.#hashing = hashing;
    this.#signal = signal;
  }

  get hasLargeFile(): boolean {
    return this.#file !== undefined && this.#file.bytes === undefined;
  }

  take(event: NarEvent): PendingEntry | undefined {
    switch (event.kind) {
      case 'startDirectory':
        return undefined;
      case 'entry':
        this.#path.push(new PathComponent(event.name));
        return undefined;
      case 'endDirectory':
        return this.#finish({ kind: 'directory', path: [...this.#path] });
      case 'symlink':
        return this.#finish({
          kind: 'symlink',
          path: [...this.#path],
          target: new SymlinkTarget(event.target),
        });
      case 'startRegular':
        this.#file = {
          size: event.size,
          executable: event.executable,
          bytes: event.size > smallFile ? undefined : new Uint8Array(event.size),
          filled: 0,
        };
        if (this.#path.length === 0) this.#hashing.startRootFile();
        return undefined;
      case 'contents':
        if (this.#path.length === 0) this.#hashing.rootFileContents(event.bytes);
        this.#file?.bytes?.set(event.bytes, this.#file.filled);
        if (this.#file !== undefined) this.#file.filled += event.bytes.length;
        return undefined;
      case 'endRegular':
        return this.#file?.bytes === undefined ? undefined : this.#finishSmall(this.#file, this.#file.bytes);
    }
  }

  /** The events of a large file. */
  async takeSlowly(event: NarEvent): Promise<PendingEntry | undefined> {
    const file = this.#file;
    if (file === undefined) return undefined;
    if (event.kind === 'startRegular') this.#writer = await this.#blobs.create(this.#signal);
    if (event.kind === 'contents') await this.#writer?.write(event.bytes);
    if (event.kind !== 'endRegular' || this.#writer === undefined) return undefined;
    const digest = await this.#writer.close();
    await this.#closeWriter();
    return this.#finish({ kind: 'file', path: [...this.#path], digest, ...describe(file) });
  }

  /** Gives up the blob that is being written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeWriter();
  }

  #finishSmall(file: OpenFile, bytes: Uint8Array): PendingEntry {
    const path = [...this.#path];
    const stored = this.#blobs.put(bytes, this.#signal);
    return this.#finish(
      stored.then((digest) => ({ kind: 'file', path, digest, ...describe(file) })),
      file.size,
    );
  }

  #finish(entry: IngestionEntry | Promise<IngestionEntry>, cost = 0): PendingEntry {
    this.#file = undefined;
    this.#path.pop();
    return { result: Promise.resolve(entry), cost };
  }

  async #closeWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.[Symbol.asyncDispose]();
  }
}

function describe({ size, executable }: OpenFile): { readonly size: number; readonly executable: boolean } {
  return { size, executable };
}

/** Every hash that is wanted of the archive or of the one file that it holds. */
class NarHashing {
  narSize = 0;
  readonly #expected: ExpectedNar;
  readonly #sha256: Hasher;
  /** Of the archive, by the algorithm of an expectation. */
  readonly #others: { readonly hasher: Hasher; readonly expected: Digest; readonly what: string }[] = [];
  /** Of the file that the archive consists of. */
  #contents: Hasher | undefined;
  readonly #hashes: HashFunctions;
  #narHash: Digest | undefined;

  constructor({ hashes, expected = {} }: IngestNarOptions) {
    this.#hashes = hashes;
    this.#expected = expected;
    this.#sha256 = hashes.create('sha256');
    const { contentAddress, narHash } = expected;
    if (contentAddress?.method === 'git') {
      throw new StoreError('unsupported', 'contents cannot be compared with the digest of a git object');
    }
    if (narHash !== undefined) this.#expect(narHash, 'NAR hash');
    if (contentAddress?.method === 'nar') this.#expect(contentAddress.digest, 'content address');
  }

  get narHash(): Digest {
    if (this.#narHash === undefined) throw new Error('the archive was not read to its end');
    return this.#narHash;
  }

  async *watch(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of source) {
      this.#sha256.update(piece);
      for (const { hasher } of this.#others) hasher.update(piece);
      this.narSize += piece.length;
      yield piece;
    }
  }

  startRootFile(): void {
    const { contentAddress } = this.#expected;
    if (contentAddress === undefined || contentAddress.method === 'nar') return;
    this.#contents = this.#hashes.create(contentAddress.digest.algorithm);
  }

  rootFileContents(bytes: Uint8Array): void {
    this.#contents?.update(bytes);
  }

  /** Throws `StoreError` (`corrupt`) unless everything is as expected. */
  check(): void {
    const { narSize, contentAddress } = this.#expected;
    this.#narHash = this.#sha256.digest();
    if (narSize !== undefined && narSize !== this.narSize) {
      throw corrupt(`the NAR has ${this.narSize} bytes, not ${narSize} as expected`);
    }
    compare(this.#expected.narHash, { actual: this.#narHash, what: 'NAR hash' });
    for (const { hasher, expected, what } of this.#others)
      compare(expected, { actual: hasher.digest(), what });
    if (contentAddress === undefined) return;
    const { method, digest } = contentAddress;
    if (method === 'nar') {
      compare(digest, { actual: this.#narHash, what: 'content address' });
    } else if (this.#contents === undefined) {
      throw corrupt(`the NAR is no single file, as its content address by '${method}' wants it`);
    } else {
      compare(digest, { actual: this.#contents.digest(), what: 'content address' });
    }
  }

  #expect(expected: Digest, what: string): void {
    if (expected.algorithm === 'sha256') return;
    this.#others.push({ hasher: this.#hashes.create(expected.algorithm), expected, what });
  }
}

/** Digests by different algorithms are not compared. */
function compare(
  expected: Digest | undefined,
  { actual, what }: { readonly actual: Digest; readonly what: string },
): void {
  if (expected === undefined || expected.algorithm !== actual.algorithm || expected.equals(actual)) return;
  throw corrupt(`the ${what} is ${actual.format('sri')}, not ${expected.format('sri')} as expected`);
}

function corrupt(message: string): StoreError {
  return new StoreError('corrupt', `${message}; nothing of it was stored`);
}
