/** A caller whose output is kept while it is written, or instead of being written. */
import { encodeUtf8 } from '@neve/bytes';
import type { WrittenPiece } from '@neve/eval-images/node';
import type { Caller } from '../caller.ts';

export class RecordedCaller implements Caller {
  readonly #caller: Caller;
  readonly written: WrittenPiece[] = [];
  readonly watchInterruptions: Caller['watchInterruptions'];

  readonly #passes: (file: 1 | 2) => boolean;

  /** `passes` says what is written nevertheless; everything, without it. */
  constructor(caller: Caller, { passes = () => true }: { passes?: (file: 1 | 2) => boolean } = {}) {
    this.#caller = caller;
    this.#passes = passes;
    this.watchInterruptions = (interrupt) => caller.watchInterruptions(interrupt);
  }

  get environment(): Caller['environment'] {
    return this.#caller.environment;
  }

  get directory(): string {
    return this.#caller.directory;
  }

  get sourceLink(): Caller['sourceLink'] {
    return this.#caller.sourceLink;
  }

  write(file: 1 | 2, text: string | Uint8Array): void {
    this.written.push({ file, bytes: typeof text === 'string' ? encodeUtf8(text) : Uint8Array.from(text) });
    if (this.#passes(file)) this.#caller.write(file, text);
  }

  /** What went to standard output. */
  outputText(): string {
    return Buffer.concat(this.written.filter(({ file }) => file === 1).map(({ bytes }) => bytes)).toString();
  }

  report(event: Parameters<Caller['report']>[0]): void {
    this.#caller.report(event);
  }

  wantsColour(): boolean {
    return this.#caller.wantsColour();
  }

  readStandardInput(): Uint8Array {
    return this.#caller.readStandardInput();
  }
}
