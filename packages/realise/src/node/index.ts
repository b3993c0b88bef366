export { lmdbWorkLocks } from './lmdb-work-locks.ts';
