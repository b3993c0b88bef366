export { parseGrpcAddress } from './grpc-address.ts';
export type { GrpcAddress } from './grpc-address.ts';
export { RpcError } from './rpc-error.ts';
export type { RpcErrorCode } from './rpc-error.ts';
