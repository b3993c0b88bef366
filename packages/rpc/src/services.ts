/**
 * The calls of the services, under the names of the package `snix`; the server answers under the older ones in `tvix` as
 * well (`tvix-names.ts`). Batches of blobs are an extension beside them, under a name of our own.
 */
import { blobChunkCodec, releaseBlobChunk } from './blob-chunk.ts';
import { boundedCodec, messageCodec, rawCodec, type Codec } from './codec.ts';
import {
  GetBlobsRequestSchema,
  GetBlobsResponseSchema,
  HasBlobsRequestSchema,
  HasBlobsResponseSchema,
  PutBlobsRequestSchema,
  PutBlobsResponseSchema,
} from './generated/neve/castore/v1/rpc_blobbatch_pb.ts';
import {
  PutBlobResponseSchema,
  ReadBlobRequestSchema,
  StatBlobRequestSchema,
  StatBlobResponseSchema,
} from './generated/snix/castore/v1/rpc_blobstore_pb.ts';
import {
  GetDirectoryRequestSchema,
  PutDirectoryResponseSchema,
} from './generated/snix/castore/v1/rpc_directory_pb.ts';
import {
  CalculateNARResponseSchema,
  GetPathInfoRequestSchema,
  ListPathInfoRequestSchema,
} from './generated/snix/store/v1/rpc_pathinfo_pb.ts';
import type { MessageCodec, Method } from './method.ts';

type RawCodec = Codec<Uint8Array, Uint8Array>;

export const blobServiceName = 'snix.castore.v1.BlobService';
export const blobBatchServiceName = 'neve.castore.v1.BlobBatchService';
export const directoryServiceName = 'snix.castore.v1.DirectoryService';
export const pathInfoServiceName = 'snix.store.v1.PathInfoService';

const unary = { request: false, answer: false } as const;
const download = { request: false, answer: true } as const;
const upload = { request: true, answer: false } as const;

export const blobMethods: {
  readonly stat: Method<
    MessageCodec<typeof StatBlobRequestSchema>,
    MessageCodec<typeof StatBlobResponseSchema>
  >;
  readonly read: Method<MessageCodec<typeof ReadBlobRequestSchema>, RawCodec>;
  /** What is written are whole messages, made by `BlobChunkBuffer`. */
  readonly put: Method<RawCodec, MessageCodec<typeof PutBlobResponseSchema>>;
} = {
  stat: {
    service: blobServiceName,
    name: 'Stat',
    streams: unary,
    request: messageCodec(StatBlobRequestSchema),
    answer: messageCodec(StatBlobResponseSchema),
  },
  read: {
    service: blobServiceName,
    name: 'Read',
    streams: download,
    request: messageCodec(ReadBlobRequestSchema),
    answer: blobChunkCodec,
  },
  put: {
    service: blobServiceName,
    name: 'Put',
    streams: upload,
    request: {
      encode: (message) => message,
      release: releaseBlobChunk,
      decode: (bytes) => blobChunkCodec.decode(bytes),
    },
    answer: messageCodec(PutBlobResponseSchema),
  },
};

/** What one call of `BlobBatchService` takes at most. */
export const maxBatchBlobs = 16_384;
const maxBatchMessageSize = 4 * 1024 * 1024;

/** `max_bytes` beside the digests is a field as well. */
const batchLimits = { maxBytes: maxBatchMessageSize, maxFields: maxBatchBlobs + 1 } as const;

export const blobBatchMethods: {
  readonly has: Method<
    MessageCodec<typeof HasBlobsRequestSchema>,
    MessageCodec<typeof HasBlobsResponseSchema>
  >;
  readonly put: Method<
    MessageCodec<typeof PutBlobsRequestSchema>,
    MessageCodec<typeof PutBlobsResponseSchema>
  >;
  readonly get: Method<
    MessageCodec<typeof GetBlobsRequestSchema>,
    MessageCodec<typeof GetBlobsResponseSchema>
  >;
} = {
  has: {
    service: blobBatchServiceName,
    name: 'Has',
    streams: unary,
    request: boundedCodec(HasBlobsRequestSchema, batchLimits),
    answer: boundedCodec(HasBlobsResponseSchema, batchLimits),
  },
  put: {
    service: blobBatchServiceName,
    name: 'Put',
    streams: unary,
    request: boundedCodec(PutBlobsRequestSchema, batchLimits),
    answer: boundedCodec(PutBlobsResponseSchema, batchLimits),
  },
  get: {
    service: blobBatchServiceName,
    name: 'Get',
    streams: download,
    request: boundedCodec(GetBlobsRequestSchema, batchLimits),
    answer: boundedCodec(GetBlobsResponseSchema, batchLimits),
  },
};

/** Directories are their canonical encodings. */
export const directoryMethods: {
  readonly get: Method<MessageCodec<typeof GetDirectoryRequestSchema>, RawCodec>;
  readonly put: Method<RawCodec, MessageCodec<typeof PutDirectoryResponseSchema>>;
} = {
  get: {
    service: directoryServiceName,
    name: 'Get',
    streams: download,
    request: messageCodec(GetDirectoryRequestSchema),
    answer: rawCodec,
  },
  put: {
    service: directoryServiceName,
    name: 'Put',
    streams: upload,
    request: rawCodec,
    answer: messageCodec(PutDirectoryResponseSchema),
  },
};

/** Path infos and entries are their canonical encodings. */
export const pathInfoMethods: {
  readonly get: Method<MessageCodec<typeof GetPathInfoRequestSchema>, RawCodec>;
  readonly put: Method<RawCodec, RawCodec>;
  readonly calculateNar: Method<RawCodec, MessageCodec<typeof CalculateNARResponseSchema>>;
  readonly list: Method<MessageCodec<typeof ListPathInfoRequestSchema>, RawCodec>;
} = {
  get: {
    service: pathInfoServiceName,
    name: 'Get',
    streams: unary,
    request: messageCodec(GetPathInfoRequestSchema),
    answer: rawCodec,
  },
  put: { service: pathInfoServiceName, name: 'Put', streams: unary, request: rawCodec, answer: rawCodec },
  calculateNar: {
    service: pathInfoServiceName,
    name: 'CalculateNAR',
    streams: unary,
    request: rawCodec,
    answer: messageCodec(CalculateNARResponseSchema),
  },
  list: {
    service: pathInfoServiceName,
    name: 'List',
    streams: download,
    request: messageCodec(ListPathInfoRequestSchema),
    answer: rawCodec,
  },
};
