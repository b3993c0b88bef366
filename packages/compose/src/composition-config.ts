/**
 * A configuration that was read and checked: named instances, their types, and what they refer to. It is a directed graph
 * without cycles, every reference has a target, and nothing in it has been started. `readComposition` makes it.
 */
import type { AnyServiceType, Registry } from './registry.ts';
import type { ServiceKind } from './service-kind.ts';

/** Names from the table of a kind downwards: `['blobservices', 'root', 'near']`. */
export type ConfigPath = readonly string[];

/** As TOML writes it: `blobservices."my.cache".near`. */
export function printPath(path: ConfigPath): string {
  return path.map((it) => (/^[\w-]+$/.test(it) ? it : JSON.stringify(it))).join('.');
}

export type Instance = {
  readonly kind: ServiceKind<unknown>;
  /** `root`, or `root.near` for an anonymous instance inside of `root`. */
  readonly name: string;
  readonly path: ConfigPath;
  readonly type: AnyServiceType;
  /** In the order of the schema; without those that are absent. */
  readonly options: ReadonlyMap<string, CheckedOption>;
};

export type CheckedOption =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'reference'; readonly reference: Reference }
  | {
      readonly kind: 'priorities';
      readonly entries: readonly { readonly priority: number; readonly reference: Reference }[];
    };

export type Reference = {
  /** Where it stands. */
  readonly path: ConfigPath;
  readonly target:
    | { readonly kind: 'named'; readonly service: ServiceKind<unknown>; readonly name: string }
    /** Written in place, as a URL or a table. Nobody else can refer to it. */
    | { readonly kind: 'anonymous'; readonly instance: Instance };
};

export class CompositionConfig {
  readonly registry: Registry;
  /** What was read, for messages: the name of a file. */
  readonly source: string | undefined;
  /** Named instances in the order of the file. */
  readonly instances: readonly Instance[];

  constructor(config: { registry: Registry; source: string | undefined; instances: readonly Instance[] }) {
    this.registry = config.registry;
    this.source = config.source;
    this.instances = config.instances;
  }

  find(kind: ServiceKind<unknown>, name: string): Instance | undefined {
    return this.instances.find((it) => it.kind.table === kind.table && it.name === name);
  }

  names(kind: ServiceKind<unknown>): readonly string[] {
    return this.instances.filter((it) => it.kind.table === kind.table).map(({ name }) => name);
  }

  /** The instance that a reference means; absent only while the configuration is being checked. */
  resolve({ target }: Reference): Instance | undefined {
    return target.kind === 'anonymous' ? target.instance : this.find(target.service, target.name);
  }
}

/** What an instance refers to, in the order of its options. */
export function referencesOf(instance: Instance): readonly Reference[] {
  return [...instance.options.values()].flatMap((it) => {
    if (it.kind === 'value') return [];
    return it.kind === 'reference' ? [it.reference] : it.entries.map(({ reference }) => reference);
  });
}

/** References of which each leads to the instance that has the next one, and the last one to that of the first. */
type Cycle = readonly [Reference, ...Reference[]];

/** The cycles that a walk from each instance in turn meets; none only if there is none. */
export function findCycles(config: CompositionConfig): readonly Cycle[] {
  const cycles: Cycle[] = [];
  const done = new Set<Instance>();
  const open: Instance[] = [];
  const trail: Reference[] = [];
  const visit = (instance: Instance): void => {
    open.push(instance);
    for (const reference of referencesOf(instance)) {
      const target = config.resolve(reference);
      if (target === undefined || done.has(target)) continue;
      const start = open.indexOf(target);
      if (start >= 0) {
        const [first, ...rest] = trail.slice(start);
        cycles.push(first === undefined ? [reference] : [first, ...rest, reference]);
        continue;
      }
      trail.push(reference);
      visit(target);
      trail.pop();
    }
    open.pop();
    done.add(instance);
  };
  for (const instance of config.instances) if (!done.has(instance)) visit(instance);
  return cycles;
}
