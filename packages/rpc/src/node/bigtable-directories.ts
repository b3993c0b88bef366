/** Directories in Bigtable, each in a row of its own (`bigtable-table.ts`): its value is the canonical encoding. */
import { B3Digest, CastoreError, Directory, closureByGet, hashBlake3, simplePutter } from '@neve/castore';
import type { DirectoryPutter, DirectoryService } from '@neve/castore';
import { decodeHex } from '@neve/bytes';
import { castoreErrorOf } from '../status.ts';
import { BigtableTable, type BigtableOptions } from './bigtable-table.ts';

export class BigtableDirectories implements DirectoryService {
  readonly #table: BigtableTable;

  /** Disposing of the service closes the table. */
  constructor(table: BigtableTable) {
    this.#table = table;
  }

  static async open(options: BigtableOptions): Promise<BigtableDirectories> {
    return new BigtableDirectories(await BigtableTable.open(options));
  }

  async get(digest: B3Digest, signal?: AbortSignal): Promise<Directory | undefined> {
    try {
      const bytes = await this.#table.get(digest.bytes, signal);
      return bytes === undefined ? undefined : decodeExpected(bytes, digest);
    } catch (error) {
      throw failure(error, 'reading');
    }
  }

  closure(digest: B3Digest, signal?: AbortSignal): AsyncIterable<Directory> {
    return closureByGet((it, itsSignal) => this.get(it, itsSignal), digest, signal);
  }

  async put(directory: Directory, signal?: AbortSignal): Promise<B3Digest> {
    await this.#requireChildren(directory, signal);
    return this.#insert(directory, signal);
  }

  putClosure(signal?: AbortSignal): DirectoryPutter {
    return simplePutter((directory, itsSignal) => this.#insert(directory, itsSignal), signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#table[Symbol.asyncDispose]();
  }

  async #insert(directory: Directory, signal: AbortSignal | undefined): Promise<B3Digest> {
    try {
      await this.#table.insert(directory.digest.bytes, directory.encoded, signal);
      return directory.digest;
    } catch (error) {
      throw failure(error, 'storing');
    }
  }

  async #requireChildren(directory: Directory, signal: AbortSignal | undefined): Promise<void> {
    const sizes = new Map<string, number>();
    for (const { node } of directory.entries) {
      if (node.kind === 'directory') sizes.set(node.digest.hex, node.size);
    }
    const digests = [...sizes.keys()].map((hex) => decodeHex(hex));
    try {
      for await (const [hex, bytes] of this.#table.read(digests, signal)) {
        const child = decodeExpected(bytes, new B3Digest(decodeHex(hex)));
        const recorded = sizes.get(hex);
        if (recorded !== undefined && !child.hasSize(recorded)) {
          throw invalid(directory, `records the size ${recorded} for ${hex}, whose size is ${child.size}`);
        }
        sizes.delete(hex);
      }
    } catch (error) {
      throw failure(error, 'reading');
    }
    const [missing] = sizes.keys();
    if (missing !== undefined) throw invalid(directory, `refers to ${missing}, which is not there`);
  }
}

function decodeExpected(bytes: Uint8Array, digest: B3Digest): Directory {
  const actual = new B3Digest(hashBlake3(bytes));
  if (!actual.equals(digest)) {
    throw new CastoreError(
      'corrupt',
      `instead of the directory ${digest.toString()} Bigtable has ${actual.toString()}`,
    );
  }
  return Directory.decode(bytes, digest);
}

function invalid({ digest }: Directory, problem: string): CastoreError {
  return new CastoreError('invalid-directory', `an entry of ${digest.toString()} ${problem}`);
}

function failure(error: unknown, doing: string): unknown {
  return castoreErrorOf(error, `${doing} directories in Bigtable`, 'io');
}
