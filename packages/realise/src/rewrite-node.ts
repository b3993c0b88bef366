/**
 * Replaces hash parts in all that a node consists of: contents of files, names and targets of symbolic links. What does not
 * change is not stored again.
 */
import { Directory, PathComponent, SymlinkTarget, leavesFirst } from '@neve/castore';
import type { BlobService, DirectoryService, FileNode, Node } from '@neve/castore';
import { HashRewriter, rewriteBytes } from '@neve/nix-compat';
import type { HashRewrites } from '@neve/nix-compat';
import { readNodeClosure, streamFile } from './node-contents.ts';

export type Contents = { readonly blobs: BlobService; readonly directories: DirectoryService };

const maxConcurrentFiles = 8;

/** Throws `CastoreError`. */
// oxlint-disable-next-line eslint/max-params -- signal comes last
export async function rewriteNode(
  node: Node,
  rewrites: HashRewrites,
  contents: Contents,
  signal?: AbortSignal,
): Promise<Node> {
  if (rewrites.size === 0) return node;
  const closure = await readNodeClosure(node, contents.directories, signal);
  const files = await rewriteFiles(filesOf(node, closure), { rewrites, ...contents }, signal);
  const rewriteLeaf = (it: Node): Node => {
    if (it.kind === 'symlink')
      return { ...it, target: new SymlinkTarget(rewriteBytes(it.target.bytes, rewrites)) };
    return it.kind === 'file' ? { ...it, ...files.get(it.digest.key) } : it;
  };
  if (node.kind !== 'directory') return rewriteLeaf(node);
  const rewritten = new Map<string, Directory>();
  await using putter = contents.directories.putClosure(signal);
  for (const directory of leavesFirst(closure)) {
    const entries = directory.entries.map(({ name, node: child }) => ({
      name: new PathComponent(rewriteBytes(name.bytes, rewrites)),
      node:
        child.kind === 'directory' ? (rewritten.get(child.digest.key)?.node ?? child) : rewriteLeaf(child),
    }));
    const result = Directory.of(entries);
    rewritten.set(directory.digest.key, result);
    await putter.put(result);
  }
  await putter.close();
  const root = rewritten.get(node.digest.key);
  if (root === undefined) throw new Error('the root of a closure is not in it');
  return root.node;
}

type RewriteOptions = Contents & { readonly rewrites: HashRewrites };

/** The changed ones, by the key of what they were. */
async function rewriteFiles(
  files: Iterable<FileNode>,
  options: RewriteOptions,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, Pick<FileNode, 'digest'>>> {
  const changed = new Map<string, Pick<FileNode, 'digest'>>();
  const running = new Set<Promise<void>>();
  const seen = new Set<string>();
  const rewriteOne = async (file: FileNode): Promise<void> => {
    if (await mentionsAny(file, options, signal)) {
      changed.set(file.digest.key, await rewriteFile(file, options, signal));
    }
  };
  try {
    for (const file of files) {
      if (seen.has(file.digest.key)) continue;
      seen.add(file.digest.key);
      while (running.size >= maxConcurrentFiles) await Promise.race(running);
      const rewriting = rewriteOne(file).finally(() => running.delete(rewriting));
      rewriting.catch(() => undefined);
      running.add(rewriting);
    }
    await Promise.all(running);
  } finally {
    await Promise.allSettled(running);
  }
  return changed;
}

async function mentionsAny(
  file: FileNode,
  { rewrites, blobs }: RewriteOptions,
  signal?: AbortSignal,
): Promise<boolean> {
  let isFound = false;
  const rewriter = new HashRewriter(rewrites, () => {
    isFound = true;
  });
  for await (const piece of streamFile(file, blobs, signal)) {
    rewriter.push(piece);
    if (isFound) return true;
  }
  return false;
}

async function rewriteFile(
  file: FileNode,
  { rewrites, blobs }: RewriteOptions,
  signal?: AbortSignal,
): Promise<Pick<FileNode, 'digest'>> {
  const rewriter = new HashRewriter(rewrites);
  await using writer = await blobs.create(signal);
  for await (const piece of streamFile(file, blobs, signal)) await writer.write(rewriter.push(piece));
  await writer.write(rewriter.flush());
  return { digest: await writer.close() };
}

function* filesOf(node: Node, closure: readonly Directory[]): Generator<FileNode, void, void> {
  if (node.kind === 'file') yield node;
  for (const directory of closure) {
    for (const { node: child } of directory.entries) if (child.kind === 'file') yield child;
  }
}
