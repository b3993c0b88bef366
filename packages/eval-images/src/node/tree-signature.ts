/**
 * One signature of a whole tree, from those of everything in it that became a part of a store path. It is a checksum:
 * nobody makes files for it to fail.
 */
import { byteKey, encodeUtf8, keyBytes, concatBytes } from '@neve/bytes';
import { checksum, printChecksum } from '../checksum.ts';
import type { TreeRead } from '../read-set.ts';
import { type FileWorld, type Status, changeTimeMs } from './file-world.ts';

export type TreeSignature = {
  readonly signature: string;
  /** When something in it was last changed, in ms since 1970. */
  readonly changedMs: number;
};

/** Undefined when the tree is not there, or is too large to be looked at. Throws what the file system throws. */
export function treeSignature(files: FileWorld, tree: TreeRead): TreeSignature | undefined {
  const numbers: number[] = [];
  const names: string[] = [];
  const accepted = tree.accepted === undefined ? undefined : new Set(tree.accepted);
  let changedMs = 0;
  const isWhole = visit(tree.path, '');
  if (!isWhole) return undefined;
  const text = encodeUtf8(names.join('\0'));
  const sums = [text, new Uint8Array(Float64Array.from(numbers).buffer)].map((it) =>
    printChecksum(checksum(it)),
  );
  return { signature: sums.join(''), changedMs };

  function visit(path: string, relative: string): boolean {
    // A flat file is read through links.
    const status: Status = tree.method === 'nar' ? files.lstat(path) : files.stat(path);
    if (status.type === 'absent' || names.length >= maxEntries) return false;
    numbers.push(...status.signature);
    names.push(relative);
    changedMs = Math.max(changedMs, changeTimeMs(status.signature));
    if (status.type !== 'directory') return true;
    return files.entries(path).every(({ name }) => {
      const below = relative === '' ? byteKey(name) : joinKeys(relative, name);
      return accepted !== undefined && !accepted.has(below) ? true : visit(joinKeys(path, name), below);
    });
  }
}

/** Looking at more takes as long as evaluating. */
const maxEntries = 100_000;

function joinKeys(left: string, right: Uint8Array): string {
  return byteKey(concatBytes([keyBytes(left === '/' ? '' : left), encodeUtf8('/'), right]));
}
