export { serveCache } from './cache-server.ts';
export type { CacheServer, CacheServerOptions, TlsOptions } from './cache-server.ts';
export { parseListenAddress } from './listen-address.ts';
export type { Activation, ListenAddress } from './listen-address.ts';
export { nodeContentEncoders } from './content-encoders.ts';
