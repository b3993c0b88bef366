/**
 * What evaluations printed, kept under all that decides it, with what they have read. As long as that holds it is the
 * answer, and nothing is evaluated.
 *
 * Only what succeeded is kept. Entries are of the kind `result`; when something cannot be kept, an entry of the kind `run`
 * says why, for whoever asks.
 */
import { concatBytes } from '@neve/bytes';
import type { EvalIO } from '@neve/eval';
import { decodeReadSet, encodeReadSet } from '../read-set-file.ts';
import type { ReadSet } from '../read-set.ts';
import { checkReads } from './check-reads.ts';
import { haveSignaturesHeld } from './check-signatures.ts';
import type { FileWorld } from './file-world.ts';
import type { ImageFolder } from './image-folder.ts';
import { type SigningOptions, signReads } from './sign-reads.ts';

/** What was written to standard output (1) and error (2), in order. */
export type WrittenPiece = { readonly file: 1 | 2; readonly bytes: Uint8Array };

export type KeptResultsOptions = {
  readonly folder: ImageFolder;
  readonly files: FileWorld;
  /** The world of the evaluation, for variables, and digests in doubt. */
  readonly world: Pick<EvalIO, 'environmentVariable' | 'addPathToStore' | 'hashFile'>;
  /** Whether all of the store is in files. */
  readonly storeIsFiles: boolean;
  /** Now, in ms since 1970; the clock, without it. */
  readonly nowMs?: () => number;
};

export type FoundResult =
  | { readonly kind: 'kept'; readonly written: readonly WrittenPiece[] }
  /** There is one whose reads do not hold, or there never was one. */
  | {
      readonly kind: 'changed';
      readonly change: string;
      /** As `CheckedReads` has it. */
      readonly made?: readonly string[] | undefined;
    }
  | { readonly kind: 'none' };

export type NewResult = {
  readonly reads: ReadSet;
  readonly written: readonly WrittenPiece[];
  /** How long the evaluation took. */
  readonly tookMs: number;
  /** Why the one that was there could not be used. */
  readonly change: string | undefined;
  /** As `SigningOptions` has it. */
  readonly known?: SigningOptions['known'];
};

/** Of an entry of the kind `result`. */
export type ResultInfo = {
  readonly atMs: number;
  readonly tookMs: number;
  readonly reads: number;
  readonly change?: string | undefined;
};

/** Of an entry of the kind `run`. */
export type RunInfo = { readonly atMs: number; readonly reason: string };

/** More is not printed by accident twice. */
const maxWrittenBytes = 64 << 20;

export class KeptResults {
  readonly #options: KeptResultsOptions;

  constructor(options: KeptResultsOptions) {
    this.#options = options;
  }

  async find(key: string): Promise<FoundResult> {
    const { folder, files, world, nowMs = Date.now } = this.#options;
    using entry = folder.find({ kind: 'result', key });
    if (entry === undefined) return { kind: 'none' };
    if (haveSignaturesHeld(entry.reads, { files, world })) {
      const payload = entry.payload();
      return payload === undefined
        ? { kind: 'changed', change: 'the result is damaged' }
        : { kind: 'kept', written: decodePieces(payload) };
    }
    const reads = decodeReadSet(entry.reads);
    if (reads === undefined) return { kind: 'changed', change: 'what was read is damaged' };
    const checked = await checkReads(reads, { files, world, nowMs: nowMs() });
    if (!checked.holds) return { kind: 'changed', change: checked.change, made: checked.made };
    const payload = entry.payload();
    if (payload === undefined) return { kind: 'changed', change: 'the result is damaged' };
    if (checked.isRefreshed) {
      folder.put({
        ...{ kind: 'result', key, info: entry.info, reads: encodeReadSet(reads), payload: [payload] },
      });
    }
    return { kind: 'kept', written: decodePieces(payload) };
  }

  /** Keeps a result, or notes why that cannot be. */
  keep(key: string, { reads, written, tookMs, change, known }: NewResult): void {
    const { folder, files, storeIsFiles } = this.#options;
    const sizeBytes = written.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (sizeBytes > maxWrittenBytes) {
      this.noteRun(key, 'it printed too much to be kept');
      return;
    }
    signReads(reads, { files, storeIsFiles, known });
    const obstacle = reads.obstacle();
    if (obstacle !== undefined) {
      this.noteRun(key, obstacle);
      return;
    }
    const info: ResultInfo = { atMs: Date.now(), tookMs, reads: reads.count(), change };
    const payload = [encodePieces(written)];
    folder.put({ kind: 'result', key, info, reads: encodeReadSet(reads), payload });
  }

  /** Notes why nothing is kept. */
  noteRun(key: string, reason: string): void {
    const { folder } = this.#options;
    folder.remove({ kind: 'result', key });
    const info: RunInfo = { atMs: Date.now(), reason };
    folder.put({ kind: 'run', key, info, reads: new Uint8Array() });
  }
}

/** u32 file | u32 length | bytes, padded to 4; for each piece. */
function encodePieces(written: readonly WrittenPiece[]): Uint8Array {
  return concatBytes(
    written.flatMap(({ file, bytes }) => [
      words(file, bytes.length),
      bytes,
      new Uint8Array(-bytes.length & 3),
    ]),
  );
}

function decodePieces(payload: Uint8Array): readonly WrittenPiece[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const pieces: WrittenPiece[] = [];
  for (let at = 0; at < payload.length;) {
    const length = view.getUint32(at + 4, true);
    const start = at + 8;
    pieces.push({
      file: view.getUint32(at, true) === 1 ? 1 : 2,
      bytes: payload.subarray(start, start + length),
    });
    at = start + length + (-length & 3);
  }
  return pieces;
}

function words(first: number, second: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, first, true);
  view.setUint32(4, second, true);
  return bytes;
}
