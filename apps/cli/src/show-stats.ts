/**
 * `NIX_SHOW_STATS`: counters of an evaluation as JSON, to standard error or to the file that `NIX_SHOW_STATS_PATH`
 * names.
 */
import { writeFileSync } from 'node:fs';
import { write } from './output.ts';

export function showStats(stats: () => Readonly<Record<string, unknown>>): void {
  const { NIX_SHOW_STATS: wanted = '0', NIX_SHOW_STATS_PATH: path = '-' } = process.env;
  if (wanted === '0') return;
  const text = `${JSON.stringify(stats(), undefined, 2)}\n`;
  if (path === '-') write(2, text);
  else writeFileSync(path, text);
}
