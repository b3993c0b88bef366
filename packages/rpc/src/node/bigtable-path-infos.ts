/**
 * Path infos in Bigtable, each in a row of its own (`bigtable-table.ts`): its key is the hash part, 20 bytes, in hex, and
 * its value the message `PathInfo`.
 */
import { encodeHex, equalBytes } from '@neve/bytes';
import { StoreError, decodePathInfo, encodePathInfo, hashPartBytes, mergeSignatures } from '@neve/store';
import type { PathInfo, PathInfoService } from '@neve/store';
import { storeErrorOf } from '../status.ts';
import { BigtableTable, type BigtableOptions } from './bigtable-table.ts';

/** How often somebody else may change a path info while it is being changed here. */
const maxAttempts = 10;

export class BigtablePathInfos implements PathInfoService {
  readonly #table: BigtableTable;

  /** Disposing of the service closes the table. */
  constructor(table: BigtableTable) {
    this.#table = table;
  }

  static async open(options: BigtableOptions): Promise<BigtablePathInfos> {
    return new BigtablePathInfos(await BigtableTable.open(options));
  }

  async get(hashPart: string, signal?: AbortSignal): Promise<PathInfo | undefined> {
    const key = hashPartBytes(hashPart);
    try {
      const bytes = await this.#table.get(key, signal);
      return bytes === undefined ? undefined : decodeExpected(bytes, encodeHex(key));
    } catch (error) {
      throw storeErrorOf(error, `reading the path info of ${hashPart} from Bigtable`);
    }
  }

  async has(hashPart: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.get(hashPart, signal)) !== undefined;
  }

  async put(pathInfo: PathInfo, signal?: AbortSignal): Promise<PathInfo> {
    try {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
        const stored = await this.#tryPut(pathInfo, signal);
        if (stored !== undefined) return stored;
      }
    } catch (error) {
      throw storeErrorOf(error, `storing the path info of ${pathInfo.storePath.baseName} in Bigtable`);
    }
    throw new StoreError('io', `others keep changing the path info of ${pathInfo.storePath.baseName}`);
  }

  async *list(signal?: AbortSignal): AsyncGenerator<PathInfo> {
    try {
      for await (const [key, bytes] of this.#table.list(signal)) yield decodeExpected(bytes, key);
    } catch (error) {
      throw storeErrorOf(error, 'listing the path infos in Bigtable');
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#table[Symbol.asyncDispose]();
  }

  /** `undefined` when somebody else was there in between. */
  async #tryPut(pathInfo: PathInfo, signal: AbortSignal | undefined): Promise<PathInfo | undefined> {
    const key = hashPartBytes(pathInfo.storePath.hashPart);
    const earlier = await this.#table.get(key, signal);
    if (earlier === undefined) {
      return (await this.#table.insert(key, encodePathInfo(pathInfo), signal)) ? pathInfo : undefined;
    }
    const merged = mergeSignatures(decodeExpected(earlier, encodeHex(key)), pathInfo);
    const value = encodePathInfo(merged);
    if (equalBytes(value, earlier)) return merged;
    return (await this.#table.replace(key, { expected: earlier, value }, signal)) ? merged : undefined;
  }
}

function decodeExpected(bytes: Uint8Array, key: string): PathInfo {
  const pathInfo = decodePathInfo(bytes);
  if (encodeHex(hashPartBytes(pathInfo.storePath.hashPart)) === key) return pathInfo;
  throw new StoreError('corrupt', `the row ${key} of Bigtable is about ${pathInfo.storePath.baseName}`);
}
