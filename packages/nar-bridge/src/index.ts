export type { CacheRequest, CacheResponse, FileBody, RequestHandler, ResponseBody } from './http-exchange.ts';
