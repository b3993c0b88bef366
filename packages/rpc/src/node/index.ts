export {
  openGrpcBlobs,
  openGrpcBuilder,
  openGrpcDirectories,
  openGrpcPathInfos,
  openRemoteBuilder,
} from './open-grpc.ts';
export type { GrpcClientOptions } from './grpc-channel.ts';
export { serveGrpc } from './open-server.ts';
export type { GrpcServer, ServeOptions, ServedServices } from './serve-grpc.ts';
export { commandCalls, daemonProtocol, progressKinds } from '../daemon-service.ts';
export type {
  DaemonCommand,
  DaemonCommandName,
  DaemonEvent,
  DaemonProgress,
  DaemonQueue,
  DaemonService,
  DaemonStatus,
} from '../daemon-service.ts';
export type { DaemonAccess } from '../daemon-handlers.ts';
export { daemonStatus, stopDaemon } from './daemon-control.ts';
export type { ReadDaemonStatus } from '../daemon-messages.ts';
export type { BuildPolicy } from '../build-policy.ts';
export { openBigtableDirectories, openBigtablePathInfos } from './open-bigtable.ts';
export type { BigtableOptions } from './bigtable-table.ts';
export type { BigtableConnection } from './bigtable-connection.ts';
export { registerRpcServices } from './register-rpc-services.ts';
export type { RpcEnvironment } from './register-rpc-services.ts';
