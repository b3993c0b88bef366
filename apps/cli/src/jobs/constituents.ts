/**
 * Aggregates of Hydra: jobs that consist of others, which they name. When all jobs are known, each aggregate becomes a
 * derivation that needs those, so that building it builds them. The rules are those of nix-eval-jobs:
 *
 * - A name is that of a job; with `globConstituents` it may be a pattern (`*`, `?`, `[…]`), which never means the job itself.
 * - An aggregate that names a job which failed or is not there has an error in place of what was to be added.
 * - Aggregates may consist of others; in a circle, all aggregates have errors.
 */
import { byteKey, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import {
  type Derivation,
  DerivationHashes,
  type InputDerivation,
  type StoreDirectory,
  type StorePath,
  derivationPath,
  printDerivation,
} from '@neve/nix-compat';

/** A job as it is printed. */
export type JobRecord = {
  readonly attr: string;
  error?: string;
  drvPath?: string;
  outputs?: Record<string, string | null>;
  constituents?: string[];
  namedConstituents?: string[];
  globConstituents?: boolean;
};

/** Whether a job has to wait until all others are known. */
export function isUnresolved({ namedConstituents = [] }: JobRecord): boolean {
  return namedConstituents.length > 0;
}

export type AggregateStore = {
  readonly directory: StoreDirectory;
  readDerivation(path: StorePath): Promise<Derivation>;
  writeDerivation(path: StorePath, contents: Uint8Array): Promise<void>;
};

type Aggregate = {
  readonly job: JobRecord;
  /** Names of jobs that are there, in order. */
  readonly dependencies: readonly string[];
  /** What is the matter with others, by name. */
  readonly broken: ReadonlyMap<string, string>;
};

/** Completes the aggregates among the jobs, and gives them in the order in which they need each other. */
export async function completeAggregates(
  jobs: ReadonlyMap<string, JobRecord>,
  store: AggregateStore,
): Promise<readonly JobRecord[]> {
  const aggregates = new Map(
    [...jobs.values()]
      .filter(isUnresolved)
      .map((job) => [job.attr, resolved(job, jobs)] as const)
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
  const order = inOrder(aggregates);
  if ('cycle' in order) return failed(aggregates, order.cycle);
  const hashes = new DerivationHashes({
    store: store.directory,
    hashes: nodeHashes,
    lookUp: (path) => store.readDerivation(path),
  });
  for (const aggregate of order.sorted) await complete(aggregate, { jobs, store, hashes });
  return order.sorted.map(({ job }) => job);
}

function resolved(job: JobRecord, jobs: ReadonlyMap<string, JobRecord>): Aggregate {
  const dependencies = new Set<string>();
  const broken = new Map<string, string>();
  const take = (name: string, { error }: JobRecord): boolean => {
    if (error === undefined) dependencies.add(name);
    else broken.set(name, error);
    return error === undefined;
  };
  for (const name of job.namedConstituents ?? []) {
    const named = jobs.get(name);
    if (named !== undefined) take(name, named);
    else if (job.globConstituents !== true) broken.set(name, 'does not exist');
    else {
      const pattern = globPattern(name);
      const matching = [...jobs].filter(([other]) => other !== job.attr && pattern.test(other));
      const isAny = matching.map(([other, it]) => take(other, it)).includes(true);
      if (!isAny) broken.set(name, 'constituent glob pattern had no matches');
    }
  }
  return { job, dependencies: [...dependencies].sort(), broken };
}

/** The pattern of `fnmatch` without flags: `*` and `?` also stand for dots and slashes. */
export function globPattern(glob: string): RegExp {
  const parts = glob.match(/\\.|\[(?:[!^]|(?![!^]))(?:\][^\]]*|[^\]]+)\]|[^]/gu) ?? [];
  const texts = parts.map((part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 1 && part.startsWith('[')) return bracket(part);
    return (part.length > 1 && part.startsWith('\\') ? part.slice(1) : part).replace(
      /[\\^$.*+?()[\]{}|/]/u,
      String.raw`\$&`,
    );
  });
  return new RegExp(`^${texts.join('')}$`, 'su');
}

