/** A caller for an evaluation that was begun before: what that one has written is not written again. */
import type { WrittenPiece } from '@neve/eval-images/node';
import type { Caller } from '../caller.ts';
import { RecordedCaller } from './recorded-caller.ts';

export class ContinuingCaller extends RecordedCaller {
  readonly #target: Caller;
  /** Bytes that were written before, by file. */
  readonly #before = { 1: 0, 2: 0 };

  constructor(caller: Caller, before: readonly WrittenPiece[]) {
    super(caller, { passes: () => false });
    this.#target = caller;
    for (const { file, bytes } of before) this.#before[file] += bytes.length;
  }

  override write(file: 1 | 2, text: string | Uint8Array): void {
    super.write(file, text);
    const bytes = this.written.at(-1)?.bytes ?? new Uint8Array();
    const skipped = Math.min(this.#before[file], bytes.length);
    this.#before[file] -= skipped;
    if (skipped < bytes.length) this.#target.write(file, bytes.subarray(skipped));
  }
}
