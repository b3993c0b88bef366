/**
 * NARs that were put, in an LMDB environment, which may be that of a cache's other tables.
 *
 *     table 'uploaded-nars'   SHA-256 of the file:32 → expires at, milliseconds since 1970:float64 | size of the file:float64 |
 *                             size of the NAR:float64 | SHA-256 of the NAR:32 | length of a name:8 | compression | `Entry`
 *
 * Numbers are big-endian. What has expired is removed when the table is opened, and then once an hour by whoever writes.
 */
import { Digest, decodeUtf8 } from '@neve/bytes';
import { CastoreError, decodeEntry, encodeEntry } from '@neve/castore';
import { LmdbEnvironment, type LmdbTable } from '@neve/castore/node';
import { isCompression } from '@neve/nix-compat';
import type { UploadedNar, UploadedNars, WaitingNar } from '../uploaded-nars.ts';

const purgeIntervalMs = 3600 * 1000;
const numbersLength = 24;
const hashLength = 32;
const nameOffset = numbersLength + hashLength;

/** Opens the environment in the folder `path`. Throws `CastoreError` (`io`). */
export async function lmdbUploadedNars(
  path: string,
  { now = Date.now }: { readonly now?: () => number } = {},
): Promise<UploadedNars> {
  const table = new LmdbUploadedNars(await LmdbEnvironment.open(path), now);
  await table.purge();
  return table;
}

class LmdbUploadedNars implements UploadedNars {
  readonly #environment: LmdbEnvironment;
  readonly #table: LmdbTable;
  readonly #now: () => number;
  #purgedAtMs = 0;

  constructor(environment: LmdbEnvironment, now: () => number) {
    this.#environment = environment;
    this.#table = environment.table('uploaded-nars');
    this.#now = now;
  }

  async find(fileHash: Digest): Promise<UploadedNar | undefined> {
    const value = this.#table.get(fileHash.bytes);
    return value === undefined || expiryOf(value) <= this.#now() ? undefined : decodeRow(fileHash, value);
  }

  async put(upload: UploadedNar, expiresAtMs: number): Promise<void> {
    if (this.#now() - this.#purgedAtMs > purgeIntervalMs) await this.purge();
    await this.#environment.write(() => {
      const key = upload.fileHash.bytes;
      const earlier = expiryOf(this.#table.get(key));
      this.#table.put(key, encodeRow(upload, Math.max(earlier, expiresAtMs)));
    });
  }

  async list(): Promise<readonly WaitingNar[]> {
    const waiting: WaitingNar[] = [];
    for (const { key, value } of this.#table.rows()) {
      const expiresAtMs = expiryOf(value);
      const upload =
        expiresAtMs > this.#now() ? decodeRow(new Digest('sha256', new Uint8Array(key)), value) : undefined;
      if (upload !== undefined) waiting.push({ upload, expiresAtMs });
    }
    return waiting;
  }

  async purge(): Promise<void> {
    this.#purgedAtMs = this.#now();
    const isExpired = (value: Buffer): boolean => expiryOf(value) <= this.#purgedAtMs;
    const expired = [...this.#table.rows()].flatMap(({ key, value }) => (isExpired(value) ? [key] : []));
    if (expired.length === 0) return;
    await this.#environment.write(() => {
      for (const key of expired) {
        const value = this.#table.get(key);
        // It may have been put again since.
        if (value !== undefined && isExpired(value)) this.#table.remove(key);
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }
}

function expiryOf(value: Buffer | undefined): number {
  return value === undefined || value.length < 8 ? 0 : value.readDoubleBE(0);
}

function encodeRow(
  { fileSize, narSize, narHash, compression, node }: UploadedNar,
  expiresAtMs: number,
): Buffer {
  const numbers = Buffer.alloc(numbersLength);
  for (const [index, number] of [expiresAtMs, fileSize, narSize].entries())
    numbers.writeDoubleBE(number, 8 * index);
  const name = Buffer.from(compression);
  return Buffer.concat([numbers, narHash.bytes, Buffer.of(name.length), name, encodeEntry(node)]);
}

/** What is damaged has to be put again. */
function decodeRow(fileHash: Digest, value: Buffer): UploadedNar | undefined {
  const nameEnd = nameOffset + 1 + (value[nameOffset] ?? 0);
  const compression = decodeUtf8(value.subarray(nameOffset + 1, nameEnd));
  if (!isCompression(compression)) return undefined;
  try {
    const { node } = decodeEntry(new Uint8Array(value.subarray(nameEnd)));
    const narHash = new Digest('sha256', new Uint8Array(value.subarray(numbersLength, nameOffset)));
    return {
      fileHash,
      fileSize: value.readDoubleBE(8),
      narSize: value.readDoubleBE(16),
      narHash,
      compression,
      node,
    };
  } catch (error) {
    if (error instanceof CastoreError) return undefined;
    throw error;
  }
}
