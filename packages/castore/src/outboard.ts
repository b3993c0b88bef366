/**
 * The outboard of a blob: the inner nodes of its BLAKE3 tree down to chunk groups of 16 KiB, without the bytes.
 *
 *     node      = left right              the chaining values, 32 bytes each, of the two subtrees below it
 *     tree(n)   = node tree(l) tree(n-l)  for n > 1 groups, where l is the largest power of two below n
 *     tree(1)   = nothing
 *     outboard  = tree(number of groups)  64 bytes for every group but one, nothing for up to 16 KiB
 *
 * This is the pre-order outboard of the bao-tree crate with block size 2^4 chunks, as iroh has it, and without the size
 * (8 bytes, little-endian) that the bao crate and early versions of iroh put before it. Nodes are numbered in that order,
 * so that node `i` is at byte `64 i`, the left child of an inner node is `i + 1` and the right one `i + l`.
 */
import { CastoreError } from './castore-error.ts';
import { chunkGroupSize } from './hash-core.ts';

/** Bytes of a node. */
export const outboardNodeLength = 64;

/** Nodes with consecutive numbers. */
export type NodeRange = { readonly first: number; readonly count: number };

/** A subtree: its root is node `node` if there is more than one group, else it is the group `first` itself. */
export type Subtree = { readonly node: number; readonly first: number; readonly groups: number };

/** How many groups a blob has; an empty one has one. */
export function chunkGroups(sizeBytes: number): number {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
    throw new CastoreError('corrupt', `a blob cannot have ${sizeBytes} bytes`);
  }
  return Math.max(1, Math.ceil(sizeBytes / chunkGroupSize));
}

/** How many bytes the outboard of a blob has. */
export function outboardLength(sizeBytes: number): number {
  return (chunkGroups(sizeBytes) - 1) * outboardNodeLength;
}

/** The two halves of a subtree of more than one group. */
export function splitSubtree({ node, first, groups }: Subtree): readonly [left: Subtree, right: Subtree] {
  const left = largestPowerBelow(groups);
  return [
    { node: node + 1, first, groups: left },
    { node: node + left, first: first + left, groups: groups - left },
  ];
}

/**
 * The nodes by which the bytes from `start` to `end` are verified, in ascending order: what a client asks for when it
 * wants a part of a blob only. The bytes must be fetched in whole groups (see `groupRange`).
 */
export function outboardNodes(sizeBytes: number, start: number, end: number): readonly NodeRange[] {
  const wanted = groupRange(sizeBytes, start, end);
  const ranges: { first: number; count: number }[] = [];
  const add = (first: number, count: number): void => {
    const last = ranges.at(-1);
    if (last !== undefined && last.first + last.count === first) last.count += count;
    else ranges.push({ first, count });
  };
  const visit = (subtree: Subtree): void => {
    const end = subtree.first + subtree.groups;
    if (subtree.groups === 1 || end <= wanted.first || subtree.first >= wanted.first + wanted.groups) return;
    if (subtree.first >= wanted.first && end <= wanted.first + wanted.groups) {
      add(subtree.node, subtree.groups - 1);
      return;
    }
    add(subtree.node, 1);
    splitSubtree(subtree).forEach(visit);
  };
  visit({ node: 0, first: 0, groups: chunkGroups(sizeBytes) });
  return ranges;
}

/** Whole groups, and the bytes of the blob that they are. */
export type GroupRange = {
  readonly first: number;
  readonly groups: number;
  readonly start: number;
  readonly end: number;
};

/** The groups that hold the bytes from `start` to `end`; at least one, which proves that the range is empty. */
export function groupRange(sizeBytes: number, start: number, end: number): GroupRange {
  const all = chunkGroups(sizeBytes);
  const first = Math.min(Math.floor(Math.max(0, start) / chunkGroupSize), all - 1);
  const last = Math.max(first, Math.min(Math.ceil(end / chunkGroupSize), all) - 1);
  return {
    first,
    groups: last - first + 1,
    start: first * chunkGroupSize,
    end: Math.min((last + 1) * chunkGroupSize, sizeBytes),
  };
}

function largestPowerBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}
