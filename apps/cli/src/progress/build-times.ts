/**
 * How long builds of a store took, by the names of their derivations, so that the next ones can be said to take about as long.
 * A file of JSON beside the store:
 *
 *     { "version": 1, "times": { "hello-2.12": [ms, …], … } }    the newest last, of names and of times
 *
 * It is written whole under another name and moved there. Two who write at once lose one's times, which are only a help: so
 * is the file, and what is wrong with it is no reason for a build to fail.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const maxNames = 5000;
const maxTimes = 5;

type Times = Map<string, readonly number[]>;

export class BuildTimes {
  readonly #file: string;
  #known: Times | undefined;
  /** By name without its version. */
  #byPackage: Map<string, string> | undefined;
  readonly #added: { readonly name: string; readonly ms: number }[] = [];

  /** Its folder must be there. */
  constructor(file: string) {
    this.#file = file;
  }

  /** In milliseconds: the median of the last builds of this name, or of the newest version of it that was built. */
  expectedMs(name: string): number | undefined {
    this.#known ??= readTimes(this.#file);
    this.#byPackage ??= new Map(Array.from(this.#known.keys(), (it) => [packageOf(it), it]));
    const times = this.#known.get(name) ?? this.#known.get(this.#byPackage.get(packageOf(name)) ?? '');
    return times === undefined ? undefined : median(times);
  }

  record(name: string, ms: number): void {
    this.#added.push({ name, ms: Math.round(ms) });
  }

  /** Writes what was recorded, beside what others have written meanwhile. */
  save(): void {
    if (this.#added.length === 0) return;
    const times = readTimes(this.#file);
    for (const { name, ms } of this.#added.splice(0)) {
      const all = [...(times.get(name) ?? []), ms].slice(-maxTimes);
      times.delete(name);
      times.set(name, all);
    }
    const kept = Object.fromEntries([...times].slice(-maxNames));
    const temporary = `${this.#file}.${process.pid}.${process.hrtime.bigint()}`;
    try {
      writeFileSync(temporary, `${JSON.stringify({ version: 1, times: kept })}\n`);
      renameSync(temporary, this.#file);
    } catch {
      // A store that cannot be written to has no use for them.
      rmSync(temporary, { force: true });
    }
  }
}

function readTimes(file: string): Times {
  const times: Times = new Map();
  const stored = readObject(file);
  if (stored?.['version'] !== 1 || !isObject(stored['times'])) return times;
  for (const [name, values] of Object.entries(stored['times'])) {
    if (!Array.isArray(values)) continue;
    const numbers = values.filter((it): it is number => typeof it === 'number' && it >= 0 && it < Infinity);
    if (numbers.length > 0) times.set(name, numbers);
  }
  return times;
}

function readObject(file: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As `builtins.parseDrvName` cuts a name: the version begins at the first dash that no letter follows. */
function packageOf(name: string): string {
  return name.replace(/-[^a-zA-Z].*$/, '');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
