export { isRemoteStoreUrl, parseRemoteStoreUrl } from '../../client/remote-store-url.ts';
export type { RemoteStoreUrl, SshHost } from '../../client/remote-store-url.ts';
export { canBuild, parseMachines } from '../../client/machines.ts';
export type { Machine, MachinesOptions } from '../../client/machines.ts';
export type { AddOptions, AddedObject, RemoteBuildOptions, RemoteStore } from '../../client/remote-store.ts';
export { RemotePathInfos } from '../../client/remote-path-infos.ts';
export type { RemotePathInfosOptions } from '../../client/remote-path-infos.ts';
export { copyPathsToRemote, copyToRemote } from '../../client/copy-to-remote.ts';
export type {
  CopyToRemoteEvent,
  CopyToRemoteOptions,
  CopyToRemoteResult,
} from '../../client/copy-to-remote.ts';
export { openRemoteStore } from './open-remote-store.ts';
export type { OpenRemoteStoreOptions } from './open-remote-store.ts';
export { NixDaemonError } from '../../nix-daemon-error.ts';
export type { NixDaemonErrorCode } from '../../nix-daemon-error.ts';
export { MachinePool } from '../../client/machine-pool.ts';
export type { MachinePoolOptions } from '../../client/machine-pool.ts';
export { MachineBuilder } from '../../client/machine-builder.ts';
export type { MachineBuilderOptions } from '../../client/machine-builder.ts';
export { openMachine } from './open-machine.ts';
