/**
 * Which compressed files there are, or were: what a client was told of once must be found again, with what it was made from.
 *
 *     table 'compressed-nars'    NAR hash:32 → file hash:32
 *     table 'compressed-files'   file hash:32 → is there:1 | level:1 | file size:8 | NAR size:8 | last use:8 | NAR hash:32 | node
 *
 * Hashes are SHA-256; numbers of eight bytes are float64, big-endian, the last use in milliseconds since 1970; the node is the
 * message `Entry` without a name. A row stays when its file is removed to make room.
 */
import { Digest } from '@neve/bytes';
import { CastoreError, type Node, decodeEntry, encodeEntry } from '@neve/castore';
import { LmdbEnvironment, type LmdbTable } from '@neve/castore/node';

export type CompressedFileRecord = {
  readonly fileHash: Digest;
  /** In bytes. */
  readonly fileSize: number;
  readonly narHash: Digest;
  /** In bytes. */
  readonly narSize: number;
  readonly node: Node;
  /** Of zstd. */
  readonly level: number;
  readonly isThere: boolean;
  readonly lastUsedMs: number;
};

const hashLength = 32;
const offsets = { level: 1, fileSize: 2, narSize: 10, lastUsedMs: 18, narHash: 26, node: 58 } as const;

export class CompressedNarTable implements AsyncDisposable {
  readonly #environment: LmdbEnvironment;
  readonly #nars: LmdbTable;
  readonly #files: LmdbTable;

  private constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#nars = environment.table('compressed-nars');
    this.#files = environment.table('compressed-files');
  }

  /** Throws `CastoreError` (`io`), as all methods do. */
  static async open(path: string): Promise<CompressedNarTable> {
    return new CompressedNarTable(await LmdbEnvironment.open(path));
  }

  /** What the NAR was made into last. */
  ofNar(narHash: Digest): CompressedFileRecord | undefined {
    const fileHash = this.#nars.get(narHash.bytes);
    return fileHash?.length === hashLength ? this.get(new Digest('sha256', copy(fileHash))) : undefined;
  }

  /** What cannot be read is as if it were not there: it is made anew. */
  get(fileHash: Digest): CompressedFileRecord | undefined {
    const value = this.#files.get(fileHash.bytes);
    return value === undefined ? undefined : decode(fileHash, value);
  }

  *all(): Generator<CompressedFileRecord, void, void> {
    for (const { key, value } of this.#files.rows()) {
      if (key.length !== hashLength) continue;
      const record = decode(new Digest('sha256', copy(key)), value);
      if (record !== undefined) yield record;
    }
  }

  /** Fulfilled when they are on disk. The file of each is what its NAR is found as. */
  async put(records: readonly CompressedFileRecord[]): Promise<void> {
    await this.#environment.write(() => {
      for (const record of records) {
        this.#files.put(record.fileHash.bytes, encode(record));
        this.#nars.put(record.narHash.bytes, record.fileHash.bytes);
      }
    });
  }

  /** Changes rows that are there still. */
  async update(
    fileHashes: readonly Digest[],
    change: (record: CompressedFileRecord) => CompressedFileRecord,
  ): Promise<void> {
    if (fileHashes.length === 0) return;
    await this.#environment.write(() => {
      for (const fileHash of fileHashes) {
        const record = this.get(fileHash);
        if (record !== undefined) this.#files.put(fileHash.bytes, encode(change(record)));
      }
    });
  }

  async remove({ fileHash, narHash }: CompressedFileRecord): Promise<void> {
    await this.#environment.write(() => {
      this.#files.remove(fileHash.bytes);
      if (this.#nars.get(narHash.bytes)?.equals(fileHash.bytes) === true) this.#nars.remove(narHash.bytes);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#environment[Symbol.asyncDispose]();
  }
}

function encode(record: CompressedFileRecord): Buffer {
  const entry = encodeEntry(record.node);
  const value = Buffer.alloc(offsets.node + entry.length);
  value.writeUInt8(record.isThere ? 1 : 0);
  value.writeUInt8(record.level, offsets.level);
  value.writeDoubleBE(record.fileSize, offsets.fileSize);
  value.writeDoubleBE(record.narSize, offsets.narSize);
  value.writeDoubleBE(record.lastUsedMs, offsets.lastUsedMs);
  value.set(record.narHash.bytes, offsets.narHash);
  value.set(entry, offsets.node);
  return value;
}

function decode(fileHash: Digest, value: Buffer): CompressedFileRecord | undefined {
  if (value.length < offsets.node) return undefined;
  try {
    return {
      fileHash,
      fileSize: value.readDoubleBE(offsets.fileSize),
      narHash: new Digest('sha256', copy(value.subarray(offsets.narHash, offsets.node))),
      narSize: value.readDoubleBE(offsets.narSize),
      node: decodeEntry(copy(value.subarray(offsets.node))).node,
      level: value.readUInt8(offsets.level),
      isThere: value.readUInt8() === 1,
      lastUsedMs: value.readDoubleBE(offsets.lastUsedMs),
    };
  } catch (error) {
    if (error instanceof CastoreError) return undefined;
    throw error;
  }
}

/** No `Buffer`, of which `slice` would be no copy. */
function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
