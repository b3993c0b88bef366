/**
 * Which paths of a cache have which contents (`visible-path-infos.ts`), in the LMDB environment of its path infos.
 *
 *     table 'contents'   key, NUL, hash part → one zero byte
 *
 * A row goes only in a transaction that sees that its path info is not there (table `path-infos` of `lmdb-path-infos.ts`).
 */
import { LmdbEnvironment, type LmdbTable } from '@neve/castore/node';
import { hashPartBytes } from '@neve/store';
import type { ContentTable } from '../../tenants/visible-path-infos.ts';

const present = Buffer.alloc(1);

export class LmdbContentTable implements ContentTable, AsyncDisposable {
  readonly #environment: LmdbEnvironment;
  readonly #contents: LmdbTable;
  readonly #pathInfos: LmdbTable;

  private constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#contents = environment.table('contents');
    this.#pathInfos = environment.table('path-infos');
  }

  /** Opens the environment in the folder `path`, which has the path infos. Throws `CastoreError` (`io`). */
  static async open(path: string): Promise<LmdbContentTable> {
    return new LmdbContentTable(await LmdbEnvironment.open(path));
  }

  async add(keys: readonly string[], hashPart: string): Promise<void> {
    await this.#environment.write(() => {
      for (const key of keys) this.#contents.put(rowOf(key, hashPart), present);
    });
  }

  find(key: string): readonly string[] {
    const start = rowOf(key, '');
    const end = Buffer.concat([start, Buffer.of(0xff)]);
    return this.#contents.keys({ start, end }).map((row) => row.toString('utf8', start.length));
  }

  /** Removes the rows of a path info that was removed, unless it came back. */
  async forget(keys: readonly string[], hashPart: string): Promise<void> {
    await this.#environment.write(() => {
      if (this.#pathInfos.has(hashPartBytes(hashPart))) return;
      for (const key of keys) this.#contents.remove(rowOf(key, hashPart));
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }
}

function rowOf(key: string, hashPart: string): Buffer {
  return Buffer.from(`${key}\0${hashPart}`);
}
