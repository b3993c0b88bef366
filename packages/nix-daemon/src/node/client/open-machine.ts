/** The store of a machine, as its line in the list of machines says. */
import type { Machine } from '../../client/machines.ts';
import type { RemoteStore } from '../../client/remote-store.ts';
import { type OpenRemoteStoreOptions, openRemoteStore } from './open-remote-store.ts';

/** One connection for each job. */
export function openMachine(machine: Machine, options: OpenRemoteStoreOptions): RemoteStore {
  const { url, sshKey, hostKey, maxJobs } = machine;
  const params = new Map(url.params);
  if (!params.has('max-connections')) params.set('max-connections', String(Math.max(1, maxJobs)));
  if (sshKey !== undefined) params.set('ssh-key', sshKey);
  if (hostKey !== undefined) params.set('base64-ssh-public-host-key', hostKey);
  return openRemoteStore({ ...url, params }, options);
}
