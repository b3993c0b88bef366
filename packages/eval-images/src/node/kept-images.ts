/**
 * Images of evaluators (`CoreImage`), kept under what they depend on besides what was read, with the reads of what is shared
 * in them. As long as these hold, an evaluation goes on from the image.
 *
 *     u32 length of the head | u32 length of what was described | u32, u32 checksum of the head
 *     head, padded with zeros to 8 bytes | parts
 *     what was described, and u32, u32 its checksum
 *
 * Entries are of the kind `image`. The parts have a checksum in the head, which whoever restores them compares. What was
 * described to a store while what is in the image was evaluated comes last, and is read when a store has to hear of it.
 */
import { concatBytes } from '@neve/bytes';
import type { CoreImage, EvalIO, KeptImage } from '@neve/eval';
import { checksum } from '../checksum.ts';
import { ImageError } from '../image-error.ts';
import { decodeReadSet, encodeReadSet, heldReads } from '../read-set-file.ts';
import type { ReadSet } from '../read-set.ts';
import type { RecordingIO } from '../recording-io.ts';
import { checkReads } from './check-reads.ts';
import { haveSignaturesHeld } from './check-signatures.ts';
import type { FileWorld } from './file-world.ts';
import type { ImageEntry } from './image-entry.ts';
import type { ImageFolder } from './image-folder.ts';
import { type SigningOptions, signReads } from './sign-reads.ts';

export type KeptImagesOptions = {
  readonly folder: ImageFolder;
  readonly files: FileWorld;
  /** The world of the evaluation, for variables, and digests in doubt. */
  readonly world: Pick<EvalIO, 'environmentVariable' | 'addPathToStore' | 'hashFile'>;
  readonly storeIsFiles: boolean;
  /** Now, in ms since 1970; the clock, without it. */
  readonly nowMs?: () => number;
};

/** An image that holds, open for reading; whoever gets it disposes of it. */
export type OpenImage = Disposable & {
  readonly image: KeptImage;
  /** What the image depends on is noted down as read by the shared region. */
  readonly noteReads: (recording: RecordingIO) => void;
  /** As it was kept. Throws `ImageError` when it is damaged. */
  described(): Uint8Array;
};

export type FoundImage =
  | { readonly kind: 'kept'; readonly opened: OpenImage }
  | { readonly kind: 'changed'; readonly change: string }
  | { readonly kind: 'none' };

/** Of an entry of the kind `image`. */
export type ImageInfo = {
  readonly atMs: number;
  readonly reads: number;
  /** Why the one before could not be used. */
  readonly change?: string | undefined;
};

export type NewImage = {
  /** Those of what is shared. */
  readonly reads: ReadSet;
  readonly image: CoreImage;
  /** What a store has to hear of, in the form of whoever keeps it. */
  readonly described: Uint8Array;
  readonly change: string | undefined;
};

const headerBytes = 16;
const checksumBytes = 8;
const damagedReads = { kind: 'changed', change: 'what was read is damaged' } as const;

export class KeptImages {
  readonly #options: KeptImagesOptions;

  constructor(options: KeptImagesOptions) {
    this.#options = options;
  }

  /** Whether there may be one. */
  has(key: string): boolean {
    return this.#options.folder.has({ kind: 'image', key });
  }

  async find(key: string): Promise<FoundImage> {
    const { folder, files, world, nowMs = Date.now } = this.#options;
    const entry = folder.find({ kind: 'image', key });
    if (entry === undefined) return { kind: 'none' };
    let isTaken = false;
    try {
      let noteReads = (recording: RecordingIO): void => recording.hold(heldReads(entry.reads));
      if (!haveSignaturesHeld(entry.reads, { files, world })) {
        const reads = decodeReadSet(entry.reads);
        if (reads === undefined) return damagedReads;
        const checked = await checkReads(reads, { files, world, nowMs: nowMs() });
        if (!checked.holds) return { kind: 'changed', change: checked.change };
        noteReads = (recording) => recording.include(reads, 'shared');
      }
      const payload = openPayload(entry);
      if (payload === undefined) return { kind: 'changed', change: 'the image is damaged' };
      isTaken = true;
      const opened = { ...payload, noteReads, [Symbol.dispose]: () => entry[Symbol.dispose]() };
      return { kind: 'kept', opened };
    } finally {
      if (!isTaken) entry[Symbol.dispose]();
    }
  }

  /** Signs what was read; gives why it cannot be kept. */
  sign(reads: ReadSet, known: SigningOptions['known']): string | undefined {
    const { files, storeIsFiles } = this.#options;
    signReads(reads, { files, storeIsFiles, known });
    if (reads.messages.length > 0) return 'it has something to say to whoever evaluates it';
    return reads.obstacle();
  }

  /** Keeps an image whose reads were signed. */
  keep(key: string, { reads, image: { head, parts }, described, change }: NewImage): boolean {
    const info: ImageInfo = { atMs: Date.now(), reads: reads.count(), change };
    const [low, high] = checksum(head);
    const header = new Uint8Array(Uint32Array.of(head.length, described.length, low, high).buffer);
    const end = new Uint8Array(Uint32Array.of(...checksum(described)).buffer);
    const start = concatBytes([header, head, new Uint8Array(-head.length & 7)]);
    return this.#options.folder.put({
      ...{
        kind: 'image',
        key,
        info,
        reads: encodeReadSet(reads),
        payload: [start, ...parts, described, end],
      },
      payloadCheck: 'reader',
    });
  }
}

/** Undefined when it is damaged. */
function openPayload(entry: ImageEntry): Pick<OpenImage, 'image' | 'described'> | undefined {
  const header = new Uint8Array(headerBytes);
  if (entry.payloadBytes < headerBytes) return undefined;
  entry.readPart(header, 0);
  const [length = 0, describedBytes = 0, ...sum] = new Uint32Array(header.buffer);
  const start = headerBytes + length + (-length & 7);
  const end = entry.payloadBytes - describedBytes - checksumBytes;
  if (start > end) return undefined;
  const head = new Uint8Array(length);
  entry.readPart(head, headerBytes);
  if (!isSum(sum, head)) return undefined;
  const read = async (parts: readonly Uint8Array[]): Promise<void> => await entry.readParts(parts, start);
  const described = (): Uint8Array => {
    const bytes = new Uint8Array(describedBytes + checksumBytes);
    entry.readPart(bytes, end);
    const text = bytes.subarray(0, describedBytes);
    if (isSum(new Uint32Array(bytes.slice(describedBytes).buffer), text)) return text;
    entry.remove();
    throw new ImageError(`'${entry.path}' is damaged`);
  };
  return { image: { head, read }, described };
}

function isSum([low, high]: Iterable<number> & ArrayLike<number>, bytes: Uint8Array): boolean {
  const found = checksum(bytes);
  return found[0] === low && found[1] === high;
}
