/**
 * Builds that several clients want are done once: whoever comes later joins, and sees the log from then on. A build ends when
 * all who wait for it have gone. All builds of the server together keep to one limit.
 *
 * Clients with different limits of time do not join each other, since one would fail of the other's; they wait for each other
 * as processes do, by locks. A realiser takes locks before it builds, which would keep others from joining; so those are left
 * to the shared build, and the realiser's own are none.
 */
import { WeightedSemaphore } from '@neve/castore';
import type { StorePath } from '@neve/nix-compat';
import type { BuildJob, BuildJobOptions, DerivationBuilder, WorkLocks } from '@neve/realise';
import { type PathInfo, SharedWork } from '@neve/store';

type Outputs = ReadonlyMap<string, PathInfo>;

export type SharedBuildsOptions = {
  readonly locks: WorkLocks;
  /** Of all clients. */
  readonly maxBuilds: number;
};

export type SharingOptions = {
  /** What must be the same for two to join. */
  readonly key: string;
  /** Called when a build begins, or is joined. */
  readonly onStart: (drvPath: StorePath) => void;
};

export class SharedBuilds {
  readonly #locks: WorkLocks;
  readonly #slots: WeightedSemaphore;
  readonly #builds: SharedWork<Outputs> = new SharedWork();
  /** Who follows a build, by its key. */
  readonly #followers = new Map<string, Followers>();

  constructor({ locks, maxBuilds }: SharedBuildsOptions) {
    this.#locks = locks;
    this.#slots = new WeightedSemaphore(Math.max(1, maxBuilds));
  }

  /** A builder and locks for a realiser. */
  share(
    inner: DerivationBuilder,
    options: SharingOptions,
  ): { readonly builder: DerivationBuilder; readonly locks: WorkLocks } {
    const ownKeys = new Set<string>();
    return {
      builder: {
        allowsSubstitutes: (derivation) => inner.allowsSubstitutes(derivation),
        fetchOf: (drvPath, derivation) => inner.fetchOf(drvPath, derivation),
        prepare: async (ready, signal) => {
          const job = await inner.prepare(ready, signal);
          for (const { hashPart } of job.lockedPaths) ownKeys.add(hashPart);
          return this.#shared(job, ready.drvPath, options);
        },
      },
      locks: {
        acquire: (keys, lockOptions) =>
          keys.every((key) => ownKeys.has(key))
            ? Promise.resolve(noLock)
            : this.#locks.acquire(keys, lockOptions),
      },
    };
  }

  // oxlint-disable-next-line eslint/max-params -- a job, whose it is, and for whom
  #shared(job: BuildJob, drvPath: StorePath, { key, onStart }: SharingOptions): BuildJob {
    const keys = job.lockedPaths.map((it) => it.hashPart);
    return {
      lockedPaths: job.lockedPaths,
      present: (signal) => job.present(signal),
      build: async ({ mode, onLog, signal }) => {
        const follower = { onLog, onStart: () => onStart(drvPath) };
        // What is built to be compared with is nobody else's.
        if (mode === 'check')
          return await this.#run(job, { mode, followers: new Followers(follower), signal });
        return await this.#join([...keys, key].join(' '), { job, follower, signal });
      },
    };
  }

  async #join(
    key: string,
    {
      job,
      follower,
      signal,
    }: { readonly job: BuildJob; readonly follower: Follower; readonly signal: AbortSignal | undefined },
  ): Promise<Outputs> {
    const followers = this.#followers.get(key) ?? new Followers();
    this.#followers.set(key, followers);
    followers.add(follower);
    try {
      return await this.#builds.run(
        key,
        (all) => this.#run(job, { mode: 'build', followers, signal: all }),
        signal,
      );
    } finally {
      followers.remove(follower);
      if (followers.isEmpty && this.#followers.get(key) === followers) this.#followers.delete(key);
    }
  }

  async #run(job: BuildJob, { mode, followers, signal }: Run): Promise<Outputs> {
    const keys = job.lockedPaths.map((it) => it.hashPart);
    await using _lock = await this.#locks.acquire(keys, { signal });
    const already = mode === 'build' ? await job.present(signal) : undefined;
    if (already !== undefined) return already;
    const release = await this.#slots.acquire();
    try {
      signal?.throwIfAborted();
      followers.start();
      return await job.build({ mode, onLog: (bytes) => followers.log(bytes), signal });
    } finally {
      release();
    }
  }
}

type Run = {
  readonly mode: BuildJobOptions['mode'];
  readonly followers: Followers;
  readonly signal: AbortSignal | undefined;
};

type Follower = { readonly onLog: BuildJobOptions['onLog']; readonly onStart: () => void };

/** Who waits for one build. */
class Followers {
  readonly #members: Set<Follower>;
  #hasStarted = false;

  constructor(...members: readonly Follower[]) {
    this.#members = new Set(members);
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  add(member: Follower): void {
    this.#members.add(member);
    if (this.#hasStarted) member.onStart();
  }

  remove(member: Follower): void {
    this.#members.delete(member);
  }

  start(): void {
    this.#hasStarted = true;
    for (const it of this.#members) it.onStart();
  }

  log(bytes: Uint8Array): void {
    for (const it of this.#members) it.onLog(bytes);
  }
}

const noLock: AsyncDisposable = { [Symbol.asyncDispose]: async () => undefined };
