/**
 * What a reader of a file tree tells its consumer: a sequence of records, gathered in batches so that they can be handed from
 * one thread to another at little cost. The order is depth first, names of a directory in bytewise order.
 *
 *     batch    = records, each of `recordLength` numbers, and one buffer with the bytes that they point to
 *     record   = kind  name offset  name length  data offset  data length  size  executable
 *
 *     directory   enters a directory; what follows up to its `end` is inside of it
 *     end         leaves the directory that was entered last
 *     symlink     data is the target
 *     file        data is the digest, followed by the contents
 *     known       a file whose contents were not read, as they are known; data is the digest
 *     large       begins a file whose contents come in pieces; `size` is what the file said before it was read
 *     piece       data is the next piece of the large file; it is empty when the next `size` bytes are zeroes
 *     close       ends the large file: data is the digest, `size` the length
 */
export const recordKinds = [
  'directory',
  'end',
  'symlink',
  'file',
  'known',
  'large',
  'piece',
  'close',
] as const;

export type RecordKind = (typeof recordKinds)[number];

/** Bytes are views of the batch's buffer. */
export type TreeRecord = {
  readonly kind: RecordKind;
  readonly name: Uint8Array;
  readonly data: Uint8Array;
  readonly size: number;
  readonly executable: boolean;
};

/** As it goes from thread to thread: `records` holds `count` records. */
export type TreeBatch = {
  readonly records: Float64Array;
  readonly count: number;
  readonly bytes: Uint8Array;
};

const recordLength = 7;

/** Of a batch: directories and links take no bytes to speak of. */
const maxRecords = 4096;
const kindNumbers = new Map<RecordKind, number>(recordKinds.map((kind, number) => [kind, number]));

/** A batch that is being filled. */
export class TreeBatchWriter {
  #records: Float64Array = new Float64Array(16 * recordLength);
  readonly #bytes: Uint8Array;
  #count = 0;
  #used = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Whether a record with so many bytes still fits. */
  fits(bytes: number): boolean {
    return this.#used + bytes <= this.#bytes.length && this.#count < maxRecords;
  }

  /** The bytes that are free, for contents to be read into; `add` takes them as data when they directly follow the name. */
  free(afterBytes: number): Uint8Array {
    return this.#bytes.subarray(this.#used + afterBytes);
  }

  /** `dataLength` bytes of data stand in `free(name.length)` already, or are given. */
  add(
    kind: RecordKind,
    fields: {
      readonly name?: Uint8Array;
      readonly data?: Uint8Array;
      readonly dataLength?: number;
      readonly size?: number;
      readonly executable?: boolean;
    },
  ): void {
    const { name, data } = fields;
    const nameOffset = this.#used;
    const nameLength = name?.length ?? 0;
    if (name !== undefined) this.#bytes.set(name, nameOffset);
    const dataOffset = nameOffset + nameLength;
    if (data !== undefined) this.#bytes.set(data, dataOffset);
    const dataLength = fields.dataLength ?? data?.length ?? 0;
    this.#used = dataOffset + dataLength;
    const at = this.#count * recordLength;
    if (at === this.#records.length) this.#grow();
    const records = this.#records;
    records[at] = kindNumbers.get(kind) as number;
    records[at + 1] = nameOffset;
    records[at + 2] = nameLength;
    records[at + 3] = dataOffset;
    records[at + 4] = dataLength;
    records[at + 5] = fields.size ?? 0;
    records[at + 6] = fields.executable === true ? 1 : 0;
    this.#count++;
  }

  #grow(): void {
    const larger = new Float64Array(this.#records.length * 2);
    larger.set(this.#records);
    this.#records = larger;
  }

  finish(): TreeBatch {
    return { records: this.#records, count: this.#count, bytes: this.#bytes };
  }
}

export function* treeRecords({ records, count, bytes }: TreeBatch): Generator<TreeRecord, void, void> {
  const number = (index: number): number => records[index] as number;
  for (let at = 0; at < count * recordLength; at += recordLength) {
    const nameOffset = number(at + 1);
    const dataOffset = number(at + 3);
    yield {
      kind: recordKinds[number(at)] as RecordKind,
      name: bytes.subarray(nameOffset, nameOffset + number(at + 2)),
      data: bytes.subarray(dataOffset, dataOffset + number(at + 4)),
      size: number(at + 5),
      executable: number(at + 6) === 1,
    };
  }
}
