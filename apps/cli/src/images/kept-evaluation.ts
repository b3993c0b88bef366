/**
 * An evaluation whose result is kept too: before it is begun, the kept one is looked for, and when it has ended, what it printed
 * or came to is put there with what it has read. `--watch` and `neve image explain` ask the same things.
 */
import { KeptResults, type WrittenPiece } from '@neve/eval-images/node';
import type { CommandInput } from '../evaluate-command.ts';
import { type StoreAccess, hostFiles } from '../evaluation-session.ts';
import { evaluationKey } from './evaluation-key.ts';
import { imageWishes, openImageFolder } from './image-cache.ts';
import { ContinuingCaller } from './continuing-caller.ts';
import { NotedEvaluation, fileWorldOf, whyNotNoted } from './noted-evaluation.ts';
import { RecordedCaller } from './recorded-caller.ts';

export class KeptEvaluation extends NotedEvaluation {
  /** Output goes through it while the evaluation runs. */
  readonly caller: RecordedCaller;
  readonly #input: CommandInput;
  readonly #storeAccess: StoreAccess;
  /** Undefined when the result is not kept. */
  readonly #results: KeptResults | undefined;
  readonly #key: string;
  readonly #startedMs = performance.now();
  #change: string | undefined;
  #madeBefore: readonly string[] = [];

  constructor(input: CommandInput, storeAccess: StoreAccess, results: KeptResults | undefined) {
    super({ ...input, storeAccess });
    this.#input = input;
    this.#storeAccess = storeAccess;
    this.#results = results;
    this.#key = JSON.stringify(evaluationKey(input, storeAccess));
    this.caller = new RecordedCaller(input.caller);
  }

  /** What was kept, if it is still the answer. */
  async find(): Promise<readonly WrittenPiece[] | undefined> {
    const found = await this.#results?.find(this.#key);
    if (found?.kind === 'changed') {
      this.#change = found.change;
      this.#madeBefore = found.made ?? [];
    }
    return found?.kind === 'kept' ? found.written : undefined;
  }

  /** What the same evaluation has written to a directory, some of which is not there any more, if nothing else has changed. */
  get madeBefore(): readonly string[] {
    return this.#madeBefore;
  }

  /** For the same evaluation once more: what this one has written is not written again. */
  again(): KeptEvaluation {
    const caller = new ContinuingCaller(this.#input.caller, this.caller.written);
    const again = new KeptEvaluation({ ...this.#input, caller }, this.#storeAccess, this.#results);
    again.#change = this.#change;
    again.#madeBefore = this.#madeBefore;
    return again;
  }

  /** After an evaluation that has succeeded, with what else is kept as if it had been written. */
  keep(more: readonly WrittenPiece[]): void {
    const reads = this.recording?.finish();
    const tookMs = performance.now() - this.#startedMs;
    const { settings, caller } = this.#input;
    if (this.#results === undefined || reads === undefined) return;
    if (tookMs < imageWishes(settings, caller.environment).worthKeepingMs) return;
    const written = [...this.caller.written, ...more];
    const known = this.knownSignature;
    this.#results.keep(this.#key, { reads, written, tookMs, change: this.#change, known });
  }
}

/** Undefined when nothing is kept of this command. */
export function openKeptEvaluation(
  input: CommandInput,
  storeAccess: StoreAccess,
): KeptEvaluation | undefined {
  if (input.onStats !== undefined || whyNotNoted(input) !== undefined) return undefined;
  const { settings, caller } = input;
  const folder = openImageFolder(settings, caller.environment);
  if (folder === undefined) return undefined;
  if (whyNotKept(input) !== undefined) return new KeptEvaluation(input, storeAccess, undefined);
  const results = new KeptResults({
    folder,
    files: fileWorldOf(input),
    world: hostFiles({ ...input, storeAccess: { kind: 'computed' } }),
    storeIsFiles: storeAccess.kind !== 'realised',
  });
  return new KeptEvaluation(input, storeAccess, results);
}

/** Why the result of a command is neither kept nor looked for; undefined when it is. */
export function whyNotKept(input: CommandInput): string | undefined {
  const { args, onStats } = input;
  if (args.has('check')) return 'it builds again what is there (--check)';
  if (args.has('argFromFile')) return 'it passes the contents of a file (--arg-from-file)';
  return onStats === undefined ? whyNotNoted(input) : 'it runs in a daemon';
}
