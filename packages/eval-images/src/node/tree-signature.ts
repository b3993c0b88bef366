/**
 * One signature of a whole tree, from those of everything in it that became a part of a store path. Of a file it is the
 * file's own, of a directory a checksum: nobody makes files for it to fail.
 */
import { byteKey, encodeUtf8, keyBytes, concatBytes } from '@neve/bytes';
import { checksum, printChecksum } from '../checksum.ts';
import type { Signature, TreeRead } from '../read-set.ts';
import { type FileWorld, changeTimeMs, isRegular } from './file-world.ts';

export type TreeSignature = {
  readonly signature: string;
  /** When something in it was last changed, in ms since 1970. */
  readonly changedMs: number;
};

/** Undefined when the tree is not there, or is too large to be looked at. Throws what the file system throws. */
// oxlint-disable-next-line eslint/max-params -- a tree, and where it is looked at
export function treeSignature(
  files: FileWorld,
  tree: TreeRead,
  /** Signatures that were taken before the tree was read. */
  known?: (key: string) => Signature | undefined,
): TreeSignature | undefined {
  const before = known?.(tree.path);
  if (before !== undefined && isRegular(before)) return signatureOfFile(before);
  // A flat file is read through links.
  const root = tree.method === 'nar' ? files.lstat(tree.path) : files.stat(tree.path);
  if (root.type === 'absent') return undefined;
  if (root.type === 'directory') return directorySignature(files, tree);
  return signatureOfFile(root.signature);
}

function signatureOfFile(signature: Signature): TreeSignature {
  return { signature: signature.join(' '), changedMs: changeTimeMs(signature) };
}

function directorySignature(files: FileWorld, tree: TreeRead): TreeSignature | undefined {
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
    const status = files.lstat(path);
    if (status.type === 'absent' || names.length >= maxEntries) return false;
    numbers.push(...status.signature);
    names.push(relative);
    changedMs = Math.max(changedMs, changeTimeMs(status.signature));
    if (status.type !== 'directory') return true;
    return files.entries(path).every((entry) => {
      const name = byteKey(entry.name);
      const below = relative === '' ? name : joinKeys(relative, name);
      return accepted !== undefined && !accepted.has(below) ? true : visit(joinKeys(path, name), below);
    });
  }
}

/** Looking at more takes as long as evaluating. */
const maxEntries = 100_000;

/** Keys of paths that are UTF-8 are their text. */
function joinKeys(left: string, right: string): string {
  if (!left.startsWith(foreign) && !right.startsWith(foreign)) return `${left === '/' ? '' : left}/${right}`;
  return byteKey(concatBytes([keyBytes(left === '/' ? '' : left), encodeUtf8('/'), keyBytes(right)]));
}

/** What keys of other paths begin with. */
const foreign = '\uFFFD';
