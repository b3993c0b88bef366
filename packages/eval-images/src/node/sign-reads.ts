/**
 * Gives reads their signatures when the evaluation has ended, and finds out where the world has changed under it. A
 * signature is kept if the file had been left alone for a while when the evaluation began: then it is what was read.
 */
import { type PathRead, type ReadSet, type Signature, changedMeanwhile, regionBits } from '../read-set.ts';
import { type FileWorld, type Status, changeTimeMs, clockMs, isLink } from './file-world.ts';
import { treeSignature } from './tree-signature.ts';

export type SigningOptions = {
  readonly files: FileWorld;
  /** Whether all of the store is in files; otherwise what is not there may be found by asking it. */
  readonly storeIsFiles: boolean;
  /** Signatures that were taken when the files were first looked at, by `byteKey` of the path. It spares looking again. */
  readonly known?: ((key: string) => Signature | undefined) | undefined;
};

const everybody = regionBits.own | regionBits.shared;

/** Afterwards `reads.obstacle()` says whether the reads can be kept. Fails never. */
export function signReads(reads: ReadSet, options: SigningOptions): void {
  if (reads.obstacle() !== undefined) return;
  try {
    for (const [path, read] of reads.paths) signPath(path, read, { ...options, reads });
    signTrees(reads, options);
    signObjects(reads, options);
  } catch (error) {
    reads.noteObstacle(error instanceof Error ? error.message : String(error), everybody);
  }
}

type Signing = SigningOptions & { readonly reads: ReadSet };

// oxlint-disable-next-line eslint/max-params -- what, and with what
function signPath(path: string, read: PathRead, { reads, files, known }: Signing): void {
  const wantsFollowed = read.type === 'symlink' && read.contents !== undefined;
  if (read.signature !== undefined && (!wantsFollowed || read.followed !== undefined)) return;
  const isOld = (signature: Signature): boolean => changeTimeMs(signature) < reads.startedMs - clockMs;
  const before = known?.(path);
  // What has changed since then has another signature now, and will be compared by its contents.
  if (before !== undefined && !isLink(before)) {
    if (isOld(before)) read.signature = before;
    return;
  }
  const old = (status: Status): Status['signature'] | undefined =>
    status.type !== 'absent' && isOld(status.signature) ? status.signature : undefined;
  const status = files.lstat(path);
  if (read.type !== undefined && status.type !== read.type) {
    reads.noteObstacle(changedMeanwhile(path), everybody);
  }
  read.signature ??= old(status);
  if (status.type === 'symlink' && read.contents !== undefined) read.followed ??= old(files.stat(path));
}

function signTrees(reads: ReadSet, { files, known }: SigningOptions): void {
  for (const tree of reads.trees.values()) {
    if (tree.signature !== undefined) continue;
    const found = treeSignature(files, tree, known);
    if (found === undefined) {
      reads.noteObstacle(
        `'${tree.path}' was added to the store, and is gone or has too many files`,
        tree.regions,
      );
    } else if (found.changedMs < reads.startedMs - clockMs) tree.signature = found.signature;
  }
}

function signObjects(reads: ReadSet, { files, storeIsFiles }: SigningOptions): void {
  for (const [path, read] of reads.objects) {
    read.identity = objectIdentity(files, path);
    const isThere = read.identity !== undefined;
    if (isThere && read.isThere === false) reads.noteObstacle(changedMeanwhile(path), everybody);
    if (isThere || (read.isThere !== true && storeIsFiles)) continue;
    reads.noteObstacle(`'${path}' is for the store to know, which is not opened to find out`, read.regions);
  }
}

/** Tells an object from another one of the same name; undefined when none is there. */
export function objectIdentity(files: FileWorld, path: string): string | undefined {
  const { type, signature } = files.lstat(path);
  return type === 'absent' ? undefined : `${type} ${signature[1]} ${signature[3]}`;
}
