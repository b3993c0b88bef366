/** What all connections of a server share, made once of its services. */
import type { DaemonServices } from './daemon-services.ts';
import { GarbageCollector } from './garbage.ts';
import { SharedBuilds } from './shared-builds.ts';
import { StoredDerivations } from './stored-derivations.ts';
import { TemporaryRoots } from './temporary-roots.ts';

export type DaemonState = DaemonServices & {
  readonly derivations: StoredDerivations;
  readonly temporaryRoots: TemporaryRoots;
  readonly garbage: GarbageCollector;
  readonly sharedBuilds: SharedBuilds;
};

export function daemonState(services: DaemonServices): DaemonState {
  const temporaryRoots = new TemporaryRoots(services.leases);
  return {
    ...services,
    temporaryRoots,
    derivations: new StoredDerivations(services),
    garbage: new GarbageCollector(services, temporaryRoots),
    sharedBuilds: new SharedBuilds({ locks: services.locks, maxBuilds: services.limits.builds }),
  };
}
