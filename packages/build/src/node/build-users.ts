/**
 * Users of the host that builds run as, one build at a time each, so that no build can do anything to another one. A user is
 * taken by a lock on a file, among all processes that use the same folder.
 */
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { tryLock } from './file-lock.ts';
import type { UserIds } from './sandbox/sandbox.ts';

export type BuildUser = UserIds & {
  /** How many users there are from this one on, which a build may give out; 1 unless given. */
  readonly count?: number;
};

export type TakenUser = AsyncDisposable & { readonly user: BuildUser };

/** Between two looks at users that other processes have. */
const retryMs = 100;

export class BuildUsers {
  readonly #folder: string;
  readonly #users: readonly BuildUser[];
  readonly #taken = new Set<BuildUser>();

  private constructor(folder: string, users: readonly BuildUser[]) {
    this.#folder = folder;
    this.#users = users;
  }

  static async open(folder: string, users: readonly BuildUser[]): Promise<BuildUsers> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new BuildUsers(folder, users);
  }

  /** Whether one of them has so many users to give out. */
  has(count: number): boolean {
    return this.#users.some((it) => (it.count ?? 1) >= count);
  }

  /** Waits until one with at least `count` users is free. */
  async take(count: number, signal?: AbortSignal): Promise<TakenUser> {
    const fitting = this.#users.filter((it) => (it.count ?? 1) >= count);
    for (;;) {
      signal?.throwIfAborted();
      for (const user of fitting) {
        const taken = await this.#tryTake(user);
        if (taken !== undefined) return taken;
      }
      await sleep(retryMs, undefined, { signal });
    }
  }

  async #tryTake(user: BuildUser): Promise<TakenUser | undefined> {
    if (this.#taken.has(user)) return undefined;
    this.#taken.add(user);
    const lock = await tryLock(join(this.#folder, String(user.uid))).catch((cause: unknown) => {
      this.#taken.delete(user);
      throw cause;
    });
    if (lock === undefined) {
      this.#taken.delete(user);
      return undefined;
    }
    return {
      user,
      [Symbol.asyncDispose]: async () => {
        this.#taken.delete(user);
        await lock[Symbol.asyncDispose]();
      },
    };
  }
}
