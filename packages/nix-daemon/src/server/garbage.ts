/**
 * Garbage collection as clients ask for it: of the whole store, or of some paths. Kept is what roots reach, what sessions and
 * requests under way use, and, in the whole store, the derivations that what is kept was built by, as Nix does unless told
 * otherwise. One collection runs at a time.
 */
import { WeightedSemaphore } from '@neve/castore';
import type { StorePath } from '@neve/nix-compat';
import { type PathInfo, type Root, StoreError, collectGarbage } from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { DaemonServices, NamedRoot } from './daemon-services.ts';
import type { TemporaryRoots } from './temporary-roots.ts';

export type GarbageRequest = {
  readonly action: 'return-live' | 'return-dead' | 'delete-dead' | 'delete-specific';
  /** Only these; `undefined` for the whole store. */
  readonly only?: { readonly paths: readonly StorePath[]; readonly withReferrers: boolean } | undefined;
  /** Ends when more bytes than these are free; without it, it does not. */
  readonly maxFreedBytes?: number | undefined;
};

export type GarbageResult = { readonly paths: readonly StorePath[]; readonly freedBytes: number };

export type GarbageOptions = {
  /** What is done, for the client. */
  readonly tell: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
};

type Paths = ReadonlyMap<string, PathInfo>;

type Liveness = {
  readonly paths: Paths;
  readonly alive: ReadonlySet<string>;
  readonly roots: readonly Root[];
};

export class GarbageCollector {
  readonly #services: DaemonServices;
  readonly #temporaryRoots: TemporaryRoots;
  readonly #turn: WeightedSemaphore = new WeightedSemaphore(1);

  constructor(services: DaemonServices, temporaryRoots: TemporaryRoots) {
    this.#services = services;
    this.#temporaryRoots = temporaryRoots;
  }

  /** Links and temporary roots whose paths are there. */
  async roots(): Promise<readonly NamedRoot[]> {
    return [...(await this.#services.roots.list()), ...this.#temporaryRoots.list()];
  }

  /** Throws `NixDaemonError` (`invalid-request`) for a path that cannot be deleted, and `StoreError`. */
  async collect(request: GarbageRequest, options: GarbageOptions): Promise<GarbageResult> {
    const release = await this.#turn.acquire();
    try {
      return await this.#collect(request, options);
    } finally {
      release();
    }
  }

  async #collect(request: GarbageRequest, options: GarbageOptions): Promise<GarbageResult> {
    const { action, only, maxFreedBytes } = request;
    if (only === undefined && action === 'delete-specific') {
      throw new NixDaemonError('invalid-request', 'Cannot delete the entire store');
    }
    if (only?.paths.length === 0 || (only === undefined && maxFreedBytes === 0)) return nothing;
    options.tell('finding garbage collector roots...');
    const liveness = await this.#liveness(only === undefined, options.signal);
    options.tell(action.startsWith('return') ? 'determining live/dead paths...' : 'deleting garbage...');
    if (only !== undefined) return await this.#collectOnly(request, liveness, options);
    if (action === 'return-live' || action === 'return-dead') {
      return { paths: [...select(liveness, action === 'return-live')], freedBytes: 0 };
    }
    return await this.#sweep(liveness.roots, { ...options, maxFreedBytes });
  }

  /** What is kept, as it is now: reading it is no use of it. */
  async #liveness(keepsDerivers: boolean, signal?: AbortSignal): Promise<Liveness> {
    const paths = await this.#readPaths(signal);
    const roots = [...(await this.#services.roots.others())];
    for (const { storePath } of await this.roots()) roots.push({ kind: 'path', storePath });
    const reached = new Set(roots.flatMap((it) => (it.kind === 'path' ? [it.storePath.hashPart] : [])));
    // The set grows while it is walked.
    for (const hashPart of reached) {
      const pathInfo = paths.get(hashPart);
      for (const { hashPart: reference } of pathInfo?.references ?? []) reached.add(reference);
      const deriver = keepsDerivers ? pathInfo?.deriver : undefined;
      if (deriver === undefined || !paths.has(deriver.hashPart) || reached.has(deriver.hashPart)) continue;
      reached.add(deriver.hashPart);
      roots.push({ kind: 'path', storePath: deriver });
    }
    return { paths, roots, alive: new Set([...reached].filter((it) => paths.has(it))) };
  }

  async #readPaths(signal?: AbortSignal): Promise<Paths> {
    const { inventory } = this.#services.store.pathInfos;
    if (inventory === undefined) {
      throw new StoreError(
        'unsupported',
        'garbage cannot be collected: the path info service does not own what it stores',
      );
    }
    const paths = new Map<string, PathInfo>();
    for await (const { hashPart, read } of inventory.list(signal)) paths.set(hashPart, read());
    return paths;
  }

  // oxlint-disable-next-line eslint/max-params -- what is asked for, what is there, and how to tell of it
  async #collectOnly(
    { action, only = { paths: [], withReferrers: false } }: GarbageRequest,
    liveness: Liveness,
    options: GarbageOptions,
  ): Promise<GarbageResult> {
    const { paths, alive } = liveness;
    const dead = deadAmong(only, liveness);
    const kept = only.paths.find((it) => paths.has(it.hashPart) && !dead.has(it.hashPart));
    if (action === 'delete-specific' && kept !== undefined) {
      throw new NixDaemonError(
        'invalid-request',
        `Cannot delete path '${this.#services.storeDirectory.print(kept)}' since it is still alive. ` +
          'To find out why, use: nix-store --query --roots and nix-store --query --referrers',
      );
    }
    const infosOf = (hashParts: Iterable<string>): StorePath[] =>
      [...hashParts].flatMap((it) => paths.get(it)?.storePath ?? []);
    if (action === 'return-live') return { paths: infosOf(alive), freedBytes: 0 };
    if (action === 'return-dead') return { paths: infosOf(dead), freedBytes: 0 };
    const others = infosOf([...paths.keys()].filter((it) => !dead.has(it)));
    const roots: Root[] = [
      ...liveness.roots,
      ...others.map((storePath) => ({ kind: 'path' as const, storePath })),
    ];
    return await this.#sweep(roots, options);
  }

