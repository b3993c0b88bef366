/**
 * The NAR of a path as a file to upload, compressed, with its hash and its size. Its name has the hash, so that it is known
 * before the upload begins: a short file is in memory, a long one in the system's folder for temporary files, without a name.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, concatBytes } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { compress } from '@neve/castore/node';
import { type Compression, compressionExtensions } from '@neve/nix-compat';
import { type PathInfo, type StoreServices, renderNar } from '@neve/store';

/** What a cache can be pushed. */
export const pushCompressions = ['zstd', 'xz', 'none'] as const satisfies readonly Compression[];

export type PushCompression = (typeof pushCompressions)[number];

export type NarFile = AsyncDisposable & {
  /** Relative to the cache. */
  readonly url: string;
  readonly compression: PushCompression;
  readonly fileHash: Digest;
  readonly size: number;
  /** May be called again. */
  readonly open: () => AsyncIterable<Uint8Array>;
};

const maxBytesInMemory = 16 << 20;
const pieceBytes = 1 << 20;

type NarFileOptions = { readonly store: StoreServices; readonly compression: PushCompression };

/** Throws `StoreError` and `CastoreError`. */
export async function makeNarFile(
  { node, narHash, narSize }: PathInfo,
  { store, compression }: NarFileOptions,
  signal: AbortSignal,
): Promise<NarFile> {
  const nar = (): AsyncIterable<Uint8Array> => renderNar(node, store, signal);
  if (compression === 'none') {
    return {
      ...named(compression, narHash),
      size: narSize,
      open: nar,
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const hasher = nodeHashes.create('sha256');
  const content = new Content();
  try {
    for await (const piece of compress(nar(), compression)) {
      hasher.update(piece);
      await content.append(piece);
    }
  } catch (error) {
    await content[Symbol.asyncDispose]();
    throw error;
  }
  return {
    ...named(compression, hasher.digest()),
    size: content.size,
    open: () => content.read(),
    [Symbol.asyncDispose]: () => content[Symbol.asyncDispose](),
  };
}

function named(
  compression: PushCompression,
  fileHash: Digest,
): Pick<NarFile, 'url' | 'compression' | 'fileHash'> {
  const url = `nar/${fileHash.format('nix32')}.nar${compressionExtensions[compression]}`;
  return { url, compression, fileHash };
}

class Content implements AsyncDisposable {
  size = 0;
  #pieces: Uint8Array[] = [];
  #file: FileHandle | undefined;

  async append(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece.slice());
    this.size += piece.length;
    if (this.#file === undefined && this.size <= maxBytesInMemory) return;
    this.#file ??= await openUnnamed();
    for (const it of this.#pieces.splice(0)) await this.#file.appendFile(it);
  }

  async *read(): AsyncGenerator<Uint8Array, void, void> {
    if (this.#file === undefined) {
      yield concatBytes(this.#pieces);
      return;
    }
    for (let position = 0; position < this.size;) {
      const { bytesRead, buffer } = await this.#file.read(
        new Uint8Array(pieceBytes),
        0,
        pieceBytes,
        position,
      );
      if (bytesRead === 0) throw new Error('a temporary file became shorter');
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pieces = [];
    await this.#file?.close();
  }
}

async function openUnnamed(): Promise<FileHandle> {
  const path = join(tmpdir(), `neve-push-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}
