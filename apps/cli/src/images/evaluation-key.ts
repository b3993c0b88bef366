/**
 * All that decides what a command of an evaluation prints, besides what it reads: the words of the command line, settings,
 * the search path, where it runs, and which Neve it is. It is a text, so that it can be compared to the last letter, and
 * explained.
 */
import { statSync } from 'node:fs';
import type { CommandInput } from '../evaluate-command.ts';
import { type StoreAccess, evaluatorSettings, physicalStoreDirOf } from '../evaluation-session.ts';

/** By the words that a user knows them by. */
export type EvaluationKey = Readonly<Record<string, unknown>>;

export function evaluationKey(
  { command, args, settings, caller, build }: CommandInput,
  storeAccess: StoreAccess,
): EvaluationKey {
  const { experimentalFeatures, ...others } = evaluatorSettings({ args, settings, storeAccess, caller });
  return {
    command,
    arguments: { options: args.occurrences, words: args.positional },
    directory: caller.directory,
    settings: settings.all(),
    evaluator: { ...others, experimentalFeatures: [...(experimentalFeatures ?? [])] },
    store: [storeAccess.kind, physicalStoreDirOf(args, caller) ?? null],
    colours: caller.wantsColour(),
    links: caller.sourceLink !== undefined,
    build: coreVersion({ build, caller }),
  };
}

/** Which Neve it is, and which language core. */
export function coreVersion({ build, caller }: Pick<CommandInput, 'build' | 'caller'>): readonly unknown[] {
  const { NEVE_CORE: core } = caller.environment;
  return [build ?? null, core === undefined ? null : fileVersion(core)];
}

/** A file that is not there fails later. */
function fileVersion(path: string): readonly unknown[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  return [path, stats?.size ?? null, stats?.mtimeMs ?? null];
}

/** The parts in which two keys differ, and how. */
export function describeDifference(before: EvaluationKey, now: EvaluationKey): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name) => {
    const [left, right] = [before[name], now[name]];
    if (JSON.stringify(left) === JSON.stringify(right)) return [];
    if (isRecord(left) && isRecord(right)) {
      return describeDifference(left, right).map((it) => `${name}: ${it}`);
    }
    return [`${name} was ${shown(left)}, and is ${shown(right)} now`];
  });
}

function shown(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}

function isRecord(value: unknown): value is EvaluationKey {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
