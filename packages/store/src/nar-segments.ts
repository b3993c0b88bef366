/**
 * A node as a NAR, without the contents of its files: literal bytes, and between them the blobs that go there. The grammar
 * is in `nar-writer.ts` of nix-compat. The directories of the node are read once and kept, blobs are not looked at: their
 * sizes are in the nodes.
 *
 *     nar      = literal (blob literal)*
 *     literal  = bytes that hold everything but contents, the padding after contents included
 *
 * A directory that is in several places is in the archive as often, so that a few directories can make an archive of any
 * size. `measureNar` tells the size from each directory once, and refuses what is beyond 2^53 - 1 bytes.
 */
import { concatBytes, encodeUtf8 } from '@neve/bytes';
import type { Directory, DirectoryEntry, DirectoryService, FileNode, Node } from '@neve/castore';
import { StoreError } from './store-error.ts';

/** Directories by the keys of their digests. */
export type DirectoryMap = ReadonlyMap<string, Directory>;

/** Literal bytes, or a file whose contents come here. */
export type NarSegment = Uint8Array | FileNode;

/** `segments` is how many `narSegments` gives, or a few more. */
export type NarMeasure = { readonly narSize: number; readonly segments: number };

/** All directories below the node and itself. Throws `StoreError` (`not-found`) when they are not there. */
export async function readClosure(
  node: Node,
  directories: DirectoryService,
  signal?: AbortSignal,
): Promise<DirectoryMap> {
  const closure = new Map<string, Directory>();
  if (node.kind !== 'directory') return closure;
  for await (const directory of directories.closure(node.digest, signal)) {
    closure.set(directory.digest.key, directory);
  }
  if (closure.size === 0) throw missingDirectory(node);
  return closure;
}

/** Throws `StoreError`: `not-found` for a directory that is not in the map, `unsupported` for too large a NAR. */
export function measureNar(root: Node, directories: DirectoryMap): NarMeasure {
  const known = new Map<string, NarMeasure>();
  const pending: Node[] = [root];
  for (let node = pending.at(-1); node !== undefined; node = pending.at(-1)) {
    const unknown = unknownChildren(node, { directories, known });
    if (unknown.length > 0) {
      pending.push(...unknown);
      continue;
    }
    pending.pop();
    if (node.kind === 'directory') known.set(node.digest.key, measureDirectory(node, { directories, known }));
  }
  const { narSize, segments } = measureNode(root, known);
  if (!Number.isSafeInteger(tokens().magic.length + narSize)) {
    throw new StoreError('unsupported', 'the NAR of this node would be larger than 2^53 - 1 bytes');
  }
  return { narSize: tokens().magic.length + narSize, segments: segments + 1 };
}

/** The pieces of the NAR in order; literals are small, adjacent ones are not joined. */
export function* narSegments(root: Node, directories: DirectoryMap): Generator<NarSegment, void, void> {
  const literals = new LiteralWriter();
  literals.put(tokens().magic);
  const open: { readonly entries: readonly DirectoryEntry[]; next: number }[] = [];
  let node: Node | undefined = root;
  while (true) {
    if (node?.kind === 'file') {
      literals.put(node.executable ? tokens().executable : tokens().regular);
      literals.putLength(node.size);
      if (node.size > 0) {
        yield literals.take();
        yield node;
      }
      literals.put(zeroes.subarray(0, -node.size & 7));
    } else if (node?.kind === 'symlink') {
      literals.put(tokens().symlink);
      literals.putString(node.target.bytes);
    } else if (node !== undefined) {
      literals.put(tokens().directory);
      open.push({ entries: find(node, directories).entries, next: 0 });
    }
    const directory = open.at(-1);
    if (node !== undefined && node.kind !== 'directory') {
      literals.put(directory === undefined ? tokens().close : tokens().closeTwice);
    }
    if (directory === undefined) break;
    const entry = directory.entries[directory.next++];
    node = entry?.node;
    if (entry !== undefined) {
      literals.put(tokens().entry);
      literals.putString(entry.name.bytes);
      literals.put(tokens().node);
    } else {
      open.pop();
      literals.put(open.length === 0 ? tokens().close : tokens().closeTwice);
      if (open.length === 0) break;
    }
  }
  yield literals.take();
}

export function missingDirectory({ digest }: { readonly digest: { toString(): string } }): StoreError {
  return new StoreError('not-found', `the directory ${digest.toString()} is not there`);
}

