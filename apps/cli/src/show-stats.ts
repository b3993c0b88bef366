/**
 * `NIX_SHOW_STATS`: counters of an evaluation as JSON in Nix's form, to standard error or to the file that
 * `NIX_SHOW_STATS_PATH` names. Names are in order, as Nix writes them; what is not counted here is left out.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Caller } from './caller.ts';

export function showStats(stats: () => Readonly<Record<string, unknown>>, caller: Caller): void {
  const { NIX_SHOW_STATS: wanted = '0', NIX_SHOW_STATS_PATH: path = '-' } = caller.environment;
  if (wanted === '0') return;
  // The time that programs take, as opposed to the time that the system takes for them.
  const cpu = process.cpuUsage().user / 1e6;
  const shown = inOrder({ ...stats(), cpuTime: cpu, time: { cpu } });
  const text = `${JSON.stringify(shown, undefined, 2)}\n`;
  if (path === '-') caller.write(2, text);
  else writeFileSync(resolve(caller.directory, path), text);
}

function inOrder(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(record).map(
    ([name, value]) => [name, isRecord(value) ? inOrder(value) : value] as const,
  );
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
