/**
 * A near service in front of a far one. What only the far one has is put into the near one when it is asked for. Writes go
 * to both, the far one first; a far one that cannot be written to (`unsupported`), as a binary cache, is left out. That
 * the far one lacks a path can be remembered for a while, and is forgotten when the path is put here. There is no inventory: the near service has one.
 */
import type { PathInfo } from './path-info.ts';
import type { NarCalculationService, PathInfoService } from './path-info-service.ts';
import { StoreError } from './store-error.ts';

export type CachePathInfosOptions = {
  readonly near: PathInfoService;
  readonly far: PathInfoService;
  /** How long an absence from `far` is believed, in milliseconds; not at all unless given. */
  readonly absenceTtlMs?: number;
  /** Milliseconds since some moment. */
  readonly now?: () => number;
};

/** So many absences are remembered; then the oldest ones are forgotten. */
const maxAbsences = 100_000;

/** Disposing of it leaves both services open. */
export function cachePathInfos(options: CachePathInfosOptions): PathInfoService {
  return new CachePathInfos(options);
}

class CachePathInfos implements PathInfoService {
  readonly #near: PathInfoService;
  readonly #far: PathInfoService;
  readonly #absenceTtlMs: number;
  readonly #now: () => number;
  /** Until when each absence is believed, in the order in which they were met. */
  readonly #absentUntil = new Map<string, number>();
  readonly narCalculation?: NarCalculationService;

  constructor({ near, far, absenceTtlMs = 0, now = Date.now }: CachePathInfosOptions) {
    this.#near = near;
    this.#far = far;
    this.#absenceTtlMs = absenceTtlMs;
    this.#now = now;
    const narCalculation = near.narCalculation ?? far.narCalculation;
    if (narCalculation !== undefined) this.narCalculation = narCalculation;
  }

  async get(hashPart: string, signal?: AbortSignal): Promise<PathInfo | undefined> {
    const near = await this.#near.get(hashPart, signal);
    if (near !== undefined) return near;
    if (this.#isAbsent(hashPart)) return undefined;
    const far = await this.#far.get(hashPart, signal);
    if (far === undefined) {
      this.#rememberAbsence(hashPart);
      return undefined;
    }
    return this.#near.put(far, signal);
  }

  async has(hashPart: string, signal?: AbortSignal): Promise<boolean> {
    if (await this.#near.has(hashPart, signal)) return true;
    if (this.#isAbsent(hashPart)) return false;
    const isThere = await this.#far.has(hashPart, signal);
    if (!isThere) this.#rememberAbsence(hashPart);
    return isThere;
  }

  async put(pathInfo: PathInfo, signal?: AbortSignal): Promise<PathInfo> {
    this.#absentUntil.delete(pathInfo.storePath.hashPart);
    return this.#near.put(await this.#putFar(pathInfo, signal), signal);
  }

  /** Those of the near service, then those that only the far one has. */
  async *list(signal?: AbortSignal): AsyncGenerator<PathInfo, void, void> {
    const listed = new Set<string>();
    for await (const pathInfo of this.#near.list(signal)) {
      listed.add(pathInfo.storePath.hashPart);
      yield pathInfo;
    }
    for await (const pathInfo of this.#far.list(signal)) {
      if (!listed.has(pathInfo.storePath.hashPart)) yield pathInfo;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#absentUntil.clear();
  }

  async #putFar(pathInfo: PathInfo, signal?: AbortSignal): Promise<PathInfo> {
    try {
      return await this.#far.put(pathInfo, signal);
    } catch (error) {
      if (error instanceof StoreError && error.code === 'unsupported') return pathInfo;
      throw error;
    }
  }

  #isAbsent(hashPart: string): boolean {
    const until = this.#absentUntil.get(hashPart);
    if (until === undefined) return false;
    if (until > this.#now()) return true;
    this.#absentUntil.delete(hashPart);
    return false;
  }

  #rememberAbsence(hashPart: string): void {
    if (this.#absenceTtlMs <= 0) return;
    this.#absentUntil.delete(hashPart);
    this.#absentUntil.set(hashPart, this.#now() + this.#absenceTtlMs);
    const [oldest] = this.#absentUntil.keys();
    if (this.#absentUntil.size > maxAbsences && oldest !== undefined) this.#absentUntil.delete(oldest);
  }
}
