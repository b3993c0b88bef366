/** The calls of Bigtable that are made here. */
import { messageCodec } from './codec.ts';
import {
  CreateTableRequestSchema,
  TableSchema,
} from './generated/google/bigtable/admin/v2/bigtable_table_admin_pb.ts';
import {
  CheckAndMutateRowRequestSchema,
  CheckAndMutateRowResponseSchema,
  ReadRowsRequestSchema,
  ReadRowsResponseSchema,
} from './generated/google/bigtable/v2/bigtable_pb.ts';
import type { MessageCodec, Method } from './method.ts';

export const bigtableMethods: {
  readonly readRows: Method<
    MessageCodec<typeof ReadRowsRequestSchema>,
    MessageCodec<typeof ReadRowsResponseSchema>
  >;
  readonly checkAndMutateRow: Method<
    MessageCodec<typeof CheckAndMutateRowRequestSchema>,
    MessageCodec<typeof CheckAndMutateRowResponseSchema>
  >;
  readonly createTable: Method<
    MessageCodec<typeof CreateTableRequestSchema>,
    MessageCodec<typeof TableSchema>
  >;
} = {
  readRows: {
    service: 'google.bigtable.v2.Bigtable',
    name: 'ReadRows',
    streams: { request: false, answer: true },
    request: messageCodec(ReadRowsRequestSchema),
    answer: messageCodec(ReadRowsResponseSchema),
  },
  checkAndMutateRow: {
    service: 'google.bigtable.v2.Bigtable',
    name: 'CheckAndMutateRow',
    streams: { request: false, answer: false },
    request: messageCodec(CheckAndMutateRowRequestSchema),
    answer: messageCodec(CheckAndMutateRowResponseSchema),
  },
  createTable: {
    service: 'google.bigtable.admin.v2.BigtableTableAdmin',
    name: 'CreateTable',
    streams: { request: false, answer: false },
    request: messageCodec(CreateTableRequestSchema),
    answer: messageCodec(TableSchema),
  },
};
