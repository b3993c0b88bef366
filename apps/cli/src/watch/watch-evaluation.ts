/**
 * `neve eval --watch`: evaluates, waits for a change of what was read, evaluates again, and prints what changed in the
 * result. A program that fails is shown as ever, and evaluated again when it has changed. A signal ends it.
 */
import type { EvalIO } from '@neve/eval';
import { ReadSet, type RecordingIO } from '@neve/eval-images';
import { checkReads } from '@neve/eval-images/node';
import { type CommandInput, accessOf, runEvaluation } from '../evaluate-command.ts';
import { type WorldParts, hostFiles, loadCore, storeDirOf } from '../evaluation-session.ts';
import { fileWorldOf, recordingOf } from '../images/noted-evaluation.ts';
import { RecordedCaller } from '../images/recorded-caller.ts';
import { reportError } from '../report-error.ts';
import { UsageError } from '../usage-error.ts';
import { describeChange } from './value-difference.ts';
import { waitForChange } from './wait-for-change.ts';

/** Gives the exit code when a signal has come. */
export async function watchEvaluation(input: CommandInput): Promise<number> {
  if (input.args.positional.includes('-') || input.args.all('file').includes('-')) {
    throw new UsageError('standard input cannot be watched');
  }
  const { caller } = input;
  const core = input.core ?? loadCore(input.settings);
  const aborter = new AbortController();
  using _interruptions = caller.watchInterruptions(() => aborter.abort());
  let before: string | undefined;
  while (!aborter.signal.aborted) {
    const { output, reads } = await evaluateOnce({ ...input, core });
    if (output !== undefined) {
      if (before === undefined) caller.write(1, output);
      else showChange(input, describeChange(before, output));
      before = output;
    }
    const change = await waitForChange(reads, {
      check: () => changeOf(reads, input),
      signal: aborter.signal,
    });
    if (change !== undefined) caller.write(2, `${change}\n`);
  }
  return 0;
}

type Evaluated = {
  /** Undefined when it failed. */
  readonly output: string | undefined;
  readonly reads: ReadSet;
};

async function evaluateOnce(input: CommandInput): Promise<Evaluated> {
  const { args, settings, command } = input;
  const caller = new RecordedCaller(input.caller, { passes: (file) => file === 2 });
  let recording: RecordingIO | undefined;
  const around = (world: EvalIO, { hashes }: WorldParts): EvalIO => {
    recording = recordingOf(world, {
      storeDir: storeDirOf(args, caller),
      storeAccess: accessOf(input),
      hashes,
    });
    return recording;
  };
  let exitCode = 1;
  try {
    exitCode = await runEvaluation({ ...input, caller, around });
  } catch (error) {
    reportError(error, { showTrace: settings.isOn('show-trace'), command, caller });
  }
  const reads = recording?.finish() ?? new ReadSet();
  // A change of what can be looked at is seen all the same.
  reads.obstacles.clear();
  reads.clock = 0;
  return { output: exitCode === 0 ? caller.outputText() : undefined, reads };
}

async function changeOf(reads: ReadSet, input: CommandInput): Promise<string | undefined> {
  const world = hostFiles({ ...input, storeAccess: { kind: 'computed' } });
  const checked = await checkReads(reads, { files: fileWorldOf(input), world, nowMs: Date.now() });
  return checked.holds ? undefined : checked.change;
}

function showChange({ caller }: CommandInput, lines: readonly string[]): void {
  if (lines.length === 0) caller.write(2, 'the result is the same\n');
  else caller.write(1, `${lines.join('\n')}\n`);
}
