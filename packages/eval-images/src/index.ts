export { RecordingIO } from './recording-io.ts';
export type { RecordingOptions } from './recording-io.ts';
export type { HashContents } from './contents-to-hash.ts';
export { PathRead, ReadSet } from './read-set.ts';
export type {
  HeldReads,
  MessageRead,
  ObjectRead,
  Region,
  SeenType,
  Signature,
  TreeRead,
  VariableRead,
} from './read-set.ts';
export { decodeReadSet, encodeReadSet, heldReads } from './read-set-file.ts';
export { Checksummer, checksum, printChecksum } from './checksum.ts';
export type { Checksum } from './checksum.ts';
export { ImageError } from './image-error.ts';