function bracket(part: string): string {
  const isNegated = part.startsWith('[!') || part.startsWith('[^');
  const inside = part.slice(isNegated ? 2 : 1, -1);
  return `[${isNegated ? '^' : ''}${inside.replaceAll(/[\\[\]^]/gu, String.raw`\$&`)}]`;
}

type Order = { readonly sorted: readonly Aggregate[] } | { readonly cycle: readonly [string, string] };

/** Those that others need come first. */
function inOrder(aggregates: ReadonlyMap<string, Aggregate>): Order {
  const sorted = new Set<Aggregate>();
  const open = new Set<string>();
  let cycle: [string, string] | undefined;
  const visit = (name: string, parent: string): void => {
    const aggregate = aggregates.get(name);
    if (aggregate === undefined || sorted.has(aggregate) || cycle !== undefined) return;
    if (open.has(name)) {
      cycle = [name, parent];
      return;
    }
    open.add(name);
    for (const it of aggregate.dependencies) if (it !== name) visit(it, name);
    open.delete(name);
    sorted.add(aggregate);
  };
  for (const name of aggregates.keys()) visit(name, name);
  return cycle === undefined ? { sorted: [...sorted] } : { cycle };
}

function failed(
  aggregates: ReadonlyMap<string, Aggregate>,
  [first, second]: readonly [string, string],
): readonly JobRecord[] {
  const message = `Dependency cycle: ${first} <-> ${second}`;
  const names = [first, second, ...[...aggregates.keys()].filter((it) => it !== first && it !== second)];
  return names.flatMap((name) => {
    const job = aggregates.get(name)?.job;
    if (job === undefined) return [];
    const isInCycle = name === first || name === second;
    job.error = isInCycle ? message : 'Skipping aggregate because of a dependency cycle';
    return [job];
  });
}

type Completion = {
  readonly jobs: ReadonlyMap<string, JobRecord>;
  readonly store: AggregateStore;
  readonly hashes: DerivationHashes;
};

async function complete({ job, dependencies, broken }: Aggregate, context: Completion): Promise<void> {
  delete job.namedConstituents;
  if (broken.size > 0) {
    job.error = Array.from(broken, ([name, error]) => `${name}: ${error}\n`).join('');
    return;
  }
  const { jobs, store, hashes } = context;
  const { directory } = store;
  const added: InputDerivation[] = [];
  for (const name of dependencies) {
    const { drvPath } = jobs.get(name) ?? {};
    if (drvPath === undefined) continue;
    const path = directory.parse(drvPath);
    const [output] = (await store.readDerivation(path)).outputs.keys();
    job.constituents = [...(job.constituents ?? []), drvPath];
    if (output !== undefined) added.push({ path, outputs: [output] });
  }
  const derivation = await store.readDerivation(directory.parse(job.drvPath ?? ''));
  await rewrite(job, { derivation: withInputs(derivation, added), store, hashes });
}

function withInputs(derivation: Derivation, added: readonly InputDerivation[]): Derivation {
  const inputs = new Map(
    [...derivation.inputDerivations, ...added].map((it) => [it.path.baseName, it] as const),
  );
  const names = [...inputs.keys()].sort();
  return { ...derivation, inputDerivations: names.flatMap((name) => inputs.get(name) ?? []) };
}

type Rewriting = { readonly derivation: Derivation } & Pick<Completion, 'store' | 'hashes'>;

/** With other inputs, the path of its output is another one. */
async function rewrite(job: JobRecord, { derivation, store, hashes }: Rewriting): Promise<void> {
  const { directory } = store;
  const path = (await hashes.outputPaths(derivation)).get('out');
  if (path === undefined) return;
  const rewritten: Derivation = {
    ...derivation,
    outputs: new Map([...derivation.outputs, ['out', { kind: 'input-addressed', path }]]),
    environment: new Map([
      ...derivation.environment,
      [byteKey(encodeUtf8('out')), encodeUtf8(directory.print(path))],
    ]),
  };
  const contents = printDerivation(rewritten, directory);
  const drvPath = derivationPath(rewritten, { store: directory, hashes: nodeHashes });
  await store.writeDerivation(drvPath, contents);
  job.drvPath = directory.print(drvPath);
  job.outputs = { ...job.outputs, out: directory.print(path) };
}
