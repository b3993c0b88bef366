/** Leases of the sessions of one server. */
import type { Lease, Leases } from '@neve/store/node';
import type { LeaseKeeper } from '../server/daemon-services.ts';

export function sessionLeases(leases: Leases): LeaseKeeper {
  const own = new Set<Lease>();
  return {
    async acquire() {
      const lease = await leases.acquire();
      own.add(lease);
      return {
        [Symbol.asyncDispose]: async () => {
          own.delete(lease);
          await lease[Symbol.asyncDispose]();
        },
      };
    },
    oldestOfOthersMs: () => leases.oldestMs(own),
  };
}