type Measuring = { readonly directories: DirectoryMap; readonly known: ReadonlyMap<string, NarMeasure> };

function unknownChildren(node: Node, { directories, known }: Measuring): Node[] {
  if (node.kind !== 'directory' || known.has(node.digest.key)) return [];
  return find(node, directories).entries.flatMap(({ node: child }) =>
    child.kind === 'directory' && !known.has(child.digest.key) ? [child] : [],
  );
}

function measureDirectory(
  node: Node & { readonly kind: 'directory' },
  { directories, known }: Measuring,
): NarMeasure {
  const { directory, close, entry, node: nodeToken } = tokens();
  let narSize = directory.length + close.length;
  let segments = 0;
  for (const { name, node: child } of find(node, directories).entries) {
    const inner = measureNode(child, known);
    narSize += entry.length + stringLength(name.bytes) + nodeToken.length + inner.narSize + close.length;
    segments += inner.segments;
  }
  return { narSize, segments };
}

function measureNode(node: Node, known: ReadonlyMap<string, NarMeasure>): NarMeasure {
  const { regular, executable, symlink, close } = tokens();
  if (node.kind === 'symlink') {
    return { narSize: symlink.length + stringLength(node.target.bytes) + close.length, segments: 0 };
  }
  if (node.kind === 'file') {
    const head = (node.executable ? executable : regular).length + 8;
    return { narSize: head + node.size + (-node.size & 7) + close.length, segments: node.size > 0 ? 2 : 0 };
  }
  const measure = known.get(node.digest.key);
  if (measure === undefined) throw missingDirectory(node);
  return measure;
}

function find(node: Node & { readonly kind: 'directory' }, directories: DirectoryMap): Directory {
  const directory = directories.get(node.digest.key);
  if (directory === undefined) throw missingDirectory(node);
  return directory;
}

const slabSize = 1 << 16;
/** Most archives are of one file. */
const firstSlabSize = 1 << 10;

/** Gathers literal bytes; what was taken is never written again. */
class LiteralWriter {
  #slab = new Uint8Array(firstSlabSize);
  #start = 0;
  #end = 0;

  put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  putLength(length: number): void {
    this.#reserve(8);
    writeLength(this.#slab, this.#end, length);
    this.#end += 8;
  }

  putString(bytes: Uint8Array): void {
    this.putLength(bytes.length);
    this.put(bytes);
    this.put(zeroes.subarray(0, -bytes.length & 7));
  }

  take(): Uint8Array {
    const bytes = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return bytes;
  }

  #reserve(length: number): void {
    const used = this.#end - this.#start;
    if (this.#end + length <= this.#slab.length) return;
    const larger = new Uint8Array(Math.max(slabSize, 2 * (used + length)));
    larger.set(this.#slab.subarray(this.#start, this.#end));
    this.#slab = larger;
    this.#start = 0;
    this.#end = used;
  }
}

const zeroes = new Uint8Array(8);

function stringLength({ length }: Uint8Array): number {
  return 8 + length + (-length & 7);
}

function writeLength(target: Uint8Array, offset: number, length: number): void {
  // A byte array keeps the lowest eight bits of what it is given.
  for (let i = 0, rest = length; i < 8; i++, rest = Math.floor(rest / 256)) target[offset + i] = rest;
}

/** Several strings as they stand in an archive. */
function framed(...texts: readonly string[]): Uint8Array {
  return concatBytes(
    texts.map((text) => {
      const bytes = encodeUtf8(text);
      const result = new Uint8Array(stringLength(bytes));
      writeLength(result, 0, bytes.length);
      result.set(bytes, 8);
      return result;
    }),
  );
}

function makeTokens() {
  return {
    magic: framed('nix-archive-1'),
    regular: framed('(', 'type', 'regular', 'contents'),
    executable: framed('(', 'type', 'regular', 'executable', '', 'contents'),
    symlink: framed('(', 'type', 'symlink', 'target'),
    directory: framed('(', 'type', 'directory'),
    entry: framed('entry', '(', 'name'),
    node: framed('node'),
    close: framed(')'),
    /** Of a node and of the entry around it. */
    closeTwice: framed(')', ')'),
  };
}

type Tokens = ReturnType<typeof makeTokens>;

let madeTokens: Tokens | undefined;

function tokens(): Tokens {
  madeTokens ??= makeTokens();
  return madeTokens;
}
