/**
 * Where a server of gRPC is, as the addresses of services have it:
 *
 *     grpc+unix:/path              a socket in the file system
 *     grpc+http://host[:port]      TCP without encryption; port 80
 *     grpc+https://host[:port]     TLS; port 443
 *
 * `?wait-connect=1` connects before the service is given out, and fails if that is not possible. No other path or query is
 * allowed. IPv6 addresses are in brackets.
 */
import { CompositionError, ServiceUrl } from '@neve/compose';
import { RpcError } from './rpc-error.ts';

export type GrpcAddress = {
  /** As grpc-js wants it: `unix:/path`, `dns:host:port`. */
  readonly target: string;
  readonly isEncrypted: boolean;
  readonly waitsForConnection: boolean;
};

/** Throws `RpcError` (`invalid-argument`). */
export function parseGrpcAddress(text: string): GrpcAddress {
  const url = parseUrl(text);
  const waitsForConnection = readQuery(url);
  if (url.type !== 'grpc' || url.credentials !== undefined) {
    throw bad(url, 'it must begin with grpc+unix:, grpc+http: or grpc+https:, and names no user');
  }
  if (url.transport === 'unix') {
    if ((url.host ?? '') !== '') throw bad(url, 'a socket has no host; write three slashes or one');
    if (!url.path.startsWith('/')) throw bad(url, 'the path of a socket begins with a slash');
    return { target: `unix:${url.path}`, isEncrypted: false, waitsForConnection };
  }
  if (url.transport !== 'http' && url.transport !== 'https') {
    throw bad(url, 'after grpc+ there is unix, http or https');
  }
  if ((url.host ?? '') === '') throw bad(url, 'there is no host');
  if (url.path !== '' && url.path !== '/') throw bad(url, 'gRPC has no path after the host');
  const isEncrypted = url.transport === 'https';
  const host = url.host?.includes(':') === true ? `[${url.host}]` : (url.host ?? '');
  return { target: `dns:${host}:${url.port ?? (isEncrypted ? 443 : 80)}`, isEncrypted, waitsForConnection };
}

function parseUrl(text: string): ServiceUrl {
  try {
    return ServiceUrl.parse(text);
  } catch (cause) {
    if (!(cause instanceof CompositionError)) throw cause;
    throw new RpcError('invalid-argument', cause.message, { cause });
  }
}

function readQuery(url: ServiceUrl): boolean {
  let waits = false;
  for (const [key, value] of url.query) {
    if (key !== 'wait-connect' || (value !== '0' && value !== '1')) {
      throw bad(url, `it takes wait-connect=1 and nothing else, not '${key}=${value}'`);
    }
    waits = value === '1';
  }
  return waits;
}

function bad(url: ServiceUrl, why: string): RpcError {
  return new RpcError('invalid-argument', `'${url.toString()}' is no address of a gRPC service: ${why}`);
}
