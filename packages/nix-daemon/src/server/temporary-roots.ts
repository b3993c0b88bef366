/**
 * What clients use at the moment. Paths that a session has added, asked to be kept or had built stay until it ends; and what is
 * used by a request that is under way stays, which is why garbage collection asks when the oldest of these began.
 *
 * Only collections by this server look here. Other processes see the lease that a session takes with its first root.
 */
import type { StorePath } from '@neve/nix-compat';
import type { LeaseKeeper, NamedRoot } from './daemon-services.ts';

export class TemporaryRoots {
  readonly #leases: LeaseKeeper;
  readonly #sessions = new Set<SessionRoots>();
  readonly #writers = new Set<{ readonly startedMs: number }>();
  #count = 0;

  constructor(leases: LeaseKeeper) {
    this.#leases = leases;
  }

  open(): SessionRoots {
    const session: SessionRoots = new SessionRoots(++this.#count, {
      leases: this.#leases,
      end: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
    return session;
  }

  list(): readonly NamedRoot[] {
    return [...this.#sessions].flatMap(({ number, storePaths }) =>
      storePaths.map((storePath) => ({ link: `{temp:${number}}`, storePath })),
    );
  }

  /** For as long as it is not disposed of, nothing goes that is used from now on. */
  beginWriting(): Disposable {
    const writer = { startedMs: Date.now() };
    this.#writers.add(writer);
    return { [Symbol.dispose]: () => this.#writers.delete(writer) };
  }

  /** When the oldest writer began, in milliseconds since 1970. */
  oldestWriterMs(): number | undefined {
    const times = Array.from(this.#writers, ({ startedMs }) => startedMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

type SessionOptions = { readonly leases: LeaseKeeper; readonly end: () => void };

export class SessionRoots implements AsyncDisposable {
  readonly number: number;
  readonly #paths = new Map<string, StorePath>();
  readonly #options: SessionOptions;
  #lease: Promise<AsyncDisposable> | undefined;

  constructor(number: number, options: SessionOptions) {
    this.number = number;
    this.#options = options;
  }

  get storePaths(): readonly StorePath[] {
    return [...this.#paths.values()];
  }

  /** The path need not be there yet. */
  async add(storePath: StorePath): Promise<void> {
    this.#paths.set(storePath.hashPart, storePath);
    await this.hold();
  }

  /** From now on other processes see that something is in use. */
  async hold(): Promise<void> {
    this.#lease ??= this.#options.leases.acquire();
    await this.#lease;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#options.end();
    const lease = await this.#lease?.catch(() => undefined);
    await lease?.[Symbol.asyncDispose]();
  }
}
