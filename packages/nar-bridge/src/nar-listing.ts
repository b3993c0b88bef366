/**
 * The listing of a NAR, as Nix writes it with `write-nar-listing`: JSON without white space, names in bytewise order.
 *
 *     listing   = { "root": node, "version": 1 }
 *     directory = { "entries": { name: node, … }, "type": "directory" }
 *     file      = { ["executable": true,] "narOffset": where its contents begin, "size": bytes, "type": "regular" }
 *     link      = { "target": text, "type": "symlink" }
 *
 * Names that are not UTF-8 have U+FFFD for what is wrong; Nix cannot write those at all.
 */
import type { B3Digest, Directory, DirectoryService, Node } from '@neve/castore';
import { StoreError } from '@neve/store';

/** A directory that is in many places is listed as often, so that a small castore could make a text without end. */
const maxEntries = 4_000_000;

/** Pieces of text. Throws `StoreError`: `not-found` for a missing directory, `unsupported` for too many entries. */
export async function* narListing(
  root: Node,
  directories: DirectoryService,
  signal?: AbortSignal,
): AsyncGenerator<string, void, void> {
  if (root.kind === 'directory' && root.size > 2 * maxEntries) {
    throw new StoreError('unsupported', `a tree of more than ${maxEntries} files is not listed`);
  }
  const closure = new Map<string, Directory>();
  if (root.kind === 'directory') {
    for await (const directory of directories.closure(root.digest, signal)) {
      closure.set(directory.digest.key, directory);
    }
  }
  let text = '{"root":';
  for (const piece of listNodes(root, (digest) => closure.get(digest.key))) {
    text += piece;
    if (text.length < 1 << 16) continue;
    yield text;
    text = '';
  }
  yield `${text},"version":1}`;
}

// Lengths of what stands in a NAR: every string has 8 bytes of length before it and is padded to 8.
const stringLength = (length: number): number => 8 + length + (-length & 7);
const magicLength = 24;
const regularHead = 72;
const executableLength = 32;
const symlinkHead = 64;
const directoryHead = 56;
const entryHead = 64;
const close = 16;

/** Without recursion: trees may be deep. */
function* listNodes(
  root: Node,
  find: (digest: B3Digest) => Directory | undefined,
): Generator<string, void, void> {
  let offset = magicLength;
  const open: { readonly directory: Directory; next: number }[] = [];
  let node: Node | undefined = root;
  while (true) {
    if (node?.kind === 'file') {
      offset += regularHead + (node.executable ? executableLength : 0);
      const executable = node.executable ? '"executable":true,' : '';
      yield `{${executable}"narOffset":${offset},"size":${node.size},"type":"regular"}`;
      offset += node.size + (-node.size & 7) + close;
    } else if (node?.kind === 'symlink') {
      yield `{"target":${JSON.stringify(node.target.toString())},"type":"symlink"}`;
      offset += symlinkHead + stringLength(node.target.bytes.length) + close;
    } else if (node !== undefined) {
      const directory = find(node.digest);
      if (directory === undefined) {
        throw new StoreError('not-found', `the directory ${node.digest.toString()} is not there`);
      }
      yield '{"entries":{';
      offset += directoryHead;
      open.push({ directory, next: 0 });
    }
    // The end of the entry that the node was.
    if (node?.kind !== 'directory' && open.length > 0) offset += close;
    const last = open.at(-1);
    if (last === undefined) return;
    const entry = last.directory.entries[last.next++];
    node = entry?.node;
    if (entry === undefined) {
      open.pop();
      yield '},"type":"directory"}';
      offset += close;
      continue;
    }
    offset += entryHead + stringLength(entry.name.bytes.length);
    yield `${last.next > 1 ? ',' : ''}${JSON.stringify(entry.name.toString())}:`;
  }
}
