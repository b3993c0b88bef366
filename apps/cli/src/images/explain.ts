/** `neve image explain`: whether a kept result would be used, and if not, why. */
import type { EntrySummary, ResultInfo, RunInfo } from '@neve/eval-images/node';
import { ProcessCaller } from '../caller.ts';
import { applyConfigFiles } from '../config-files.ts';
import { type CommandInput, type OneShotCommand, accessOf } from '../evaluate-command.ts';
import { evaluatingCommands } from '../evaluating-commands.ts';
import { write } from '../output.ts';
import { parseArguments } from '../parse-arguments.ts';
import { Settings } from '../settings.ts';
import { UsageError } from '../usage-error.ts';
import type { GroupCommand } from '../command-group.ts';
import { commandLineOf, parseKey } from './command-line.ts';
import { checkEntry } from './check-entry.ts';
import { type EvaluationKey, describeDifference, evaluationKey } from './evaluation-key.ts';
import { imageCommand, openFolder } from './image-command.ts';
import { treeFilesKind } from './image-place.ts';
import { whyNotKept } from './kept-evaluation.ts';

/** What is said of one evaluation. */
type Explanation = {
  readonly command: string;
  /** Whether the kept result would be used. */
  readonly isUsed: boolean;
  readonly reasons: readonly string[];
};

const shownRuns = 10;
const keepingCommands: readonly OneShotCommand[] = evaluatingCommands.filter((name) => name !== 'repl');

export function explainCommand(build: string | undefined): GroupCommand {
  return imageCommand({
    name: 'explain',
    summary: 'say why a kept result would not be used',
    usage: ['explain [OPTIONS]', `explain ${keepingCommands.join('|')} [OPTIONS AND ARGUMENTS OF IT]`],
    description: `Says of an evaluation, given as its command line, whether its result is kept and would be used, and if not what has
changed: a file, a variable, a setting. Without one it does so for those that were run last. Nothing is evaluated.`,
    options: {},
    async run(args) {
      const explanations =
        args.positional.length === 0
          ? await explainLast()
          : [await explainCommandLine(args.positional, build)];
      const problem = openFolder().writingProblem();
      if (args.has('json')) write(1, `${JSON.stringify({ evaluations: explanations, problem })}\n`);
      else
        for (const it of explanations)
          write(1, `${it.command}\n${it.reasons.map((line) => `  ${line}\n`).join('')}`);
      if (problem !== undefined) write(2, `warning: nothing can be kept: ${problem}\n`);
      return 0;
    },
  });
}

async function explainLast(): Promise<readonly Explanation[]> {
  const explanations = [];
  const entries = openFolder()
    .list()
    .filter(({ kind }) => kind !== treeFilesKind);
  for (const entry of entries.slice(0, shownRuns)) explanations.push(await explainEntry(entry));
  return explanations;
}

async function explainCommandLine(
  [command = '', ...words]: readonly string[],
  build: string | undefined,
): Promise<Explanation> {
  if (!isKeeping(command)) {
    throw new UsageError(`'${command}' keeps no results; ${keepingCommands.join(', ')} do`);
  }
  const settings = new Settings();
  using caller = new ProcessCaller();
  applyConfigFiles(settings, caller.environment);
  const args = parseArguments(words, { command, settings });
  for (const { option, values } of args.occurrences) {
    if (option === 'option') settings.set(values[0] ?? '', values[1] ?? '');
  }
  const openSession = (): never => {
    throw new Error('nothing is evaluated to explain it');
  };
  const input: CommandInput = { command, args, settings, caller, build, openSession };
  const key = evaluationKey(input, accessOf(input));
  const text = JSON.stringify(key);
  const whyNot = whyNotKept(input);
  const shown = commandLineOf(text);
  if (whyNot !== undefined) return { command: shown, isUsed: false, reasons: [`never kept: ${whyNot}`] };
  const entries = openFolder().list();
  const entry = entries.find((it) => it.key === text && it.kind !== 'image');
  if (entry !== undefined) return await explainEntry(entry);
  const others = entries.filter((it) => it.kind === 'result' && commandLineOf(it.key) === shown);
  const reasons = others.flatMap((it) => {
    const before = parseKey(it.key);
    return isKey(before) ? describeDifference(before, key) : [];
  });
  return { command: shown, isUsed: false, reasons: reasons.length > 0 ? reasons : ['no result is kept'] };
}

async function explainEntry(entry: EntrySummary): Promise<Explanation> {
  const command = commandLineOf(entry.key);
  if (entry.kind === 'run') {
    // What `KeptResults` has put there.
    const { atMs, reason } = entry.info as RunInfo;
    return { command, isUsed: false, reasons: [`not kept on ${timeOf(atMs)}: ${reason}`] };
  }
  const reasons: string[] = [];
  if (entry.kind === 'result') {
    const { atMs, tookMs, reads, change } = entry.info as ResultInfo;
    reasons.push(`kept on ${timeOf(atMs)}: ${(tookMs / 1000).toFixed(2)} s, ${reads} reads`);
    if (change !== undefined) reasons.push(`evaluated then because: ${change}`);
  }
  const change = await checkEntry(openFolder(), entry);
  reasons.push(change === undefined ? 'it would be used' : `it would not be used: ${change}`);
  return { command, isUsed: change === undefined, reasons };
}

function isKeeping(command: string): command is OneShotCommand {
  return (keepingCommands as readonly string[]).includes(command);
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

function isKey(value: unknown): value is EvaluationKey {
  return typeof value === 'object' && value !== null;
}
