/**
 * Finds what is damaged or missing below nodes, object by object, without looking at the rest of the store, and removes it, so
 * that whoever stores it again stores it indeed: what seems to be there is not written.
 */
import { B3Digest, CastoreError, type Directory, type Node, hashBlake3 } from '@neve/castore';
import type { Castore } from './copy-node.ts';

/** `kind` is that of the service which has it. A damaged blob comes with the damaged chunks that it is made of. */
export type NodeDamage = {
  readonly kind: 'directory' | 'blob';
  readonly digest: B3Digest;
  readonly problem: string;
};

/** What several nodes have in common is read once, and found for each of them. */
export class DamageFinder {
  readonly #castore: Castore;
  readonly #found = new Map<string, Promise<readonly NodeDamage[]>>();

  constructor(castore: Castore) {
    this.#castore = castore;
  }

  /** Reads everything. Damage is the answer; throws `CastoreError` (`io`). */
  async find(node: Node, signal?: AbortSignal): Promise<readonly NodeDamage[]> {
    const damage = new Map<string, NodeDamage>();
    const seen = new Set<string>();
    const pending = [node];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (next.kind === 'symlink' || seen.has(keyOf(next.kind, next.digest))) continue;
      seen.add(keyOf(next.kind, next.digest));
      const { digest } = next;
      if (next.kind === 'file') {
        if (next.size === 0) continue;
        for (const it of await this.#blobDamage(digest, signal)) damage.set(keyOf(it.kind, it.digest), it);
        continue;
      }
      const directory = await readDirectoryOrProblem(digest, this.#castore, signal);
      if (typeof directory !== 'string') pending.push(...directory.entries.map((it) => it.node));
      else damage.set(keyOf('directory', digest), { kind: 'directory', digest, problem: directory });
    }
    return [...damage.values()];
  }

  /** From now on, everything is read again. */
  forget(): void {
    this.#found.clear();
  }

  #blobDamage(digest: B3Digest, signal?: AbortSignal): Promise<readonly NodeDamage[]> {
    const earlier = this.#found.get(digest.key);
    if (earlier !== undefined) return earlier;
    const found = findBlobDamage(digest, this.#castore, signal);
    found.catch(() => this.#found.delete(digest.key));
    this.#found.set(digest.key, found);
    return found;
  }
}

/** Of one blob, and of what it is made of. Only services that own what they store are asked: others answer for it. */
export async function findBlobDamage(
  digest: B3Digest,
  { blobs }: Pick<Castore, 'blobs'>,
  signal?: AbortSignal,
): Promise<readonly NodeDamage[]> {
  if (!(await blobs.has(digest, signal))) return [{ kind: 'blob', digest, problem: 'it is not there' }];
  const found: NodeDamage[] = [];
  for await (const { digest: of, problem } of blobs.inventory?.verifyBlob(digest, signal) ?? []) {
    found.push({ kind: 'blob', digest: of, problem });
  }
  return found;
}

/** A directory, or what is wrong with it. */
export async function readDirectoryOrProblem(
  digest: B3Digest,
  { directories }: Pick<Castore, 'directories'>,
  signal?: AbortSignal,
): Promise<Directory | string> {
  try {
    const directory = await directories.get(digest, signal);
    if (directory === undefined) return 'it is not there';
    // A service may trust its own database.
    const isIntact = digest.equals(new B3Digest(hashBlake3(directory.encoded)));
    return isIntact ? directory : 'its contents have another digest';
  } catch (error) {
    if (error instanceof CastoreError && error.code !== 'io') return error.message;
    throw error;
  }
}

const always = { unusedSinceMs: Infinity };

/** For services that own what they store; elsewhere nothing can be removed. */
export async function removeDamage(
  damage: readonly NodeDamage[],
  { blobs, directories }: Castore,
  signal?: AbortSignal,
): Promise<void> {
  const digestsOf = (kind: NodeDamage['kind']): readonly B3Digest[] =>
    damage.filter((it) => it.kind === kind).map(({ digest }) => digest);
  await directories.inventory?.remove(digestsOf('directory'), always, signal);
  await blobs.inventory?.remove(digestsOf('blob'), always, signal);
}

function keyOf(kind: 'directory' | 'blob' | 'file', digest: B3Digest): string {
  return `${kind === 'directory' ? kind : 'blob'} ${digest.key}`;
}
