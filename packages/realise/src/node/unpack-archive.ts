/** Archives for `builtin:unpack-channel`: tar, compressed in any way that its first bytes tell. */
import type { BlobService, DirectoryService } from '@neve/castore';
import { ingestTar } from '@neve/castore/node';
import type { UnpackArchive } from '../builtin/unpack-channel.ts';

export function archiveUnpacker(services: {
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
}): UnpackArchive {
  return (contents, signal) =>
    ingestTar(contents, { ...services, strip: 'never', ...(signal !== undefined && { signal }) });
}
