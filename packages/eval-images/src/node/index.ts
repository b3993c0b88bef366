export { ImageFolder } from './image-folder.ts';
export type { EntryName, EntrySummary, ImageFolderOptions, NewEntry } from './image-folder.ts';
export type { ImageEntry } from './image-entry.ts';
export type { Payload } from './write-entry.ts';
