/**
 * Object stores by URL. The cloud's are done by OpenDAL, which is loaded when one is opened; folders, memory and HTTP are
 * our own.
 *
 *     file:///folder             a folder
 *     memory:///                 memory of this process
 *     s3://bucket/prefix         Amazon S3 and compatible (also s3a:)
 *     gs://bucket/prefix         Google Cloud Storage (also gcs:)
 *     az://container/prefix      Azure Blob Storage (also azure:, azblob:)
 *     http(s)://host/prefix      files of a web server, for reading only
 *
 * Each may have `objectstore+` before it, as in the URL of a service. The query has options (`object-store-options.ts`).
 */
import { fileURLToPath } from 'node:url';
import { redactUrl } from '@neve/diagnostics';
import type { HttpSettings } from '@neve/http/node';
import type * as Opendal from 'opendal';
import { abortable } from '../abortable.ts';
import { CastoreError } from '../castore-error.ts';
import {
  checkObjectKey,
  memoryObjectStore,
  type ListedObject,
  type ObjectInfo,
  type ObjectRange,
  type ObjectStore,
} from '../object-store.ts';
import { directoryObjectStore } from './directory-object-store.ts';
import { httpObjectStore } from './http-object-store.ts';
import { cloudOptions, type CloudService } from './object-store-options.ts';

export type OpenObjectStoreOptions = {
  /** Stronger than the query of the URL. */
  readonly options?: Readonly<Record<string, string>>;
  /** Environment variables to take options from; none by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Requests at the same time; 16 by default. */
  readonly concurrency?: number;
  /** Of one try of one request; 60,000 by default. */
  readonly timeoutMs?: number;
  /** Tries after the first one; 4 by default. */
  readonly retries?: number;
  /** How web servers are asked; not for the clouds. */
  readonly http?: HttpSettings;
};

const services: Readonly<Record<string, CloudService>> = {
  s3: 's3',
  s3a: 's3',
  gs: 'gcs',
  gcs: 'gcs',
  az: 'azblob',
  azure: 'azblob',
  azblob: 'azblob',
};

/** Throws `CastoreError`: `unsupported` for a URL or option that is none of those above. Nothing is asked for yet. */
export async function openObjectStore(
  url: string,
  settings: OpenObjectStoreOptions = {},
): Promise<ObjectStore> {
  const parsed = parseUrl(url);
  const scheme = parsed.protocol.slice(0, -1);
  const service = services[scheme];
  if (service !== undefined) return openCloud(service, parsed, settings);
  const [option] = [...parsed.searchParams.keys(), ...Object.keys(settings.options ?? {})];
  if (option !== undefined) {
    throw new CastoreError('unsupported', `an object store of type '${scheme}' has no option '${option}'`);
  }
  if (scheme === 'http' || scheme === 'https') return httpObjectStore(parsed.href, settings);
  if (scheme === 'memory') return memoryObjectStore();
  if (scheme === 'file') return directoryObjectStore(fileURLToPath(parsed));
  throw new CastoreError(
    'unsupported',
    `'${scheme}' is not a type of object store; there are file, memory, s3, gs, az, http and https`,
  );
}

function parseUrl(url: string): URL {
  try {
    return new URL(url.replace(/^objectstore\+/, ''));
  } catch (cause) {
    throw new CastoreError('unsupported', `'${redactUrl(url)}' is not the URL of an object store`, {
      cause,
    });
  }
}

async function openCloud(
  service: CloudService,
  url: URL,
  settings: OpenObjectStoreOptions,
): Promise<ObjectStore> {
  const { concurrency = 16, timeoutMs = 60_000, retries = 4, environment = {} } = settings;
  const place = {
    [service === 'azblob' ? 'container' : 'bucket']: decodeURIComponent(url.hostname),
    root: `/${decodeURIComponent(url.pathname).replace(/^\/+/, '')}`,
  };
  const given = [Object.fromEntries(url.searchParams), settings.options ?? {}, place];
  const options = cloudOptions(service, { options: given, environment });
  const { Operator, RetryLayer, TimeoutLayer, ConcurrentLimitLayer } = await loadOpendal();
  const label = `the object store '${url.protocol}//${url.host}${url.pathname}'`;
  try {
    const retry = new RetryLayer();
    retry.jitter = true;
    retry.maxTimes = retries;
    const timeout = new TimeoutLayer();
    timeout.timeout = timeoutMs;
    timeout.ioTimeout = timeoutMs;
    const operator = new Operator(service, options)
      .layer(timeout.build())
      .layer(retry.build())
      .layer(new ConcurrentLimitLayer(concurrency).build());
    return new OpendalObjectStore(operator, label);
  } catch (error) {
    throw failure(`${label} cannot be opened`, error);
  }
}

