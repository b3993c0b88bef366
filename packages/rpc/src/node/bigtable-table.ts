/**
 * A table of Bigtable as a map from digests to bytes, laid out as Snix does: the row key and the qualifier of the only
 * column are both the digest in lower-case hex, and the value has at most 10 MiB.
 *
 * A cell has one version. Snix reads all versions and refuses more than one, so that replacing a value deletes the old one
 * in the same step.
 */
import { decodeUtf8, encodeHex, encodeUtf8 } from '@neve/bytes';
import { bigtableMethods } from '../bigtable-methods.ts';
import { assembleRows, type BigtableRow } from '../bigtable-rows.ts';
import { RpcError } from '../rpc-error.ts';
import type { GrpcChannel } from './grpc-channel.ts';
import { openBigtableChannel, type BigtableConnection } from './bigtable-connection.ts';

/** Names as in Google's console. */
export type BigtableOptions = BigtableConnection & {
  readonly projectId: string;
  readonly instanceName: string;
  readonly tableName: string;
  readonly familyName: string;
  /** `default` */
  readonly appProfileId?: string;
  readonly isReadOnly?: boolean;
};

const maxCellSize = 10 * 1024 * 1024;

/** What the service must not have changed: nothing there, or these bytes. */
export type ExpectedValue = Uint8Array | undefined;

export class BigtableTable implements AsyncDisposable {
  readonly #channel: GrpcChannel;
  readonly #options: BigtableOptions;

  constructor(channel: GrpcChannel, options: BigtableOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  static async open(options: BigtableOptions): Promise<BigtableTable> {
    return new BigtableTable(await openBigtableChannel(options), options);
  }

  /** Those values that are there, by their keys in hex, in the order of the keys. */
  async *read(digests: readonly Uint8Array[], signal?: AbortSignal): AsyncGenerator<[string, Uint8Array]> {
    if (digests.length === 0) return;
    yield* this.#readRows({ rowKeys: digests.map((it) => encodeUtf8(encodeHex(it))) }, signal);
  }

  async get(digest: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for await (const [, value] of this.read([digest], signal)) return value;
    return undefined;
  }

  /** All of the table, in the order of the keys. */
  list(signal?: AbortSignal): AsyncGenerator<[string, Uint8Array]> {
    return this.#readRows(undefined, signal);
  }

  /** Stores a value unless there is one; says whether it did. */
  async insert(digest: Uint8Array, value: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    const request = this.#mutation(digest, value);
    const { set, key, base } = request;
    const answer = await this.#channel.unary(
      bigtableMethods.checkAndMutateRow,
      { ...base, predicateFilter: columnFilter(this.#options.familyName, key), falseMutations: [set] },
      { signal },
    );
    return !answer.predicateMatched;
  }

  /** Replaces a value if it is still `expected`; says whether it did. */
  async replace(
    digest: Uint8Array,
    { expected, value }: { readonly expected: Uint8Array; readonly value: Uint8Array },
    signal?: AbortSignal,
  ): Promise<boolean> {
    const { set, remove, key, base } = this.#mutation(digest, value);
    const isExpected = {
      startValue: { case: 'startValueClosed', value: expected },
      endValue: { case: 'endValueClosed', value: expected },
    } as const;
    const filters = [
      columnFilter(this.#options.familyName, key),
      { filter: { case: 'valueRangeFilter', value: isExpected } } as const,
    ];
    const answer = await this.#channel.unary(
      bigtableMethods.checkAndMutateRow,
      {
        ...base,
        predicateFilter: { filter: { case: 'chain', value: { filters } } },
        trueMutations: [remove, set],
      },
      { signal },
    );
    return answer.predicateMatched;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#channel[Symbol.asyncDispose]();
  }

  get #tableName(): string {
    const { projectId, instanceName, tableName } = this.#options;
    return `projects/${projectId}/instances/${instanceName}/tables/${tableName}`;
  }

  // oxlint-disable-next-line typescript/explicit-function-return-type -- literal types of the messages
  #mutation(digest: Uint8Array, value: Uint8Array) {
    if (this.#options.isReadOnly === true) {
      throw new RpcError('unimplemented', 'this Bigtable is opened for reading only');
    }
    if (value.length > maxCellSize) {
      throw new RpcError(
        'resource-exhausted',
        `a cell of Bigtable has at most ${maxCellSize} bytes, and this would have ${value.length}`,
      );
    }
    const key = encodeUtf8(encodeHex(digest));
    const column = { familyName: this.#options.familyName, columnQualifier: key };
    // Minus one: the server says what time it is.
    const cell = { ...column, timestampMicros: -1n, value };
    return {
      key,
      base: { tableName: this.#tableName, appProfileId: this.#appProfileId, rowKey: key },
      set: { mutation: { case: 'setCell', value: cell } } as const,
      remove: { mutation: { case: 'deleteFromColumn', value: column } } as const,
    };
  }

  get #appProfileId(): string {
    return this.#options.appProfileId ?? 'default';
  }

  async *#readRows(
    rows: { readonly rowKeys: Uint8Array[] } | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<[string, Uint8Array]> {
    const { familyName } = this.#options;
    const request = {
      tableName: this.#tableName,
      appProfileId: this.#appProfileId,
      ...(rows !== undefined && { rows }),
      filter: familyFilter(familyName),
    };
    const responses = this.#channel.download(bigtableMethods.readRows, request, { signal });
    for await (const row of assembleRows(responses)) {
      const value = valueOf(row);
      if (value !== undefined) yield [decodeUtf8(row.key), value];
    }
  }
}

type FamilyFilter = { readonly filter: { readonly case: 'familyNameRegexFilter'; readonly value: string } };

function familyFilter(familyName: string): FamilyFilter {
  return { filter: { case: 'familyNameRegexFilter', value: familyName } };
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- literal types of the messages
function columnFilter(familyName: string, qualifier: Uint8Array) {
  const filters = [
    familyFilter(familyName),
    { filter: { case: 'columnQualifierRegexFilter', value: qualifier } } as const,
  ];
  return { filter: { case: 'chain', value: { filters } } } as const;
}

/** Of the column that is named as the row; others may be there one day. */
function valueOf({ key, cells }: BigtableRow): Uint8Array | undefined {
  const own = cells.filter(({ qualifier }) => decodeUtf8(qualifier) === decodeUtf8(key));
  if (own.length > 1) throw new RpcError('data-loss', `the row ${decodeUtf8(key)} has more than one value`);
  return own[0]?.value;
}
