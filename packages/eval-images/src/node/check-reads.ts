/**
 * Whether what an evaluation has read still holds. A file whose signature is the same is the same; any other is read and
 * compared, and when it has the same contents, its new signature is noted for the next time.
 *
 * In doubt, and where anything fails, the answer is no.
 */
import { byteKey, encodeHex, keyBytes } from '@neve/bytes';
import type { EvalIO } from '@neve/eval';
import type { PathRead, ReadSet, TreeRead } from '../read-set.ts';
import { type FileWorld, type Status, changeTimeMs, clockMs, isSameSignature } from './file-world.ts';
import { objectIdentity } from './sign-reads.ts';
import { treeSignature } from './tree-signature.ts';
import { changedVariable } from './variables.ts';

export type CheckOptions = {
  readonly files: FileWorld;
  /** The world of the evaluation that wants to know; it is asked for variables, and for digests in doubt. */
  readonly world: Pick<EvalIO, 'environmentVariable' | 'addPathToStore' | 'hashFile'>;
  /** Now, in ms since 1970. */
  readonly nowMs: number;
};

export type CheckedReads =
  | {
      readonly holds: true;
      /** Whether signatures were noted, which spares the next one reading files. */
      readonly isRefreshed: boolean;
    }
  | {
      readonly holds: false;
      /** What is not as it was, for the user. */
      readonly change: string;
      /** All that the evaluation has written, where nothing has changed but that some of it is not there any more. */
      readonly made?: readonly string[];
    };

export async function checkReads(reads: ReadSet, options: CheckOptions): Promise<CheckedReads> {
  reads.settle();
  const obstacle = reads.obstacle();
  if (obstacle !== undefined) return { holds: false, change: obstacle };
  const checker = new ReadChecker(options);
  try {
    const change =
      changedVariable(reads.variables, options.world) ??
      checker.changedPath(reads) ??
      (await checker.changedTree(reads));
    if (change !== undefined) return { holds: false, change };
    const missing = checker.missing(reads);
    return missing === undefined
      ? { holds: true, isRefreshed: checker.isRefreshed }
      : {
          holds: false,
          change: `${missing}, which was written, is not there any more`,
          made: [...reads.made],
        };
  } catch (error) {
    return { holds: false, change: error instanceof Error ? error.message : String(error) };
  }
}

class ReadChecker {
  isRefreshed = false;
  readonly #files: FileWorld;
  readonly #world: CheckOptions['world'];
  readonly #oldBeforeMs: number;

  constructor({ files, world, nowMs }: CheckOptions) {
    this.#files = files;
    this.#world = world;
    this.#oldBeforeMs = nowMs - clockMs;
  }

  changedPath(reads: ReadSet): string | undefined {
    for (const [path, read] of reads.paths) {
      const change = this.#changeOf(path, read);
      if (change !== undefined) return change;
    }
    for (const [path, { identity }] of reads.objects) {
      const now = objectIdentity(this.#files, path);
      if (now === identity) continue;
      if (now === undefined) return `${path} is not there any more`;
      return identity === undefined ? `${path} is there now` : `${path} was made anew`;
    }
    return undefined;
  }

  /** Something that was written and is not there. */
  missing({ made }: ReadSet): string | undefined {
    for (const path of made) if (this.#files.lstat(path).type === 'absent') return path;
    return undefined;
  }

  async changedTree(reads: ReadSet): Promise<string | undefined> {
    for (const tree of reads.trees.values()) {
      const found = treeSignature(this.#files, tree);
      if (found === undefined) return `${tree.path} is not there any more`;
      if (found.signature === tree.signature) continue;
      if ((await this.#digestOf(tree)) !== tree.digest) return `${tree.path} was changed`;
      if (found.changedMs < this.#oldBeforeMs) {
        tree.signature = found.signature;
        this.isRefreshed = true;
      }
    }
    return undefined;
  }

  #changeOf(path: string, read: PathRead): string | undefined {
    const status = this.#files.lstat(path);
    if (read.type !== undefined && read.type !== status.type)
      return changeOfType(path, read.type, status.type);
    const isSame = read.signature !== undefined && isSameSignature(read.signature, status.signature);
    // Through a link another file is seen, of which the signature says nothing.
    if (isSame && status.type !== 'symlink') return undefined;
    if (!isSame && read.target !== undefined && this.#files.readLink(path) !== read.target) {
      return `the link ${path} leads elsewhere`;
    }
    if (read.listing !== undefined && this.#files.digestOfListing(path) !== read.listing) {
      return `the directory ${path} has other entries`;
    }
    const change = read.contents === undefined ? undefined : this.#changeOfContents(path, read, status);
    if (change === undefined && !isSame) this.#refresh(read, status);
    return change;
  }

  // oxlint-disable-next-line eslint/max-params -- where, what was, and what is
  #changeOfContents(path: string, read: PathRead, status: Status): string | undefined {
    const followed = status.type === 'symlink' ? this.#files.stat(path) : undefined;
    if (
      followed !== undefined &&
      read.followed !== undefined &&
      isSameSignature(followed.signature, read.followed)
    ) {
      return undefined;
    }
    if (this.#files.digestOfContents(path) !== read.contents) return `the contents of ${path} changed`;
    if (followed !== undefined && this.#isOld(followed)) {
      read.followed = followed.signature;
      this.isRefreshed = true;
    }
    return undefined;
  }

  #refresh(read: PathRead, status: Status): void {
    if (!this.#isOld(status)) return;
    read.signature = status.signature;
    this.isRefreshed = true;
  }

  /** Whether a change from now on would be seen in the times. */
  #isOld({ type, signature }: Status): boolean {
    return type !== 'absent' && changeTimeMs(signature) < this.#oldBeforeMs;
  }

  async #digestOf({ path, method, algorithm: hashAlgorithm, accepted }: TreeRead): Promise<string> {
    const bytes = keyBytes(path);
    if (method === 'flat') return encodeHex(await this.#world.hashFile({ path: bytes, hashAlgorithm }));
    const paths = accepted?.map(keyBytes);
    const names = accepted && new Set(accepted);
    const set = names && { has: (it: Uint8Array) => names.has(byteKey(it)), paths: () => paths ?? [] };
    const added = await this.#world.addPathToStore({
      ...{ path: bytes, name: 'x', method, hashAlgorithm, accepted: set },
    });
    return encodeHex(added.digest);
  }
}

// oxlint-disable-next-line eslint/max-params -- where, what was, and what is
function changeOfType(path: string, before: string, now: string): string {
  if (before === 'absent') return `${path} is there now`;
  return now === 'absent' ? `${path} is not there any more` : `${path} was a ${before}, and is a ${now} now`;
}
