/**
 * What a profile says of functions and files: time spent in them, and in what they called.
 *
 * Self time is that of the innermost frame, total time that of every stack in which a function is, however often. A file
 * has the time in which its own code ran (self), or was waiting for what it had called (total).
 */
import { printPlace } from './collapsed-stacks.ts';
import type { EvaluationProfile, ProfileFunction, ProfileStack } from './profile.ts';

export type FunctionCost = {
  readonly function: ProfileFunction;
  readonly selfTicks: number;
  readonly totalTicks: number;
  /** Undefined where calls are not counted: the collector, functors. */
  readonly calls: number | undefined;
};

export type FileCost = { readonly file: string; readonly selfTicks: number; readonly totalTicks: number };

export type Costs = {
  /** By self time, the costliest first. */
  readonly functions: readonly FunctionCost[];
  readonly files: readonly FileCost[];
  readonly totalTicks: number;
};

type Sum = { selfTicks: number; totalTicks: number };

export function costsOf(profile: EvaluationProfile): Costs {
  const functions = new Map<ProfileFunction, Sum>();
  const files = new Map<string, Sum>();
  let totalTicks = 0;
  for (const stack of profile.stacks) {
    totalTicks += stack.ticks;
    const chain = stack.frames.map((frame) => frame.function);
    addStack(functions, { chain, self: chain.at(-1), ticks: stack.ticks });
    addStack(files, { chain: filesOf(stack), self: ownFile(stack), ticks: stack.ticks });
  }
  for (const id of profile.calls.keys()) {
    const it = profile.functions.get(id);
    if (it !== undefined) sumOf(functions, it);
  }
  return {
    functions: Array.from(functions, ([it, sum]) => ({
      function: it,
      ...sum,
      calls: profile.calls.get(it.id),
    })).toSorted(byCost),
    files: Array.from(files, ([file, sum]) => ({ file, ...sum })).toSorted(byCost),
    totalTicks,
  };
}

/** The costliest functions and files as a table for people, a line end at its end. */
export function printCosts(profile: EvaluationProfile, { rows = 20 }: { rows?: number } = {}): string {
  const { functions, files, totalTicks } = costsOf(profile);
  if (totalTicks === 0)
    return 'The profiler has seen nothing: the evaluation was too short for its frequency.\n';
  const amount = (ticks: number): string =>
    profile.tickMs === 0 ? String(ticks) : `${(ticks * profile.tickMs).toFixed(0)} ms`;
  const share = (ticks: number): string => `${((100 * ticks) / totalTicks).toFixed(1)} %`;
  const time = ({ selfTicks, totalTicks: total }: Sum): string[] => [
    amount(selfTicks),
    share(selfTicks),
    amount(total),
    share(total),
  ];
  const functionRows = functions
    .filter((it) => it.totalTicks > 0)
    .slice(0, rows)
    .map((it) => [...time(it), it.calls === undefined ? '' : String(it.calls), functionName(it.function)]);
  const fileRows = files.slice(0, Math.ceil(rows / 2)).map((it) => [...time(it), it.file]);
  return [
    `${amount(totalTicks)} ${profile.tickMs === 0 ? 'samples' : 'were profiled'}.\n\n`,
    table([['self', '', 'total', '', 'calls', 'function'], ...functionRows]),
    '\n',
    table([['self', '', 'total', '', 'file'], ...fileRows]),
  ].join('');
}

/** `name at file:line:column`, `builtins.name`. */
export function functionName({ kind, name, place }: ProfileFunction): string {
  if (kind === 'collector') return 'garbage collector';
  if (kind === 'functor') return 'functor';
  if (kind === 'builtin') return `builtins.${name ?? ''}`;
  if (kind === 'derivation') return `builtins.derivationStrict of ${name ?? ''}`;
  const shown = name ?? 'anonymous function';
  return place === undefined ? shown : `${shown} at ${printPlace(place)}`;
}

function addStack<K>(
  sums: Map<K, Sum>,
  { chain, self, ticks }: { chain: readonly K[]; self: K | undefined; ticks: number },
): void {
  for (const key of new Set(chain)) sumOf(sums, key).totalTicks += ticks;
  if (self !== undefined) sumOf(sums, self).selfTicks += ticks;
}

function sumOf<K>(sums: Map<K, Sum>, key: K): Sum {
  const known = sums.get(key);
  if (known !== undefined) return known;
  const sum = { selfTicks: 0, totalTicks: 0 };
  sums.set(key, sum);
  return sum;
}

/** Whose code has called something, or runs. */
function filesOf({ frames, at }: ProfileStack): readonly string[] {
  return [...frames.map((frame) => frame.site), at].flatMap((place) =>
    place === undefined ? [] : [place.file],
  );
}

function ownFile(stack: ProfileStack): string | undefined {
  return filesOf(stack).at(-1);
}

function byCost(a: Sum, b: Sum): number {
  return b.selfTicks - a.selfTicks || b.totalTicks - a.totalTicks;
}

/** Columns of figures to the right, the last one to the left. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return rows.map((row) => `${line(row)}\n`).join('');
}
