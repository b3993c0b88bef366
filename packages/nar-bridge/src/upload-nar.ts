/**
 * `PUT nar/<nixbase32 SHA-256 of the file>.nar[.ext]`: a NAR goes through decompression and into castore in one pass, while its
 * file is hashed. Its root is stored only when the file has the hash of its name; then it waits for a narinfo, which makes it
 * visible.
 */
import type { Digest, HashFunctions } from '@neve/bytes';
import { type CompressionFormat, WeightedSemaphore, detectCompression } from '@neve/castore';
import { NixCompatError } from '@neve/nix-compat';
import { StoreError, compressionFormats, compressionOfFormat, ingestNar, renderNar } from '@neve/store';
import type { StoreServices } from '@neve/store';
import type { CacheEvent } from './cache-event.ts';
import type { RouteAnswer } from './cache-route.ts';
import type { CacheRequest, CacheResponse } from './http-exchange.ts';
import { HashedFile } from './hashed-file.ts';
import {
  type Compress,
  type Decompress,
  compressionNames,
  compressionOfExtension,
} from './nar-compressions.ts';
import {
  type UploadedFile,
  hasExtension,
  hasRoot,
  narType,
  parseNarFileName,
  sha256OfNix32,
} from './nar-routes.ts';
import { bodyProblem } from './request-body.ts';
import { textResponse } from './text-response.ts';
import type { UploadedNar, UploadedNars } from './uploaded-nars.ts';

export type NarUploadOptions = {
  readonly store: StoreServices;
  readonly hashes: HashFunctions;
  readonly uploaded: UploadedNars;
  readonly decompress: Decompress;
  readonly compress: Compress;
  readonly onEvent: (event: CacheEvent) => void;
  /** Of a file as it is sent, in bytes; 64 GiB unless given. */
  readonly maxFileBytes?: number | undefined;
  /** Of what it expands to, in bytes; 256 GiB unless given. */
  readonly maxNarBytes?: number | undefined;
  /** How many files are taken at the same time; 16 unless given. */
  readonly maxConcurrent?: number | undefined;
  /** How many more may wait for that; 256 unless given. */
  readonly maxWaiting?: number | undefined;
  /** How long a NAR waits for its narinfo; a day unless given. */
  readonly waitMs?: number | undefined;
  readonly now?: (() => number) | undefined;
};

const day = 24 * 3600 * 1000;

/** Clients remember for so long what a narinfo said, also the one that they have put. */
const rememberedMs = 31 * day;

export class NarUploads {
  readonly #options: NarUploadOptions;
  readonly #permits: WeightedSemaphore;
  readonly #limits: { readonly maxFileBytes: number; readonly maxNarBytes: number };
  readonly #maxPending: number;
  readonly #now: () => number;
  #pending = 0;

  constructor(options: NarUploadOptions) {
    const { maxConcurrent = 16, maxWaiting = 256, maxFileBytes = 2 ** 36, maxNarBytes = 2 ** 38 } = options;
    this.#options = options;
    this.#permits = new WeightedSemaphore(maxConcurrent);
    this.#limits = { maxFileBytes, maxNarBytes };
    this.#maxPending = maxConcurrent + maxWaiting;
    this.#now = options.now ?? Date.now;
  }

  /** Answers the PUT. */
  readonly put: RouteAnswer = async (request, path) => {
    const response = await this.#admit(request, path.at(-1) ?? '');
    const { status } = response;
    if (status >= 400) this.#options.onEvent({ kind: 'upload-refused', path: request.path, status });
    return response;
  };

