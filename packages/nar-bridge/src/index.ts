export type {
  CacheRequest,
  CacheResponse,
  FileBody,
  PiecesBody,
  RequestHandler,
  ResponseBody,
} from './http-exchange.ts';
export { binaryCache } from './binary-cache.ts';
export type { BinaryCacheOptions, UploadOptions } from './binary-cache.ts';
export { memoryUploadedNars } from './uploaded-nars.ts';
export type { UploadedNar, UploadedNars } from './uploaded-nars.ts';
export { memoryCacheDocuments } from './cache-documents.ts';
export type { CacheDocuments } from './cache-documents.ts';
export type { CacheLogs } from './log-route.ts';
export type { KnownTraces } from './build-traces.ts';
export type { CacheEvent } from './cache-event.ts';
export type { Compress, Decompress } from './nar-compressions.ts';
export type { CompressedNar, CompressedNars } from './compressed-nars.ts';
export { NarInfoIndex } from './narinfo-index.ts';
export type { NarInfoIndexOptions } from './narinfo-index.ts';
export type { ContentCoding, ContentEncoders } from './encoded-text.ts';
export { narInfoOf } from './narinfo-routes.ts';
export { RecentMap } from './recent-map.ts';
export type { RecentMapOptions } from './recent-map.ts';
export { chosenRange, hasCurrent, notModified, rangedResponse } from './conditional.ts';
export { isRefusal, parseRequestPath } from './request-path.ts';
export type { RequestPath } from './request-path.ts';
export { bytesResponse, methodNotAllowed, notFound, textResponse } from './text-response.ts';
export { NarBridgeError } from './nar-bridge-error.ts';
export type { NarBridgeErrorCode } from './nar-bridge-error.ts';
export type { ConnectionProblem, RequestEnded, ServerEvent } from './server-event.ts';
export { ServerMetrics, routeOf } from './server-metrics.ts';
export { withServerPages } from './server-pages.ts';
export type { ServerPagesOptions } from './server-pages.ts';
export { checkCacheName, isCacheName } from './tenants/cache-name.ts';
export { grants, newTokenClaims, readTokenClaims, scopes } from './tenants/access-token.ts';
export type { NewToken, Scope, TokenCheck, TokenClaims } from './tenants/access-token.ts';
export type { Caller } from './tenants/authorisation.ts';
export { parseCacheSettings } from './tenants/cache-record.ts';
export type { CacheRecord, CacheSettings, UpstreamSettings } from './tenants/cache-record.ts';
export type { CacheRegistry, RevokedToken } from './tenants/cache-registry.ts';
export type {
  CacheAdministration,
  CacheDescription,
  CacheUsage,
  CollectionReport,
  CollectionRequest,
} from './tenants/cache-administration.ts';
export { planRetention } from './tenants/retention.ts';
export type { CachedPath, RetentionPlan, RetentionPolicy } from './tenants/retention.ts';
export type { PullEvent } from './upstream/pull-through.ts';
export type { UpstreamEvent } from './upstream/upstream-caches.ts';
export { measuredHandler } from './measured-handler.ts';
