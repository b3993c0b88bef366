/**
 * An evaluation whose reads are noted down, for its image and its result: before it is begun, the kept result is looked for, and
 * when it has ended, what it printed or came to is put there with what it has read. `--watch` and `neve image explain` ask the
 * same things.
 */
import type { EvalIO } from '@neve/eval';
import { type ReadSet, RecordingIO, type Region, type Signature } from '@neve/eval-images';
import type { Added, FileSystemIO } from '@neve/eval-store/node';
import { FileWorld, KeptResults, type WrittenPiece, sha256 } from '@neve/eval-images/node';
import { currentLogs, currentTracing } from '@neve/telemetry';
import type { CommandInput } from '../evaluate-command.ts';
import { type StoreAccess, hostFiles, physicalStoreDirOf, storeDirOf } from '../evaluation-session.ts';
import { evaluationKey } from './evaluation-key.ts';
import { imageWishes, openImageFolder } from './image-cache.ts';
import { ContinuingCaller } from './continuing-caller.ts';
import { RecordedCaller } from './recorded-caller.ts';

export class KeptEvaluation {
  /** Output goes through it while the evaluation runs. */
  readonly caller: RecordedCaller;
  /** What was described to the store while something of a region was evaluated. */
  readonly described: Readonly<Record<Region, Added[]>> = { own: [], shared: [] };
  readonly #input: CommandInput;
  readonly #storeAccess: StoreAccess;
  /** Undefined when the result is not kept. */
  readonly #results: KeptResults | undefined;
  readonly #key: string;
  readonly #startedMs = performance.now();
  #recording: RecordingIO | undefined;
  #files: FileSystemIO | undefined;
  #change: string | undefined;

  constructor(input: CommandInput, storeAccess: StoreAccess, results: KeptResults | undefined) {
    this.#input = input;
    this.#storeAccess = storeAccess;
    this.#results = results;
    this.#key = JSON.stringify(evaluationKey(input, storeAccess));
    this.caller = new RecordedCaller(input.caller);
  }

  /** What was kept, if it is still the answer. */
  async find(): Promise<readonly WrittenPiece[] | undefined> {
    const found = await this.#results?.find(this.#key);
    if (found?.kind === 'changed') this.#change = found.change;
    return found?.kind === 'kept' ? found.written : undefined;
  }

  readonly onAdded = (added: Added): void => {
    this.described[this.#recording?.region ?? 'own'].push(added);
  };

  /** Puts what notes down the reads around the world of the evaluation. */
  readonly around = (world: EvalIO, files: FileSystemIO): EvalIO => {
    this.#files = files;
    const { args, caller } = this.#input;
    this.#recording = recordingOf(world, {
      storeDir: storeDirOf(args, caller),
      storeAccess: this.#storeAccess,
    });
    return this.#recording;
  };

  /** For the same evaluation once more: what this one has written is not written again. */
  again(): KeptEvaluation {
    const caller = new ContinuingCaller(this.#input.caller, this.caller.written);
    return new KeptEvaluation({ ...this.#input, caller }, this.#storeAccess, this.#results);
  }

  /** What is read, once the evaluation has begun. */
  get recording(): RecordingIO | undefined {
    return this.#recording;
  }

  /** What the system said of files when they were first looked at. */
  readonly knownSignature = (key: string): Signature | undefined => this.#files?.signatureOf(key);

  /** After an evaluation that has succeeded, with what else is kept as if it had been written. */
  keep(more: readonly WrittenPiece[]): void {
    if (this.#results === undefined) return;
    const tookMs = performance.now() - this.#startedMs;
    const { settings, caller } = this.#input;
    const reads = this.#reads();
    if (reads === undefined || tookMs < imageWishes(settings, caller.environment).worthKeepingMs) return;
    const written = [...this.caller.written, ...more];
    this.#results.keep(this.#key, {
      reads,
      written,
      tookMs,
      change: this.#change,
      known: this.knownSignature,
    });
  }

  #reads(): ReadSet | undefined {
    return this.#recording?.finish();
  }
}

/** Undefined when nothing is kept of this command. */
export function openKeptEvaluation(
  input: CommandInput,
  storeAccess: StoreAccess,
): KeptEvaluation | undefined {
  if (whyNotNoted(input) !== undefined) return undefined;
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
  const { args } = input;
  if (args.has('check')) return 'it builds again what is there (--check)';
  if (args.has('argFromFile')) return 'it passes the contents of a file (--arg-from-file)';
  return whyNotNoted(input);
}

/** Why nothing at all is kept of an evaluation. */
function whyNotNoted({ args, settings, caller, onStats }: CommandInput): string | undefined {
  const files = [...args.all('file'), ...args.positional];
  if (files.includes('-') || args.has('argFromStdin')) return 'it reads standard input';
  if (!imageWishes(settings, caller.environment).isOn)
    return 'it is off: --no-image, the setting image, or NEVE_IMAGE';
  if ((settings.text('eval-profiler') ?? 'disabled') !== 'disabled') return 'it is profiled';
  if ((caller.environment['NIX_SHOW_STATS'] ?? '0') !== '0')
    return 'it counts what is evaluated (NIX_SHOW_STATS)';
  if (currentTracing() !== undefined || currentLogs() !== undefined) return 'it is traced';
  return onStats === undefined ? undefined : 'it runs in a daemon';
}

export function fileWorldOf({ args, caller }: Pick<CommandInput, 'args' | 'caller'>): FileWorld {
  return new FileWorld({
    storeDir: storeDirOf(args, caller),
    physicalStoreDir: physicalStoreDirOf(args, caller),
  });
}

export function recordingOf(
  world: EvalIO,
  { storeDir, storeAccess }: { readonly storeDir: string; readonly storeAccess: StoreAccess },
): RecordingIO {
  return new RecordingIO({
    ...{ world, storeDir, hash: sha256, nowMs: Date.now() },
    writesStore: storeAccess.kind === 'directory',
  });
}
