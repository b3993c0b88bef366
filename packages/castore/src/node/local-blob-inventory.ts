/** What their owner can do about all local blobs: list, remove and check them, and clean up after those who were killed. */
import { existsSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { readFile, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes } from '@neve/bytes';
import { B3Digest, b3DigestLength } from '../b3-digest.ts';
import type { BlobInventory, DamagedObject, RemovalCondition, StoredBlob } from '../blob-service.ts';
import { Blake3TreeHasher } from '../blake3.ts';
import { loadBlake3 } from './blake3.ts';
import { FileReader } from './file-reader.ts';
import type { LastUse } from './last-use.ts';
import type { LmdbEnvironment } from './lmdb-environment.ts';
import { type LocalBlobFiles, blobFileKinds, isAbandoned } from './local-blob-files.ts';
import type { LocalBlobRecord, LocalBlobTable } from './local-blob-table.ts';

/** What local blobs are made of. */
export type LocalBlobParts = {
  readonly files: LocalBlobFiles;
  readonly environment: LmdbEnvironment;
  readonly inlineLimit: number;
  readonly blockingReads: boolean;
};

export class LocalBlobInventory implements Required<BlobInventory> {
  readonly #parts: LocalBlobParts;
  readonly #table: LocalBlobTable;

  readonly #lastUse: LastUse;

  constructor(
    parts: LocalBlobParts,
    { table, lastUse }: { readonly table: LocalBlobTable; readonly lastUse: LastUse },
  ) {
    this.#parts = parts;
    this.#table = table;
    this.#lastUse = lastUse;
  }

  announceCollection(startedMs: number): Promise<void> {
    return this.#lastUse.announceCollection(startedMs);
  }

  // oxlint-disable-next-line typescript/require-await -- the interface is asynchronous
  async *list(): AsyncIterable<StoredBlob> {
    for (const { key, record } of this.#table.entries()) {
      if (record.state === 'dying') continue;
      yield { digest: digestOf(key), sizeBytes: record.size, lastUsedMs: record.lastUsedMs };
    }
  }

  async remove(
    digests: Iterable<B3Digest>,
    { unusedSinceMs }: RemovalCondition,
    signal?: AbortSignal,
  ): Promise<number> {
    let freed = 0;
    for (const batch of batches(digests, 256)) {
      signal?.throwIfAborted();
      const removed = await this.#parts.environment.write(() => this.#removeBatch(batch, unusedSinceMs));
      await this.#bury(removed.dying);
      freed += removed.freed;
    }
    return freed;
  }

  #removeBatch(
    batch: readonly B3Digest[],
    unusedSinceMs: number,
  ): { readonly dying: readonly B3Digest[]; readonly freed: number } {
    const dying: B3Digest[] = [];
    let freed = 0;
    for (const digest of batch) {
      const record = this.#table.get(digest);
      if (record === undefined || record.lastUsedMs >= unusedSinceMs) continue;
      if (record.state === 'inline') this.#table.delete(digest);
      else {
        this.#table.set(digest, { ...record, state: 'dying' });
        dying.push(digest);
      }
      if (record.state !== 'dying') freed += record.size;
    }
    return { dying, freed };
  }

  /** The second half of a removal: first nobody finds the blob any more, then its file goes. */
  async #bury(dying: readonly B3Digest[]): Promise<void> {
    if (dying.length === 0) return;
    await this.#parts.environment.write(() => {
      for (const digest of dying) {
        if (this.#table.get(digest)?.state !== 'dying') continue;
        for (const kind of blobFileKinds) rmSync(this.#parts.files.path(digest, kind), { force: true });
        this.#table.delete(digest);
      }
    });
  }

  async *verify(signal?: AbortSignal): AsyncIterable<DamagedObject> {
    for (const { key, record } of this.#table.entries()) {
      if (record.state !== 'dying') yield* this.verifyBlob(digestOf(key), signal);
    }
  }

  async *verifyBlob(digest: B3Digest, signal?: AbortSignal): AsyncIterable<DamagedObject> {
    signal?.throwIfAborted();
    const record = this.#table.get(digest);
    if (record === undefined || record.state === 'dying') return;
    const problem = await this.#problemOf(digest, record);
    if (problem !== undefined) yield { digest, what: 'blob', problem };
  }

  async #problemOf(digest: B3Digest, record: LocalBlobRecord): Promise<string | undefined> {
    const { files } = this.#parts;
    if (record.state === 'inline') {
      const contents = this.#table.contents(digest);
      // It may have been removed since it was listed.
      if (contents === undefined)
        return this.#table.get(digest) === undefined ? undefined : 'its contents are missing';
      const found = (await loadBlake3()).hashBytes(contents);
      return digest.equals(new B3Digest(found)) ? undefined : 'its contents have another digest';
    }
    try {
      const outboardPath = files.path(digest, '.bao');
      const outboard = existsSync(outboardPath) ? await readFile(outboardPath) : undefined;
      const found = await hashFile(files.path(digest), {
        size: record.size,
        withOutboard: outboard !== undefined,
      });
      if (!digest.equals(found.digest)) return 'its contents have another digest';
      if (outboard !== undefined && !equalBytes(outboard, found.outboard)) return 'its outboard is damaged';
      if (!existsSync(files.path(digest, '.x'))) return undefined;
      const copy = await hashFile(files.path(digest, '.x'), {
        size: record.size,
        withOutboard: false,
      });
      return digest.equals(copy.digest) ? undefined : 'its executable copy has another digest';
    } catch (cause) {
      // It may have been removed since it was listed.
      if (this.#table.get(digest)?.state !== 'file') return undefined;
      return cause instanceof Error ? cause.message : String(cause);
    }
  }

  async removeLeftovers(signal?: AbortSignal): Promise<number> {
    let freed = 0;
    const { files } = this.#parts;
    for (const name of await readdir(files.tmp)) {
      if (isAbandoned(name)) freed += await removeFile(join(files.tmp, name));
    }
    const dying: B3Digest[] = [];
    for (const { key, record } of this.#table.entries()) {
      if (record.state === 'dying') dying.push(digestOf(key));
    }
    await this.#bury(dying);
    for (const folder of await readdir(files.blobs)) {
      signal?.throwIfAborted();
      freed += await this.#removeOrphans(folder);
    }
    return freed;
  }

  /** Files of one folder that no record names. */
  async #removeOrphans(folder: string): Promise<number> {
    const { environment, files } = this.#parts;
    const names = await readdir(join(files.blobs, folder));
    const orphans = names.filter((name) => this.#isOrphan(folder, name));
    if (orphans.length === 0) return 0;
    return await environment.write(() => {
      let freed = 0;
      for (const name of orphans.filter((orphan) => this.#isOrphan(folder, orphan))) {
        const path = join(files.blobs, folder, name);
        freed += statSync(path).size;
        unlinkSync(path);
      }
      return freed;
    });
  }

  #isOrphan(folder: string, name: string): boolean {
    const hex = folder + (name.split('.')[0] ?? '');
    return /^[0-9a-f]{64}$/.test(hex) && this.#table.get(digestOf(Buffer.from(hex, 'hex'))) === undefined;
  }
}

type FileHash = { readonly digest: B3Digest; readonly outboard: Uint8Array };

async function hashFile(
  path: string,
  { size, withOutboard }: { readonly size: number; readonly withOutboard: boolean },
): Promise<FileHash> {
  await using reader = await FileReader.open(path, size);
  const hasher = withOutboard ? new Blake3TreeHasher() : (await loadBlake3()).createHasher();
  for await (const piece of reader.stream()) hasher.update(piece);
  if ('digest' in hasher) return { digest: new B3Digest(hasher.digest()), outboard: new Uint8Array() };
  const { digest, outboard } = hasher.finish();
  return { digest: new B3Digest(digest), outboard };
}

function digestOf(key: Uint8Array): B3Digest {
  return new B3Digest(new Uint8Array(key.subarray(0, b3DigestLength)));
}

function* batches<T>(items: Iterable<T>, size: number): Iterable<readonly T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function removeFile(path: string): Promise<number> {
  try {
    const { size } = await stat(path);
    await unlink(path);
    return size;
  } catch {
    return 0;
  }
}