async function loadOpendal(): Promise<typeof Opendal> {
  try {
    return await import('opendal');
  } catch (cause) {
    throw new CastoreError(
      'unsupported',
      'object stores in the cloud need the library opendal, which does not load on this machine',
      { cause },
    );
  }
}

class OpendalObjectStore implements ObjectStore {
  readonly label: string;
  readonly #operator: Opendal.Operator;

  constructor(operator: Opendal.Operator, label: string) {
    this.#operator = operator;
    this.label = label;
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await this.#run('read', key, { signal, action: () => this.#operator.read(key) });
    } catch (error) {
      return undefinedIfMissing(error);
    }
  }

  async getRange(key: string, range: ObjectRange, signal?: AbortSignal): Promise<Uint8Array> {
    const read = ({ offset, length }: ObjectRange): Promise<Uint8Array> =>
      this.#operator.read(key, { offset: BigInt(offset), size: BigInt(length) });
    try {
      return await this.#run('read', key, { signal, action: () => read(range) });
    } catch (error) {
      if (error instanceof CastoreError && error.code !== 'io') throw error;
      // OpenDAL fails for a range that goes beyond the end of the object, in words that depend on the service.
      const size = (await this.head(key, signal))?.size;
      if (size === undefined || range.offset + range.length <= size) throw error;
      const length = size - range.offset;
      if (length <= 0) return new Uint8Array();
      return this.#run('read', key, { signal, action: () => read({ offset: range.offset, length }) });
    }
  }

  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await this.#run('write', key, { signal, action: () => this.#operator.write(key, buffer) });
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    try {
      return toInfo(await this.#run('look for', key, { signal, action: () => this.#operator.stat(key) }));
    } catch (error) {
      return undefinedIfMissing(error);
    }
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ListedObject, void, void> {
    const step = <T>(action: () => Promise<T>): Promise<T> => this.#run('list', prefix, { signal, action });
    const lister = await step(() => this.#operator.lister(prefix, { recursive: true }));
    for (let entry = await step(() => lister.next()); entry; entry = await step(() => lister.next())) {
      const key = entry.path();
      if (key.endsWith('/')) continue;
      const metadata = entry.metadata();
      // Some services list names only.
      const info = metadata.lastModified === null ? await this.head(key, signal) : toInfo(metadata);
      if (info !== undefined) yield { key, ...info };
    }
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    await this.#run('remove', key, { signal, action: () => this.#operator.delete(key) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The library has no connections that would have to be closed.
  }

  /** OpenDAL cannot be interrupted: after an abort the request goes on, and its result is dropped. */
  async #run<T>(
    verb: string,
    key: string,
    { signal, action }: { readonly signal: AbortSignal | undefined; readonly action: () => Promise<T> },
  ): Promise<T> {
    signal?.throwIfAborted();
    if (verb !== 'list') checkObjectKey(key);
    const running = action();
    try {
      return await abortable(running, signal);
    } catch (error) {
      if (signal?.aborted === true && error === signal.reason) throw error;
      throw failure(`${this.label} cannot ${verb} '${key}'`, error);
    }
  }
}

function toInfo(metadata: Opendal.Metadata): ObjectInfo {
  const time = metadata.lastModified;
  return {
    size: Number(metadata.contentLength ?? 0n),
    lastModifiedMs: time === null ? 0 : Date.parse(time),
  };
}

function undefinedIfMissing(error: unknown): undefined {
  if (error instanceof CastoreError && error.code === 'not-found') return undefined;
  throw error;
}

/** OpenDAL's message says what kind of error it is, and has the URL; its query may hold a signature. */
function failure(what: string, error: unknown): CastoreError {
  const message = error instanceof Error ? error.message : String(error);
  const shown = message.replace(/\?[^\s,"'}]*/g, '?…');
  const code = message.startsWith('NotFound') ? 'not-found' : 'io';
  return new CastoreError(code, `${what}: ${shown}`, { cause: new Error(shown) });
}
