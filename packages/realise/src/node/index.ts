export { lmdbWorkLocks } from './lmdb-work-locks.ts';
export { BuildLogs } from './build-logs.ts';
export type { BuildLogWriter } from './build-logs.ts';
export { lmdbRealisations } from './lmdb-realisations.ts';
export { archiveUnpacker } from './unpack-archive.ts';
