export { serveNixDaemon, serveStdio } from './serve-nix-daemon.ts';
export type {
  NixDaemonServer,
  ServeNixDaemonOptions,
  ServerEvent,
  StdioOptions,
} from './serve-nix-daemon.ts';
export { linkRoots } from './link-roots.ts';
export type { LinkRootsOptions } from './link-roots.ts';
export { sessionLeases } from './session-leases.ts';
export { viewOfStore } from './view-of-store.ts';
export { nixLogFiles, severalLogs } from './nix-log-files.ts';
export { StreamConnection } from './stream-connection.ts';
export { readPeer, readPeerCredentials } from './peer-credentials.ts';
