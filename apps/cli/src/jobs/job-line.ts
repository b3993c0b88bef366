/** A job as a line of JSON, whose keys are in order, as nix-eval-jobs prints it. */
import type { Job } from './evaluate-job.ts';
import { type JobPath, joinedPath } from './job-path.ts';

/** What the store knows of a job's derivation. */
export type StoredJob = {
  readonly system: string;
  readonly requiredSystemFeatures: readonly string[];
  /** The outputs that it needs, by derivation. */
  readonly inputDrvs: Readonly<Record<string, readonly string[]>> | undefined;
  readonly cache: CacheStatus | undefined;
};

export type CacheStatus = {
  readonly cacheStatus: 'local' | 'cached' | 'notBuilt';
  readonly neededBuilds: readonly string[];
  readonly neededSubstitutes: readonly string[];
};

// oxlint-disable-next-line eslint/max-params -- where, what, and what the store says to it
export function jobLine(path: JobPath, job: Job, stored: StoredJob | undefined): string {
  const { name, system, drvPath, outputs, meta, extraValue, constituents } = job;
  const fields: Record<string, unknown> = {
    ...{ name, system, drvPath, outputs: sorted(outputs) },
    ...constituents,
    ...(stored !== undefined && {
      system: stored.system,
      requiredSystemFeatures: stored.requiredSystemFeatures,
    }),
    ...(stored?.inputDrvs !== undefined && { inputDrvs: sorted(stored.inputDrvs) }),
    ...(stored?.cache !== undefined && {
      ...stored.cache,
      isCached: stored.cache.cacheStatus !== 'notBuilt',
    }),
  };
  const texts = new Map(Object.entries(fields).map(([key, value]) => [key, JSON.stringify(value)]));
  if (meta !== undefined) texts.set('meta', meta);
  if (extraValue !== undefined) texts.set('extraValue', extraValue);
  return line(path, texts);
}

/** The line of an attribute that cannot be evaluated. */
export function errorLine(path: JobPath, error: string): string {
  return line(path, new Map([['error', JSON.stringify(error)]]));
}

function line(path: JobPath, fields: ReadonlyMap<string, string>): string {
  const all = new Map([
    ['attr', JSON.stringify(joinedPath(path))],
    ['attrPath', JSON.stringify(path)],
    ...fields,
  ]);
  const texts = [...all.keys()].sort().map((key) => `${JSON.stringify(key)}:${all.get(key)}`);
  return `{${texts.join(',')}}`;
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** A job that was completed. */
export function recordLine(record: object): string {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return JSON.stringify(Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1))));
}