  /** What was put under this name and is still here. */
  async find(name: string, signal: AbortSignal): Promise<UploadedNar | undefined> {
    const file = parseNarFileName(name);
    const fileHash = file === undefined ? undefined : sha256OfNix32(file.hash);
    const upload = fileHash === undefined ? undefined : await this.#options.uploaded.find(fileHash);
    if (upload === undefined || file === undefined || !hasExtension(upload.compression, file.extension)) {
      return undefined;
    }
    return (await hasRoot(upload.node, this.#options.store, signal)) ? upload : undefined;
  }

  /** Keeps the name for those who remember it from the narinfo that was put. */
  async keep(upload: UploadedNar): Promise<void> {
    await this.#options.uploaded.put(upload, this.#now() + rememberedMs);
  }

  /**
   * Whoever has put a file may ask for it by its old name: the narinfo that Nix has put is in its own cache. The file is not
   * kept, so it is made again, as quickly as its compression can be made.
   */
  readonly serve: UploadedFile = async ({ hash, extension }, request) => {
    const upload = await this.find(`${hash}.nar${extension}`, request.signal);
    if (upload === undefined) return undefined;
    const format = compressionFormats[upload.compression];
    const nar = renderNar(upload.node, this.#options.store, request.signal);
    return {
      status: 200,
      headers: {
        'content-type': narType,
        'cache-control': 'no-cache',
        ...(format === 'none' && { 'content-length': String(upload.narSize) }),
      },
      body: this.#options.compress(nar, format, quickestLevel[format]),
    };
  };

  async #admit(request: CacheRequest, name: string): Promise<CacheResponse> {
    const file = parseNarFileName(name);
    const fileHash = file === undefined ? undefined : sha256OfNix32(file.hash);
    if (file === undefined || fileHash === undefined) {
      return textResponse(400, 'a NAR is put as nar/<SHA-256 of the file in nixbase32>.nar[.xz|.zst|…]');
    }
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity')
      return textResponse(415, 'a NAR has no Content-Encoding: its name says how it is compressed');
    const format = formatOfExtension(file.extension);
    if (format === undefined) {
      const known = compressionNames.join(', ');
      return textResponse(
        415,
        `NARs in files '${file.extension}' cannot be read here; compress with ${known}`,
      );
    }
    if (Number(request.headers['content-length'] ?? 0) > this.#limits.maxFileBytes) return this.#tooLarge();
    if (this.#pending >= this.#maxPending) {
      return textResponse(503, 'too many uploads are under way; try again', { 'retry-after': '5' });
    }
    this.#pending++;
    const release = await this.#permits.acquire();
    try {
      request.signal.throwIfAborted();
      return await this.#receive(request, { fileHash, format });
    } catch (error) {
      return request.signal.aborted ? textResponse(400, 'the client went away') : this.#refusal(error);
    } finally {
      release();
      this.#pending--;
    }
  }

  async #receive({ body, signal }: CacheRequest, { fileHash, format }: Announced): Promise<CacheResponse> {
    const { store, hashes, decompress, uploaded, onEvent, waitMs = day } = this.#options;
    const { maxFileBytes, maxNarBytes } = this.#limits;
    const file = new HashedFile(body, { hashes, expected: fileHash, maxBytes: maxFileBytes });
    const checked = async function* (): AsyncGenerator<Uint8Array, void, void> {
      yield* decompress(file, format, { maxBytes: maxNarBytes });
      // The root is stored only if this does not throw.
      file.finish();
    };
    const { node, narHash, narSize } = await ingestNar(checked(), { ...store, hashes }, signal);
    const compression = compressionOfFormat(format === 'auto' ? detectCompression(file.head) : format);
    const upload = { fileHash, fileSize: file.size, compression, narHash, narSize, node };
    await uploaded.put(upload, this.#now() + waitMs);
    onEvent({ kind: 'nar-uploaded', narSize, fileSize: file.size });
    return { status: 201, headers: { 'content-length': '0' } };
  }

  #refusal(error: unknown): CacheResponse {
    if (error instanceof NixCompatError) return textResponse(400, error.message);
    if (error instanceof StoreError && error.code === 'corrupt') return textResponse(400, error.message);
    return bodyProblem(error, this.#limits.maxNarBytes);
  }

  #tooLarge(): CacheResponse {
    return textResponse(
      413,
      `the file has more than the ${this.#limits.maxFileBytes} bytes that are allowed`,
    );
  }
}

type Announced = { readonly fileHash: Digest; readonly format: CompressionFormat | 'auto' };

/** Nix gives files of some compressions no extension, so those are told by their first bytes. */
function formatOfExtension(extension: string): CompressionFormat | 'auto' | undefined {
  if (extension === '') return 'auto';
  const compression = compressionOfExtension(extension);
  return compression === undefined ? undefined : compressionFormats[compression];
}

const quickestLevel: Readonly<Record<CompressionFormat, number | undefined>> = {
  none: undefined,
  brotli: 1,
  bzip2: 1,
  compress: undefined,
  grzip: undefined,
  gzip: 1,
  lrzip: 1,
  lz4: undefined,
  lzip: 0,
  lzma: 0,
  lzop: undefined,
  xz: 0,
  zstd: 1,
};
