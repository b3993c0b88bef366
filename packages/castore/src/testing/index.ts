export { blobCompliance, bytesFor } from './blob-compliance.ts';
export type { BlobComplianceCase, BlobTraits } from './blob-compliance.ts';
export { directoryCompliance } from './directory-compliance.ts';
export type { DirectoryComplianceCase, DirectoryTraits } from './directory-compliance.ts';
