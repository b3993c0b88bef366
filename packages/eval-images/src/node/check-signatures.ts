/**
 * Whether reads hold, by signatures alone, from their encoded form: nothing is read, and next to nothing made. A yes is
 * certain. A no only means that it has to be looked at more closely (`check-reads.ts`).
 */
import { constants } from 'node:fs';
import { type Columns, has, openColumns, seenTypes } from '../read-set-file.ts';
import type { CheckOptions } from './check-reads.ts';
import type { FileWorld } from './file-world.ts';
import { objectIdentity } from './sign-reads.ts';
import { treeSignature } from './tree-signature.ts';
import { changedVariable } from './variables.ts';

export function haveSignaturesHeld(
  encoded: Uint8Array,
  { files, world }: Omit<CheckOptions, 'nowMs'>,
): boolean {
  for (let bytes: Uint8Array | undefined = encoded; bytes !== undefined;) {
    const columns = openColumns(bytes);
    if (columns === undefined || !hasHeld(columns, { files, world })) return false;
    bytes = columns.next;
  }
  return true;
}

function hasHeld(columns: Columns, { files, world }: Omit<CheckOptions, 'nowMs'>): boolean {
  const { clock, obstacles, variables, objects, made, trees } = columns.rest();
  try {
    return (
      clock === 0 &&
      obstacles.length === 0 &&
      changedVariable(variables, world) === undefined &&
      arePathsSame(columns, files) &&
      objects.every(([path, { identity }]) => objectIdentity(files, path) === identity) &&
      made.every((path) => files.lstat(path).type !== 'absent') &&
      trees.every((it) => it.signature !== undefined && it.signature === treeSignature(files, it)?.signature)
    );
  } catch {
    return false;
  }
}

/** What a path has besides its type. */
const answers = has.contents | has.listing | has.target;

function arePathsSame(columns: Columns, files: FileWorld): boolean {
  const { count, rows } = columns;
  const numbers = columns.numbers();
  const paths = columns.paths();
  let at = 0;
  for (let index = 0; index < count; index++) {
    const path = paths[index] ?? '';
    const parts = rows[index * 4 + 2] ?? 0;
    const isSigned = (parts & has.signature) !== 0;
    if (!isSigned || !files.isUnchanged(path, numbers, at)) {
      // Where only the type was asked, as of the directories on the way to a file, all else may change.
      const type = seenTypes[rows[index * 4 + 1] ?? 0];
      if (type === undefined || (parts & answers) !== 0 || files.lstat(path).type !== type) return false;
    }
    if (!isSigned) continue;
    // Through a link another file is seen, of which its signature says nothing.
    if (isLink(numbers[at + 5] ?? 0) && (parts & (has.contents | has.listing)) !== 0) return false;
    at += 6;
    if ((parts & has.followed) !== 0) at += 6;
  }
  return true;
}

function isLink(mode: number): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFLNK;
}
