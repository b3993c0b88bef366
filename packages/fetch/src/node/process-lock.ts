/**
 * A lock between processes: a row of the fetch cache that says which process has it. One that does not run any more has
 * lost it; one of which nothing can be seen, in another container, has it for a day at most. Whoever waits looks again after
 * a while.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownIdentity, stateOf } from '@neve/castore/node';
import type { FetchCache, JsonRow } from './fetch-cache.ts';

const firstDelayMs = 20;
const maxDelayMs = 500;
const foreignLockMs = 24 * 60 * 60 * 1000;

/** Waits until the lock is free. Dispose of it in the end. Throws the reason of the signal. */
export async function lockProcess(
  cache: FetchCache,
  name: string,
  signal: AbortSignal | undefined,
): Promise<AsyncDisposable> {
  const id = randomUUID();
  const own: JsonRow = { id, ...(await ownIdentity()), sinceMs: Date.now() };
  let dead: string | undefined;
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, maxDelayMs)) {
    signal?.throwIfAborted();
    let owner: JsonRow | undefined;
    await cache.change(name, (row) => {
      owner = row === undefined || row['id'] === dead ? own : row;
      return owner === own ? own : undefined;
    });
    if (owner === own) return { [Symbol.asyncDispose]: () => unlock(cache, name, id) };
    dead = (await isOwnerAlive(owner)) ? undefined : String(owner?.['id']);
    if (dead === undefined) await pause(delayMs, signal);
  }
}

async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

function unlock(cache: FetchCache, name: string, id: string): Promise<void> {
  return cache.change(name, (row) => (row?.['id'] === id ? 'remove' : undefined));
}

async function isOwnerAlive(row: JsonRow | undefined): Promise<boolean> {
  const { pid, startTime, namespace, bootId, sinceMs } = row ?? {};
  const state = await stateOf({
    pid: Number(pid),
    startTime: String(startTime),
    namespace: String(namespace),
    bootId: String(bootId),
  });
  return state === 'unknown' ? Date.now() - Number(sinceMs) < foreignLockMs : state === 'running';
}
