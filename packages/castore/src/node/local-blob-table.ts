/**
 * The index of the local blobs: LMDB tables from digest to what is stored and when it was last used, and to the contents of
 * small blobs. They are apart because most questions are not about the contents.
 *
 *     table 'blobs'           digest → state:u8  last use:f64  size:f64    little-endian, time in ms since 1970
 *     table 'blob-contents'   digest → bytes                               of inline blobs
 *     state                   0 inline   1 a file   2 a file that is being removed: as good as absent
 *
 * A file is moved to its place, and removed, only inside of a write transaction, whose lock all processes share. So a
 * record of state 1 means that the file is there.
 */
import type { B3Digest } from '../b3-digest.ts';
import type { LmdbEnvironment, LmdbTable } from './lmdb-environment.ts';

const recordLength = 17;
const encoded = Buffer.allocUnsafe(recordLength);
const states = { inline: 0, file: 1, dying: 2 } as const;

export type LocalBlobState = keyof typeof states;

export type LocalBlobRecord = {
  readonly state: LocalBlobState;
  readonly lastUsedMs: number;
  readonly size: number;
};

export class LocalBlobTable {
  readonly #table: LmdbTable;
  readonly #contents: LmdbTable;

  constructor(environment: LmdbEnvironment) {
    this.#table = environment.table('blobs');
    this.#contents = environment.table('blob-contents');
  }

  get(digest: B3Digest): LocalBlobRecord | undefined {
    const value = this.#table.view(digest.bytes);
    return value === undefined ? undefined : decode(value);
  }

  /** Of an inline blob. */
  contents(digest: B3Digest): Uint8Array | undefined {
    const bytes = this.#contents.get(digest.bytes);
    return bytes === undefined ? undefined : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The same, good until the next call. */
  viewContents(digest: B3Digest): Uint8Array | undefined {
    const bytes = this.#contents.view(digest.bytes);
    // The length of what the library gives is not that of the array.
    return bytes?.subarray(0, bytes.length);
  }

  /** Inside of a write transaction. The contents are those of a new inline blob. */
  set(digest: B3Digest, record: LocalBlobRecord, contents?: Uint8Array): void {
    this.#table.put(digest.bytes, encode(record));
    if (contents !== undefined) this.#contents.put(digest.bytes, contents);
  }

  /** Inside of a write transaction. */
  delete(digest: B3Digest): void {
    this.#table.remove(digest.bytes);
    this.#contents.remove(digest.bytes);
  }

  *entries(): Iterable<{ readonly key: Uint8Array; readonly record: LocalBlobRecord }> {
    for (const { key, value } of this.#table.rows()) {
      yield { key, record: decode(value) };
    }
  }
}

/** Valid until the next call. */
function encode({ state, lastUsedMs, size }: LocalBlobRecord): Buffer {
  const value = encoded;
  value[0] = states[state];
  value.writeDoubleLE(lastUsedMs, 1);
  value.writeDoubleLE(size, 9);
  return value;
}

function decode(value: Buffer): LocalBlobRecord {
  return {
    state: value[0] === states.inline ? 'inline' : value[0] === states.file ? 'file' : 'dying',
    lastUsedMs: value.readDoubleLE(1),
    size: value.readDoubleLE(9),
  };
}
