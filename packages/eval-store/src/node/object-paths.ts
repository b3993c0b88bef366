/** Paths of objects of a store, as worlds are asked for them. */
import { equalBytes } from '@neve/bytes';
import type { Added } from './lazy-store-io.ts';

const slashByte = 0x2f;

/** The path of the object that a path lies in, or is; `prefix` is the store directory with a slash at the end. */
export function objectPath(prefix: Uint8Array, path: Uint8Array): Uint8Array | undefined {
  if (path.length <= prefix.length || !equalBytes(path.subarray(0, prefix.length), prefix)) return undefined;
  const slash = path.indexOf(slashByte, prefix.length);
  return slash === -1 ? path : path.subarray(0, slash);
}

export function storePathOf(added: Added): string {
  if (added.kind === 'path') return added.added.storePath;
  return added.kind === 'text' ? added.storePath : added.request.storePath;
}
