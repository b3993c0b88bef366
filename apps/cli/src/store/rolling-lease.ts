/**
 * A lease for a server, which never knows when its clients have ended what they are about: at any time it is between one and
 * two periods old, so that what clients stored or found within the last period stays.
 */
import type { Lease, Leases } from '@neve/store/node';

const periodMs = 60 * 60 * 1000;

export async function takeRollingLease(leases: Leases): Promise<AsyncDisposable> {
  let [older, newer]: (Lease | undefined)[] = [undefined, await leases.acquire()];
  let turning = Promise.resolve();
  const turn = async (): Promise<void> => {
    const released = older;
    older = newer;
    newer = await leases.acquire();
    await released?.[Symbol.asyncDispose]();
  };
  const timer = setInterval(() => {
    turning = turning.then(turn);
  }, periodMs);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await turning;
      await older?.[Symbol.asyncDispose]();
      await newer?.[Symbol.asyncDispose]();
    },
  };
}
