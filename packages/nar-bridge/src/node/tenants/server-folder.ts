/**
 * Everything that a server of caches has, in one folder, which several processes use at the same time:
 *
 *     castore/         blobs and directories of all caches; castore/db also has the leases and the registry of caches
 *     caches/<name>-<id>/   one cache: path infos, pins, which contents they have, uploads that wait for their narinfo
 *     narinfos/        what upstreams said lately
 *     downloads/       files of downloads that are under way, without names
 *     token-key        32 bytes in hexadecimal, by which tokens are signed
 *
 * It holds secret keys, so nobody else may look into it. A cache that was removed leaves its folder to the next collection.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobService, DirectoryService } from '@neve/castore';
import { type BlobFiles, lmdbDirectories, openLocalBlobs } from '@neve/castore/node';
import type { PathInfoInventory, PathInfoService, Pins } from '@neve/store';
import { Leases, lmdbPathInfos, lmdbPins } from '@neve/store/node';
import { NarBridgeError } from '../../nar-bridge-error.ts';
import type { CacheDocuments } from '../../cache-documents.ts';
import type { UploadedNars } from '../../uploaded-nars.ts';
import { TokenKey, tokenKeyLength } from '../../tenants/access-token.ts';
import type { CacheRecord } from '../../tenants/cache-record.ts';
import type { CacheRegistry } from '../../tenants/cache-registry.ts';
import { lmdbCacheDocuments } from '../lmdb-cache-documents.ts';
import { lmdbUploadedNars } from '../lmdb-uploaded-nars.ts';
import { openCacheRegistry } from './lmdb-cache-registry.ts';
import { LmdbContentTable } from './lmdb-content-table.ts';

export type Castore = { readonly blobs: BlobService & BlobFiles; readonly directories: DirectoryService };

/** The storage of one cache. */
export type CacheStorage = AsyncDisposable & {
  /** The folder of it. */
  readonly path: string;
  readonly pathInfos: PathInfoService & { readonly inventory: PathInfoInventory };
  readonly pins: Pins;
  readonly contents: LmdbContentTable;
  readonly uploadedNars: UploadedNars;
  readonly documents: CacheDocuments;
  /** Whoever has removed a path says so, for those who have it in memory (`ServerFolder.watchRemovals`). */
  readonly tellRemoved: (hashPart: string) => void;
};

type RemovalListener = (hashPart: string) => void;

type Parts = {
  readonly registry: CacheRegistry & AsyncDisposable;
  readonly blobs: BlobService & BlobFiles;
  readonly directories: DirectoryService & AsyncDisposable;
  readonly leases: Leases;
};

export class ServerFolder implements AsyncDisposable {
  readonly path: string;
  readonly tokenKey: TokenKey;
  readonly registry: CacheRegistry;
  readonly castore: Castore;
  readonly leases: Leases;
  readonly #parts: Parts;
  readonly #removalListeners = new Set<RemovalListener>();

  private constructor(path: string, tokenKey: TokenKey, parts: Parts) {
    this.path = path;
    this.tokenKey = tokenKey;
    this.registry = parts.registry;
    this.castore = { blobs: parts.blobs, directories: parts.directories };
    this.leases = parts.leases;
    this.#parts = parts;
  }

  /** Makes the folder when it is missing, if that is wanted. Throws `NarBridgeError` and `CastoreError`. */
  static async open(path: string, { create }: { readonly create: boolean }): Promise<ServerFolder> {
    const tokenKey = await readTokenKey(path, create);
    const castore = join(path, 'castore');
    const database = join(castore, 'db');
    const blobs = await openLocalBlobs({ path: castore, databasePath: database });
    const [directories, registry, leases] = await Promise.all([
      lmdbDirectories(database),
      openCacheRegistry(database),
      Leases.open(database),
    ]);
    return new ServerFolder(path, tokenKey, { blobs, directories, registry, leases });
  }

  get downloadsFolder(): string {
    return join(this.path, 'downloads');
  }

  get narInfoFolder(): string {
    return join(this.path, 'narinfos');
  }

  /** Hears of every path that this process removes from a cache, whatever the reason, until it is disposed of. */
  watchRemovals(listener: RemovalListener): Disposable {
    this.#removalListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#removalListeners.delete(listener) };
  }

  /** Throws `CastoreError` (`io`). */
  async openCache(record: CacheRecord): Promise<CacheStorage> {
    const path = join(this.path, 'caches', folderOf(record));
    const [pathInfos, pins, contents, uploadedNars, documents] = await Promise.all([
      lmdbPathInfos(path),
      lmdbPins(path),
      LmdbContentTable.open(path),
      lmdbUploadedNars(path),
      lmdbCacheDocuments(path),
    ]);
    return {
      path,
      pathInfos,
      pins,
      contents,
      uploadedNars,
      documents,
      tellRemoved: (hashPart) => {
        for (const listener of this.#removalListeners) listener(hashPart);
      },
      async [Symbol.asyncDispose]() {
        for (const part of [documents, uploadedNars, contents, pins, pathInfos])
          await part[Symbol.asyncDispose]();
      },
    };
  }

  /** Removes what is left of caches that are not in the registry any more. */
  async removeLeftovers(): Promise<void> {
    const folder = join(this.path, 'caches');
    const found = await readdir(folder).catch(() => []);
    // Read after the folders: one that is made meanwhile is not among them.
    const known = new Set((await this.registry.list()).map(folderOf));
    for (const name of found) {
      if (!known.has(name)) await rm(join(folder, name), { recursive: true, force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { registry, leases, directories, blobs } = this.#parts;
    for (const part of [leases, registry, directories, blobs]) await part[Symbol.asyncDispose]();
  }
}

function folderOf({ name, id }: CacheRecord): string {
  return `${name}-${id}`;
}

async function readTokenKey(folder: string, create: boolean): Promise<TokenKey> {
  const file = join(folder, 'token-key');
  try {
    const text = create ? await readOrMake(folder, file) : await readFile(file, 'utf8');
    if (!new RegExp(`^[0-9a-f]{${2 * tokenKeyLength}}\\n$`).test(text)) throw new Error('it is damaged');
    return await TokenKey.import(new Uint8Array(Buffer.from(text.trim(), 'hex')));
  } catch (cause) {
    const isMissing = !create && cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = isMissing
      ? `there is no server of caches in '${folder}'; make one by 'neve cache create'`
      : `the key for tokens '${file}' cannot be used: ${reason}`;
    throw new NarBridgeError(isMissing ? 'not-found' : 'corrupt', message, { cause });
  }
}

/** Of several processes that make the first one, all take the same. */
async function readOrMake(folder: string, file: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (known !== undefined) return known;
  const temporary = `${file}.${randomBytes(8).toString('hex')}`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(tokenKeyLength).toString('hex')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(temporary);
  return readFile(file, 'utf8');
}
