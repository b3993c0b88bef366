export { HttpClient } from './http-client.ts';
export type {
  HttpClientOptions,
  HttpRequest,
  HttpResponse,
  HttpSettings,
  HttpUpload,
  UploadResponse,
  UploadStream,
} from './http-client.ts';
export type { ByteRange } from './resumed-body.ts';
export type { TlsSettings } from './dispatchers.ts';
export type { RetryEvent } from './retries.ts';
