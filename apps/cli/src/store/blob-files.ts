/** Blobs that are files of this machine already, so that others can share them. */
import type { BlobFiles } from '@neve/castore/node';

export function isBlobFiles(blobs: object): blobs is BlobFiles {
  return 'filePath' in blobs && typeof blobs.filePath === 'function';
}
