/**
 * What Bigtable's ReadRows streams, put together to rows. The stream has chunks of cells: a value may come in several of
 * them, a row key is left out when it is that of the chunk before, and so are family and qualifier. A row counts when a
 * chunk commits it, and all since the last commit is void when a chunk resets it.
 *
 * Source: the documentation of `ReadRowsResponse.CellChunk` in Google's API.
 */
import { concatBytes, equalBytes } from '@neve/bytes';
import type {
  ReadRowsResponse,
  ReadRowsResponse_CellChunk,
} from './generated/google/bigtable/v2/bigtable_pb.ts';

export type BigtableCell = {
  readonly family: string;
  readonly qualifier: Uint8Array;
  readonly value: Uint8Array;
};
export type BigtableRow = { readonly key: Uint8Array; readonly cells: readonly BigtableCell[] };

/** Throws an `Error` that says how the stream is malformed. */
export async function* assembleRows(responses: AsyncIterable<ReadRowsResponse>): AsyncGenerator<BigtableRow> {
  const assembly = new RowAssembly();
  for await (const { chunks } of responses) {
    for (const chunk of chunks) {
      const row = assembly.add(chunk);
      if (row !== undefined) yield row;
    }
  }
  assembly.end();
}

class RowAssembly {
  #key: Uint8Array | undefined;
  #cells: BigtableCell[] = [];
  #family = '';
  #qualifier: Uint8Array = new Uint8Array();
  /** Of a value that is not complete. */
  #parts: Uint8Array[] = [];

  /** The row that the chunk completes. */
  add(chunk: ReadRowsResponse_CellChunk): BigtableRow | undefined {
    if (chunk.rowStatus.case === 'resetRow') {
      this.#reset();
      return undefined;
    }
    if (this.#parts.length === 0) this.#beginCell(chunk);
    this.#parts.push(chunk.value);
    if (chunk.valueSize > 0) {
      if (chunk.rowStatus.case === 'commitRow') throw new Error('a row was committed inside of a value');
      return undefined;
    }
    const value = this.#parts.length === 1 ? chunk.value : concatBytes(this.#parts);
    this.#parts = [];
    this.#cells.push({ family: this.#family, qualifier: this.#qualifier, value });
    return chunk.rowStatus.case === 'commitRow' ? this.#commit() : undefined;
  }

  end(): void {
    if (this.#key !== undefined) throw new Error('the stream ended inside of a row');
  }

  #beginCell({ rowKey, familyName, qualifier }: ReadRowsResponse_CellChunk): void {
    if (rowKey.length > 0) {
      if (this.#key !== undefined && !equalBytes(this.#key, rowKey)) {
        throw new Error('a row began before the one before it was committed');
      }
      this.#key = rowKey;
    }
    if (this.#key === undefined) throw new Error('a row began without a key');
    if (familyName !== undefined) this.#family = familyName.value;
    if (qualifier !== undefined) this.#qualifier = qualifier.value;
  }

  #commit(): BigtableRow {
    const key = this.#key;
    if (key === undefined) throw new Error('a row was committed that had not begun');
    const cells = this.#cells;
    this.#reset();
    return { key, cells };
  }

  #reset(): void {
    this.#key = undefined;
    this.#cells = [];
    this.#parts = [];
    this.#family = '';
    this.#qualifier = new Uint8Array();
  }
}