  async #sweep(
    roots: readonly Root[],
    { tell, signal, maxFreedBytes }: GarbageOptions & { readonly maxFreedBytes?: number | undefined },
  ): Promise<GarbageResult> {
    const { store, storeDirectory, leases, view } = this.#services;
    const maxStoreBytes =
      maxFreedBytes === undefined ? undefined : Math.max(0, (await this.#storeBytes(signal)) - maxFreedBytes);
    const { paths, freedBytes } = await collectGarbage(
      {
        store,
        // What became a root since they were read is among them.
        roots: async () => [...roots, ...(await this.roots()).map(pathRoot)],
        oldestWriterMs: async () =>
          smaller(this.#temporaryRoots.oldestWriterMs(), await leases.oldestOfOthersMs()),
        ...(maxStoreBytes !== undefined && { maxStoreBytes }),
        onEvent: (event) => {
          if (event.kind === 'path') tell(`deleting '${storeDirectory.print(event.storePath)}'`);
        },
      },
      signal,
    );
    await view?.forget(paths);
    const leftovers = (await store.blobs.inventory?.removeLeftovers?.(signal)) ?? 0;
    return { paths, freedBytes: freedBytes + leftovers };
  }

  async #storeBytes(signal?: AbortSignal): Promise<number> {
    const { blobs, directories } = this.#services.store;
    let sizeBytes = 0;
    for await (const it of blobs.inventory?.list(signal) ?? []) sizeBytes += it.sizeBytes;
    for await (const it of directories.inventory?.list(signal) ?? []) sizeBytes += it.sizeBytes;
    return sizeBytes;
  }
}

const nothing: GarbageResult = { paths: [], freedBytes: 0 };

function* select({ paths, alive }: Liveness, isAlive: boolean): Generator<StorePath, void, void> {
  for (const [hashPart, { storePath }] of paths) if (alive.has(hashPart) === isAlive) yield storePath;
}

/** Those that nothing but others of them, or of what refers to them, keeps; with these if they may go as well. */
function deadAmong(
  { paths: wanted, withReferrers }: NonNullable<GarbageRequest['only']>,
  { paths, alive }: Liveness,
): ReadonlySet<string> {
  const referrers = referrersIn(paths);
  const given = new Set(wanted.map(({ hashPart }) => hashPart));
  const dead = new Set<string>();
  for (const { hashPart } of wanted) {
    const closure = new Set(paths.has(hashPart) ? [hashPart] : []);
    for (const it of closure) for (const referrer of referrers.get(it) ?? []) closure.add(referrer);
    const isKept = [...closure].some((it) => alive.has(it) || !(withReferrers || given.has(it)));
    if (!isKept) for (const it of closure) dead.add(it);
  }
  return dead;
}

function referrersIn(paths: Paths): ReadonlyMap<string, readonly string[]> {
  const referrers = new Map<string, string[]>();
  for (const [hashPart, { references }] of paths) {
    for (const reference of references) {
      if (reference.hashPart === hashPart) continue;
      const known = referrers.get(reference.hashPart);
      if (known === undefined) referrers.set(reference.hashPart, [hashPart]);
      else known.push(hashPart);
    }
  }
  return referrers;
}

function pathRoot({ storePath }: NamedRoot): Root {
  return { kind: 'path', storePath };
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
