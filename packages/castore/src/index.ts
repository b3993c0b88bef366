export { CastoreError } from './castore-error.ts';
export type { CastoreErrorCode } from './castore-error.ts';
export { B3Digest, b3DigestLength, digestFromKey, parseB3Digest } from './b3-digest.ts';
export {
  PathComponent,
  SymlinkTarget,
  maxNameLength,
  parsePath,
  pathComponent,
  showPath,
  symlinkTarget,
} from './path-component.ts';
export { equalNodes } from './node.ts';
export type { DirectoryNode, FileNode, Node, SymlinkNode } from './node.ts';
export { Directory, emptyDirectory } from './directory.ts';
export type { DirectoryEntry } from './directory.ts';
export { decodeEntry, encodeEntry } from './directory-encoding.ts';
export { hashBlake3 } from './blake3.ts';
export { lastUsedPrecisionMs } from './blob-service.ts';
export type {
  BlobBatches,
  BlobsAtHand,
  BlobInventory,
  BlobReader,
  BlobService,
  BlobWriter,
  ByteRange,
  ChunkMeta,
  DamagedObject,
  HashedBlob,
  RemovalCondition,
  StoredBlob,
  TrustingBlobWriter,
  TrustingBlobs,
} from './blob-service.ts';
export type {
  DirectoryInventory,
  DirectoryPutter,
  DirectoryService,
  StoredDirectory,
} from './directory-service.ts';
export { checkDigest, childKeys, closureByGet, decodeClosure, leavesFirst, parentsFirst } from './closure.ts';
export type { GetDirectory } from './closure.ts';
export { orderedPutter, simplePutter } from './directory-putter.ts';
export type { ClosureSink } from './directory-putter.ts';
export { descend } from './descend.ts';
export { memoryDirectories } from './memory-directories.ts';
export { cacheDirectories } from './cache-directories.ts';
export { priorityDirectories } from './priority-directories.ts';
export type { PrioritizedDirectories } from './priority-directories.ts';
export { readOnlyDirectories } from './read-only-directories.ts';
export { tracedBlobs, tracedDirectories } from './traced-services.ts';
export { verifiedDirectories } from './verified-directories.ts';
export { OrderedWindow } from './ordered-window.ts';
export { bytesReader } from './bytes-reader.ts';
export { blobKind, directoryKind } from './service-kinds.ts';
export { Blake3TreeHasher } from './blake3.ts';
export type { TreeHash } from './blake3.ts';
export { OutboardVerifier } from './verified-range.ts';
export { Chunker } from './chunker.ts';
export type { IngestionEntry, IngestionPath } from './ingestion-entry.ts';
export { ingestEntries } from './ingest-entries.ts';
export { archiveEntries } from './archive-entries.ts';
export type { ArchiveEntriesOptions } from './archive-entries.ts';
export { readTar } from './archive/read-tar.ts';
export { writeTar } from './archive/write-tar.ts';
export type { ArchiveLimits, ArchiveMember } from './archive/archive-member.ts';
export type { StripRoot } from './archive/archive-tree.ts';
export { detectCompression } from './archive/compression-format.ts';
export type { CompressionFormat } from './archive/compression-format.ts';
export { abortable } from './abortable.ts';
export { WeightedSemaphore } from './weighted-semaphore.ts';
export { batchesOf, singleCalls } from './blob-batches.ts';
export { memoryBlobs } from './memory-blobs.ts';
export { cacheBlobs } from './cache-blobs.ts';
export type { CacheBlobsOptions } from './cache-blobs.ts';
export { readOnlyBlobs } from './read-only-blobs.ts';
export { verifiedBlobs } from './verified-blobs.ts';
export type { VerifiedBlobsOptions } from './verified-blobs.ts';
export type { BlobSource } from './blob-uploader.ts';
export { memoryObjectStore } from './object-store.ts';
export type { ListedObject, ObjectInfo, ObjectRange, ObjectStore } from './object-store.ts';
export { exportTar } from './export-tar.ts';
export type { TreeObserver } from './tree-observer.ts';
export { ReferenceScanner, minNeedleLength, scanNode } from './reference-scanner.ts';
export type { ReferenceStream, ScanServices } from './reference-scanner.ts';
