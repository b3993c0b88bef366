/**
 * NAR calculations in an LMDB environment.
 *
 *     table 'nars'        kind:1 (`d`, `f` or, for an executable file, `x`), digest:32 → NAR size: float64, big-endian | SHA-256:32
 *     table 'nar-nodes'   SHA-256 of a NAR:32 → message `Entry` without a name: a node that has this NAR
 */
import { Digest } from '@neve/bytes';
import { CastoreError, decodeEntry, encodeEntry } from '@neve/castore';
import type { Node } from '@neve/castore';
import { LmdbEnvironment } from '@neve/castore/node';
import type { LmdbTable } from '@neve/castore/node';
import { narTableKey } from '../cached-nar-calculation.ts';
import type { NarTable } from '../cached-nar-calculation.ts';
import type { NarCalculation } from '../path-info-service.ts';

/** Opens the environment in the folder `path`, which may hold other tables. Throws `CastoreError` (`io`). */
export async function lmdbNarTable(path: string): Promise<NarTable & AsyncDisposable> {
  return new LmdbNarTable(await LmdbEnvironment.open(path));
}

const sizeLength = 8;
const valueLength = 40;

class LmdbNarTable implements NarTable, AsyncDisposable {
  readonly #environment: LmdbEnvironment;
  readonly #nars: LmdbTable;
  readonly #nodes: LmdbTable;

  constructor(environment: LmdbEnvironment) {
    this.#environment = environment;
    this.#nars = environment.table('nars');
    this.#nodes = environment.table('nar-nodes');
  }

  async find(node: Node): Promise<NarCalculation | undefined> {
    const key = narTableKey(node);
    if (key === undefined) return undefined;
    const value = this.#nars.get(Buffer.from(key, 'latin1'));
    // What is damaged is calculated again.
    if (value?.length !== valueLength) return undefined;
    return {
      narSize: value.readDoubleBE(),
      narHash: new Digest('sha256', new Uint8Array(value.subarray(sizeLength))),
    };
  }

  async findNode(narHash: Digest): Promise<Node | undefined> {
    const value = this.#nodes.get(Buffer.from(narHash.bytes));
    try {
      return value === undefined ? undefined : decodeEntry(new Uint8Array(value)).node;
    } catch (error) {
      if (error instanceof CastoreError) return undefined;
      throw error;
    }
  }

  async record(node: Node, { narSize, narHash }: NarCalculation): Promise<void> {
    const key = narTableKey(node);
    const value = Buffer.alloc(valueLength);
    value.writeDoubleBE(narSize);
    value.set(narHash.bytes, sizeLength);
    await this.#environment.write(() => {
      if (key !== undefined) this.#nars.put(Buffer.from(key, 'latin1'), value);
      this.#nodes.put(Buffer.from(narHash.bytes), Buffer.from(encodeEntry(node)));
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#environment[Symbol.asyncDispose]();
  }
}
