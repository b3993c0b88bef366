export { createFileSystemIO } from './file-system-io.ts';
export type { FileSystemIOOptions } from './file-system-io.ts';
