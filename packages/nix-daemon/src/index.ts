export { NixDaemonError } from './nix-daemon-error.ts';
export type { NixDaemonErrorCode } from './nix-daemon-error.ts';
export type {
  DaemonServices,
  FileView,
  LeaseKeeper,
  NamedRoot,
  RootKeeper,
  TrustRules,
} from './server/daemon-services.ts';
export { defaultBuildOptions } from './server/build-options.ts';
export type { BuildOptions, CacheChoice } from './server/build-options.ts';
export { daemonSettled, daemonState } from './server/daemon-state.ts';
export type { DaemonState } from './server/daemon-state.ts';
export { serveSession } from './server/session.ts';
export type { ClientConnection, SessionOptions } from './server/session.ts';
export { trustOf } from './server/user-rules.ts';
export type { Peer, UserRules } from './server/user-rules.ts';
