/** Whether a tree of the file system is read sooner than a thread for it is started. Looks at a bounded part of it. */
import { lstatSync, opendirSync } from 'node:fs';

const maxObjects = 100;
const maxBytes = 2 ** 20;

const slash = Buffer.from('/');

/** False also for what cannot be looked at; whoever reads it says why. */
export function isSmallTree(root: Buffer): boolean {
  const left = { objects: maxObjects, bytes: maxBytes };
  try {
    return takeFrom(left, root);
  } catch {
    return false;
  }
}

/** Takes what is at `path` from what is left; false when that is not enough. */
function takeFrom(left: { objects: number; bytes: number }, path: Buffer): boolean {
  const stats = lstatSync(path);
  left.objects--;
  if (stats.isFile()) left.bytes -= stats.size;
  if (left.objects < 0 || left.bytes < 0) return false;
  if (!stats.isDirectory()) return true;
  // The types of Node know names as text only.
  const directory = opendirSync(path, { encoding: 'buffer' as BufferEncoding });
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      const name = entry.name as unknown as Buffer;
      if (!takeFrom(left, Buffer.concat([path, slash, name]))) return false;
    }
    return true;
  } finally {
    directory.closeSync();
  }
}
