/** What all connections of a server share, made once of its services. */
import { WeightedSemaphore } from '@neve/castore';
import { SharedBuilds } from '@neve/realise';
import type { DaemonServices } from './daemon-services.ts';
import { GarbageCollector } from './garbage.ts';
import { StoredDerivations } from './stored-derivations.ts';
import { TemporaryRoots } from './temporary-roots.ts';

export type DaemonState = DaemonServices & {
  readonly derivations: StoredDerivations;
  readonly temporaryRoots: TemporaryRoots;
  readonly garbage: GarbageCollector;
  readonly sharedBuilds: SharedBuilds;
  /** For the builds of all clients. */
  readonly buildSlots: WeightedSemaphore;
  /** What goes on although the request that began it has ended: others want it, or it is being ended. */
  readonly background: Set<Promise<void>>;
};

export function daemonState(services: DaemonServices): DaemonState {
  const temporaryRoots = new TemporaryRoots(services.leases);
  return {
    ...services,
    temporaryRoots,
    derivations: new StoredDerivations(services),
    garbage: new GarbageCollector(services, temporaryRoots),
    sharedBuilds: new SharedBuilds(),
    buildSlots: new WeightedSemaphore(Math.max(1, services.limits.builds + (services.machineJobs ?? 0))),
    background: new Set(),
  };
}

/** Fulfilled when nothing goes on, once no session is left: then the services can be closed. */
export async function daemonSettled({ background }: DaemonState): Promise<void> {
  await Promise.all(background);
}
