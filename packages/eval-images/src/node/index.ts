export { ImageFolder } from './image-folder.ts';
export type { EntryName, EntrySummary, ImageFolderOptions, NewEntry } from './image-folder.ts';
export type { ImageEntry } from './image-entry.ts';
export type { Payload } from './write-entry.ts';
export { FileWorld, sha256 } from './file-world.ts';
export type { FileWorldOptions } from './file-world.ts';
export { signReads } from './sign-reads.ts';
export type { SigningOptions } from './sign-reads.ts';
export { checkReads } from './check-reads.ts';
export type { CheckOptions, CheckedReads } from './check-reads.ts';
export { KeptResults } from './kept-results.ts';
export type {
  FoundResult,
  KeptResultsOptions,
  NewResult,
  ResultInfo,
  RunInfo,
  WrittenPiece,
} from './kept-results.ts';
export { haveSignaturesHeld } from './check-signatures.ts';
export { KeptImages } from './kept-images.ts';
export type { FoundImage, ImageInfo, KeptImagesOptions, NewImage, OpenImage } from './kept-images.ts';
