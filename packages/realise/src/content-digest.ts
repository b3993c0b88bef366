/**
 * The digest that a content address has, of a node: by each method, and for contents that may mention the path they were
 * made at, modulo its hash part.
 *
 *     flat, text   the bytes of the file
 *     nar          the NAR
 *     git          the git object: a blob or a tree. What it mentions of itself is not blanked out
 *
 * A git object is `<kind> <length> NUL <contents>`; a tree's contents are `<mode> <name> NUL <digest>` for each entry, in
 * the order of the names, where that of a directory counts as if a slash followed.
 */
import { compareBytes, concatBytes, encodeUtf8 } from '@neve/bytes';
import type { Digest, HashAlgorithm, HashFunctions, Hasher } from '@neve/bytes';
import { leavesFirst } from '@neve/castore';
import type { Directory, FileNode, Node } from '@neve/castore';
import { ModuloHasher } from '@neve/nix-compat';
import type { ContentAddressMethod } from '@neve/nix-compat';
import { renderNar } from '@neve/store';
import { readNodeClosure, streamFile } from './node-contents.ts';
import type { Contents } from './rewrite-node.ts';

export type ContentDigestOptions = Contents & {
  readonly hashes: HashFunctions;
  readonly method: ContentAddressMethod;
  readonly algorithm: HashAlgorithm;
  /** The hash part that counts as zeroes; the node does not mention any when it is not given. */
  readonly modulus?: string | undefined;
  /** As `ModuloHasherOptions`. */
  readonly hashesOffsets?: boolean | undefined;
};

/** For `flat` and `text` the node is a file. Throws `CastoreError` and `StoreError` (`not-found`). */
export async function contentDigest(
  node: Node,
  options: ContentDigestOptions,
  signal?: AbortSignal,
): Promise<Digest> {
  const { method, algorithm, hashes, modulus, blobs, hashesOffsets } = options;
  if (method === 'git') return gitDigest(node, options, signal);
  const hasher: Hasher =
    modulus === undefined
      ? hashes.create(algorithm)
      : new ModuloHasher({ algorithm, hashes, modulus, hashesOffsets });
  const pieces =
    method === 'nar' || node.kind !== 'file'
      ? renderNar(node, options, signal)
      : streamFile(node, blobs, signal);
  for await (const piece of pieces) hasher.update(piece);
  return hasher.digest();
}

async function gitDigest(node: Node, options: ContentDigestOptions, signal?: AbortSignal): Promise<Digest> {
  const git = new GitHasher(options, signal);
  if (node.kind !== 'directory') return git.leaf(node);
  let root: Digest | undefined;
  for (const directory of leavesFirst(await readNodeClosure(node, options.directories, signal))) {
    root = await git.tree(directory);
  }
  if (root === undefined) throw new Error('a closure without a root');
  return root;
}

class GitHasher {
  readonly #options: ContentDigestOptions;
  readonly #signal: AbortSignal | undefined;
  /** By the key of a file or a directory. */
  readonly #blobs: Map<string, Digest> = new Map();
  readonly #trees: Map<string, Digest> = new Map();

  constructor(options: ContentDigestOptions, signal: AbortSignal | undefined) {
    this.#options = options;
    this.#signal = signal;
  }

  async leaf(node: Exclude<Node, { readonly kind: 'directory' }>): Promise<Digest> {
    if (node.kind === 'symlink') return this.#object('blob', node.target.bytes);
    const known = this.#blobs.get(node.digest.key) ?? (await this.#file(node));
    this.#blobs.set(node.digest.key, known);
    return known;
  }

  /** Those below it were hashed before. */
  async tree(directory: Directory): Promise<Digest> {
    const entries: { readonly order: Uint8Array; readonly bytes: Uint8Array }[] = [];
    for (const { name, node } of directory.entries) {
      const digest = node.kind === 'directory' ? this.#trees.get(node.digest.key) : await this.leaf(node);
      if (digest === undefined) throw new Error('a tree was hashed before one that is in it');
      entries.push({
        order: node.kind === 'directory' ? concatBytes([name.bytes, encodeUtf8('/')]) : name.bytes,
        bytes: concatBytes([encodeUtf8(`${modeOf(node)} `), name.bytes, new Uint8Array(1), digest.bytes]),
      });
    }
    entries.sort((a, b) => compareBytes(a.order, b.order));
    const digest = this.#object('tree', concatBytes(entries.map(({ bytes }) => bytes)));
    this.#trees.set(directory.digest.key, digest);
    return digest;
  }

  async #file(node: FileNode): Promise<Digest> {
    const hasher = this.#options.hashes.create(this.#options.algorithm);
    hasher.update(encodeUtf8(`blob ${node.size}\0`));
    for await (const piece of streamFile(node, this.#options.blobs, this.#signal)) hasher.update(piece);
    return hasher.digest();
  }

  #object(kind: string, contents: Uint8Array): Digest {
    const head = encodeUtf8(`${kind} ${contents.length}\0`);
    return this.#options.hashes.hash(this.#options.algorithm, concatBytes([head, contents]));
  }
}

function modeOf(node: Node): string {
  if (node.kind === 'directory') return '40000';
  if (node.kind === 'symlink') return '120000';
  return node.executable ? '100755' : '100644';
}
