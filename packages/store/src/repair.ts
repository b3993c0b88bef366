/**
 * Gets what `verifyStore` found damaged or missing from another store. What comes from there is verified like everything
 * that comes from outside: blobs and directories by their digests. Order is that of a copy: blobs, directories, path infos.
 *
 * A damaged object is removed only when the other store has it, right before the good one is stored.
 */
import { CastoreError } from '@neve/castore';
import type { B3Digest } from '@neve/castore';
import { NodeCopier, copyBlob } from './copy-node.ts';
import { streamBlob } from './nar-parts.ts';
import { StoreError } from './store-error.ts';
import type { StoreServices } from './store-services.ts';
import type { Finding } from './verify.ts';

export type RepairOptions = {
  readonly store: StoreServices;
  readonly source: StoreServices;
  readonly onRepaired?: (finding: Finding) => void;
};

export type RepairResult = {
  readonly repaired: readonly Finding[];
  /** With the reason. */
  readonly failed: readonly { readonly finding: Finding; readonly reason: string }[];
};

const inOrder: readonly Finding['kind'][] = ['blob', 'directory', 'reference', 'path-info'];

/** What cannot be repaired is in the result; throws only when a service fails (`io`). */
export async function repairStore(
  findings: readonly Finding[],
  options: RepairOptions,
  signal?: AbortSignal,
): Promise<RepairResult> {
  const repaired: Finding[] = [];
  const failed: { finding: Finding; reason: string }[] = [];
  const ordered = [...findings].sort((a, b) => inOrder.indexOf(a.kind) - inOrder.indexOf(b.kind));
  for (const finding of ordered) {
    signal?.throwIfAborted();
    try {
      await repair(finding, options, signal);
      repaired.push(finding);
      options.onRepaired?.(finding);
    } catch (error) {
      if (!isAnswer(error)) throw error;
      failed.push({ finding, reason: error.message });
    }
  }
  return { repaired, failed };
}

function isAnswer(error: unknown): error is Error {
  return (error instanceof StoreError || error instanceof CastoreError) && error.code !== 'io';
}

const always = { unusedSinceMs: Infinity };

async function repair(finding: Finding, options: RepairOptions, signal?: AbortSignal): Promise<void> {
  switch (finding.kind) {
    case 'blob':
      return repairBlob(finding.digest, options, signal);
    case 'directory':
      return repairDirectory(finding.digest, options, signal);
    case 'reference':
    case 'path-info':
      return repairPathInfo(finding, options, signal);
  }
}

async function repairBlob(
  digest: B3Digest,
  { store, source }: RepairOptions,
  signal?: AbortSignal,
): Promise<void> {
  await using reader = await source.blobs.open(digest, signal);
  if (reader === undefined)
    throw new StoreError('not-found', `the other store has no blob ${digest.toString()} either`);
  const file = { kind: 'file', digest, size: reader.size, executable: false } as const;
  await store.blobs.inventory?.remove([digest], always, signal);
  await copyBlob(file, { source: source.blobs, target: store.blobs }, signal);
  // A service that took the damaged one for good would have stored nothing.
  for await (const piece of streamBlob(file, store, signal)) void piece;
}

async function repairDirectory(
  digest: B3Digest,
  { store, source }: RepairOptions,
  signal?: AbortSignal,
): Promise<void> {
  const directory = await source.directories.get(digest, signal);
  if (directory === undefined) {
    throw new StoreError('not-found', `the other store has no directory ${digest.toString()} either`);
  }
  await store.directories.inventory?.remove([digest], always, signal);
  // What is below it may be damaged too, so that all of it comes from the source.
  await new NodeCopier({ source, target: store }).copy(directory.node, signal);
}

/** Contents of the path info come with it, so that what it names is there. */
async function repairPathInfo(
  { hashPart, storePaths: [storePath] }: Finding & { readonly kind: 'path-info' | 'reference' },
  { store, source }: RepairOptions,
  signal?: AbortSignal,
): Promise<void> {
  const pathInfo = await source.pathInfos.get(hashPart, signal);
  if (pathInfo === undefined) {
    throw new StoreError(
      'not-found',
      `the other store has no path info of ${storePath?.baseName ?? hashPart}`,
    );
  }
  await new NodeCopier({ source, target: store }).copy(pathInfo.node, signal);
  await store.pathInfos.inventory?.remove(hashPart, always, signal);
  await store.pathInfos.put(pathInfo, signal);
}
