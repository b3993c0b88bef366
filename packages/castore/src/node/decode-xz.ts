/**
 * Decodes xz, any number of streams one after another and zeroes between them, as xz and pixz write them.
 *
 * The decoder is xz-embedded as WebAssembly, out of the package xz-decompress. The class which that package exports
 * decodes one stream at a time in the whole process, whoever else waits, because all share one memory; here every
 * decoder has an instance and a memory of its own, which goes with it. xz-embedded knows neither SHA-256 checks nor
 * filters for machine code nor dictionaries of more than 64 MiB; streams that begin with those go to liblzma
 * (lzma-native), which must be installed.
 *
 * Layout of a decoder's context, 32-bit numbers: buffer size, input address, input position, input length, output
 * address, output position; addresses are absolute.
 */
import { CastoreError } from '../castore-error.ts';
import { ByteSource } from '../archive/byte-source.ts';
import { throughTransform } from './through-transform.ts';

type XzExports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  create_context(): number;
  supply_input(context: number, length: number): void;
  get_next_output(context: number): number;
};

/** What the class of xz-decompress has but does not declare. The package's version is pinned. */
type XzLoader = {
  _moduleInstance: { readonly exports: XzExports };
  _getModuleInstance(): Promise<void>;
};

const isOk = 0;
const isEnd = 1;
const isUnsupported = 6;
const isOutOfMemory = 3;
const isOverMemoryLimit = 4;
const needsInput = 8;

/** Enough to see the stream's check and the first block's filters. */
const headLength = 40;

/** Throws `CastoreError` or a plain `Error` whose message fits behind "damaged: ". */
export async function* decodeXz(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const input = new ByteSource(source);
  try {
    const head = (await input.read(headLength)).slice();
    const whole = withHead(head, input);
    yield* isPlain(head) ? decodeWithWasm(whole) : decodeWithLiblzma(whole);
  } finally {
    await input.close();
  }
}

async function* withHead(head: Uint8Array, input: ByteSource): AsyncGenerator<Uint8Array, void, void> {
  yield head;
  yield* input.rest();
}

/**
 * No check, CRC-32 or CRC-64; one filter, which is LZMA2 then; a dictionary of up to 64 MiB, as `xz -9` has. Malformed
 * heads are plain, too.
 */
function isPlain(head: Uint8Array): boolean {
  if (![0, 1, 4].includes(head[7] ?? 0)) return false;
  const isEmptyStream = head[12] === 0;
  const flags = head[13] ?? 0;
  if (isEmptyStream) return true;
  if ((flags & 3) !== 0) return false;
  let position = 14;
  // Compressed and uncompressed size, if they are there: the last byte of a number has no highest bit.
  for (const flag of [0x40, 0x80]) {
    if ((flags & flag) === 0) continue;
    while (((head[position] ?? 0) & 0x80) !== 0) position++;
    position++;
  }
  const dictionary = head[position + 2] ?? 0;
  return dictionary <= largestDictionary;
}

/** 64 MiB, as the format writes it. */
const largestDictionary = 28;

async function* decodeWithWasm(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const decoder = new XzDecoder(await newInstance());
  let finished = false;
  for await (const chunk of source) {
    for (let start = 0; start < chunk.length; start += decoder.bufferSize) {
      decoder.supply(chunk.subarray(start, start + decoder.bufferSize));
      while (decoder.hasInput || decoder.isFull) {
        const output = decoder.decode();
        finished = decoder.isFinished;
        if (output.length > 0) yield output;
        if (finished) break;
      }
    }
  }
  // Nothing more is how it learns of the end.
  decoder.supply(new Uint8Array(0));
  while (!finished) {
    const output = decoder.decode();
    finished = decoder.isFinished;
    if (output.length > 0) yield output;
    else if (!finished) throw new Error('it ends in the middle of a stream');
  }
}

class XzDecoder {
  readonly #exports: XzExports;
  readonly #context: number;
  readonly bufferSize: number;
  isFinished = false;
  isFull = false;

  constructor(exports: XzExports) {
    this.#exports = exports;
    this.#context = exports.create_context();
    this.bufferSize = this.#fields()[0] as number;
  }

  get hasInput(): boolean {
    const fields = this.#fields();
    return fields[2] !== fields[3];
  }

  /** At most `bufferSize` bytes, and only when there are none left. */
  supply(bytes: Uint8Array): void {
    new Uint8Array(this.#exports.memory.buffer).set(bytes, this.#fields()[1]);
    this.#exports.supply_input(this.#context, bytes.length);
  }

  decode(): Uint8Array {
    const result = this.#exports.get_next_output(this.#context);
    if (result === isUnsupported) {
      throw new CastoreError(
        'unsupported',
        'this xz stream uses a filter or check that is not supported here',
      );
    }
    if (result === isOutOfMemory || result === isOverMemoryLimit) {
      throw new CastoreError(
        'limit-exceeded',
        'this xz stream needs a dictionary that is larger than allowed',
      );
    }
    if (result === needsInput) throw new Error('it ends in the middle of a stream');
    if (result !== isOk && result !== isEnd) throw new Error(`the decoder found error ${result}`);
    this.isFinished = result === isEnd;
    // The memory may have grown, and its old views with it gone.
    const fields = this.#fields();
    const [, , , , address = 0, length = 0] = fields;
    const output = new Uint8Array(this.#exports.memory.buffer).slice(address, address + length);
    this.isFull = length === this.bufferSize;
    fields[5] = 0;
    return output;
  }

  #fields(): Uint32Array {
    return new Uint32Array(this.#exports.memory.buffer, this.#context, 6);
  }
}

/** Loading puts the instance into a static field, so that one must not begin before the other is done. */
let loading: Promise<unknown> = Promise.resolve();

function newInstance(): Promise<XzExports> {
  const instance = loading.then(async () => {
    const { default: xz } = await import('xz-decompress');
    const loader = xz.XzReadableStream as unknown as XzLoader;
    await loader._getModuleInstance();
    return loader._moduleInstance.exports;
  });
  loading = instance.catch(() => undefined);
  return instance;
}

/** liblzma may use this much memory; `xz -9` needs 65 MiB. */
export const liblzmaMemory: number = 512 * 2 ** 20;

/** liblzma does not wait for its output to be taken, so it gets little at a time. */
const sliceSize = 4096;

async function* decodeWithLiblzma(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const { default: lzma } = await import('lzma-native');
  const transform = lzma.createStream('streamDecoder', { memlimit: liblzmaMemory });
  yield* throughTransform(sliced(source), transform);
}

/** liblzma gives all that a piece expands to at once. */
export async function* sliced(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of source) {
    for (let start = 0; start < chunk.length; start += sliceSize)
      yield chunk.subarray(start, start + sliceSize);
  }
}
