/** The three services that make a store. What the path infos name is in the blobs and directories beside them. */
import type { BlobService, DirectoryService } from '@neve/castore';
import type { PathInfoService } from './path-info-service.ts';

export type StoreServices = {
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  readonly pathInfos: PathInfoService;
};
