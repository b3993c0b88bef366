export { Checksummer, checksum, printChecksum } from './checksum.ts';
export type { Checksum } from './checksum.ts';
export { imageFileVersion } from './image-file.ts';
