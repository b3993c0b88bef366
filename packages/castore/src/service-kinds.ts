/** The kinds of services of this package, as a composition names them. */
import { type ServiceKind, serviceKind } from '@neve/compose';
import type { BlobService } from './blob-service.ts';
import type { DirectoryService } from './directory-service.ts';

export const blobKind: ServiceKind<BlobService> = serviceKind({ name: 'blob', table: 'blobservices' });

export const directoryKind: ServiceKind<DirectoryService> = serviceKind({
  name: 'directory',
  table: 'directoryservices',
});
