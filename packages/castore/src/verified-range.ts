/**
 * Parts of a blob that come from a stranger, checked against the digest of the whole.
 *
 * The verifier goes from the digest to the groups: a node of the outboard is believed when its hash is what the node
 * above it says, and this is looked at once for each. Nodes are copied when they are given, so that nobody changes one
 * that is believed. They are kept in pages of 64, at most 1/256 of the blob.
 *
 * The size is a stranger's word, too. A wrong one never makes wrong bytes pass, since a chaining value says where in the
 * blob its bytes are, but only the last group proves that the blob ends there.
 */
import { encodeHex, equalBytes } from '@neve/bytes';
import { CastoreError } from './castore-error.ts';
import { chunkGroupSize, groupsPerCall, hashCore, hashLength } from './hash-core.ts';
import {
  chunkGroups,
  outboardLength,
  outboardNodeLength,
  outboardNodes,
  splitSubtree,
  type NodeRange,
  type Subtree,
} from './outboard.ts';

const nodesPerPage = 64;

const absent = 0;
const given = 1;
const believed = 2;

type Page = { readonly bytes: Uint8Array; readonly states: Uint8Array };

export class OutboardVerifier {
  readonly size: number;
  readonly #digest: Uint8Array;
  readonly #groups: number;
  readonly #pages: Map<number, Page> = new Map();

  /**
   * `digest` is trusted, 32 bytes; `size` and `outboard` are not. Without an outboard, nodes are given by `add`.
   * Throws `CastoreError` (`corrupt`) if the outboard has not the length of one for this size.
   */
  constructor(digest: Uint8Array, size: number, outboard?: Uint8Array) {
    if (digest.length !== hashLength) {
      throw new CastoreError('invalid-digest', `${digest.length} bytes are not a BLAKE3 digest`);
    }
    this.#digest = digest.slice();
    this.size = size;
    this.#groups = chunkGroups(size);
    if (outboard === undefined) return;
    if (outboard.length !== outboardLength(size)) {
      const lengths = `${outboard.length} bytes instead of ${outboardLength(size)}`;
      throw this.#corrupt({ first: 0, groups: this.#groups }, `the outboard has ${lengths}`);
    }
    this.add(0, outboard);
  }

  /**
   * Takes nodes with consecutive numbers, from `first` on, 64 bytes each. A node that is believed already stays as it
   * is; one that is not is replaced, so that a second source may correct a first one.
   */
  add(first: number, nodes: Uint8Array): void {
    const count = nodes.length / outboardNodeLength;
    if (!Number.isInteger(count) || first < 0 || first + count > this.#groups - 1) {
      const what = `${nodes.length} bytes of the outboard from node ${first} on are no nodes of it`;
      throw this.#corrupt({ first: 0, groups: this.#groups }, what);
    }
    for (let i = 0; i < count; i++) {
      const page = this.#pageOf(first + i);
      const slot = (first + i) % nodesPerPage;
      if (page.states[slot] === believed) continue;
      page.states[slot] = given;
      const node = nodes.subarray(i * outboardNodeLength, (i + 1) * outboardNodeLength);
      page.bytes.set(node, slot * outboardNodeLength);
    }
  }

  /** The nodes needed to verify the bytes from `start` to `end` that were not given yet. */
  missing(start: number, end: number): readonly NodeRange[] {
    const ranges: { first: number; count: number }[] = [];
    for (const { first, count } of outboardNodes(this.size, start, end)) {
      for (let node = first; node < first + count; node++) {
        if (this.#stateOf(node) !== absent) continue;
        const last = ranges.at(-1);
        if (last !== undefined && last.first + last.count === node) last.count += 1;
        else ranges.push({ first: node, count: 1 });
      }
    }
    return ranges;
  }

  /**
   * Checks the path from the root to these groups, then the groups: `bytes` begin at `16384 firstGroup` and end with a
   * group or with the blob. Returns when all of them are what the digest stands for, and throws `CastoreError` if not:
   * `corrupt` for a false node or group or bytes of another length, `not-found` for a node that was not given.
   */
  verify(firstGroup: number, bytes: Uint8Array): void {
    const groups = Math.max(1, Math.ceil(bytes.length / chunkGroupSize));
    const end = Math.min((firstGroup + groups) * chunkGroupSize, this.size);
    if (firstGroup < 0 || firstGroup + groups > this.#groups || !Number.isInteger(firstGroup)) {
      throw this.#corrupt({ first: firstGroup, groups }, 'they are not in the blob');
    }
    if (bytes.length !== end - firstGroup * chunkGroupSize) {
      throw this.#corrupt({ first: firstGroup, groups }, `there are ${bytes.length} of them`);
    }
    for (let done = 0; done < groups; done += groupsPerCall) {
      const count = Math.min(groupsPerCall, groups - done);
      const start = done * chunkGroupSize;
      this.#verifyBatch(firstGroup + done, count, bytes.subarray(start, start + count * chunkGroupSize));
    }
  }

  #verifyBatch(first: number, count: number, bytes: Uint8Array): void {
    const expected = new Uint8Array(count * hashLength);
    for (let i = 0; i < count; i++) expected.set(this.#expected(first + i), i * hashLength);
    const actual = this.#hash(first, count, bytes);
    for (let i = 0; i < count; i++) {
      const at = i * hashLength;
      if (equalBytes(expected.subarray(at, at + hashLength), actual.subarray(at, at + hashLength))) continue;
      throw this.#corrupt({ first: first + i, groups: 1 }, 'they are not those of the blob');
    }
  }

  /** The chaining values of these groups, or the digest. The last one of the blob may be shorter than the others. */
  #hash(first: number, count: number, bytes: Uint8Array): Uint8Array {
    const core = hashCore();
    const whole = this.#groups === 1 ? 0 : Math.floor(bytes.length / chunkGroupSize);
    const values = new Uint8Array(count * hashLength);
    if (whole > 0) {
      core.input.set(bytes.subarray(0, whole * chunkGroupSize));
      core.hashGroups(whole, first);
      values.set(core.output.subarray(0, whole * hashLength));
    }
    if (whole < count) {
      const last = bytes.subarray(whole * chunkGroupSize);
      core.input.set(last);
      core.hashLastGroup(last.length, first + whole, this.#groups === 1);
      values.set(core.output.subarray(0, hashLength), whole * hashLength);
    }
    return values;
  }

  /** What a group must hash to, by the nodes above it; those that are not believed yet are checked. */
  #expected(group: number): Uint8Array {
    let subtree: Subtree = { node: 0, first: 0, groups: this.#groups };
    let value = this.#digest;
    while (subtree.groups > 1) {
      const pair = this.#believe(subtree, value);
      const [left, right] = splitSubtree(subtree);
      const isLeft = group < right.first;
      value = isLeft ? pair.subarray(0, hashLength) : pair.subarray(hashLength);
      subtree = isLeft ? left : right;
    }
    return value;
  }

  /** The node of a subtree whose hash must be `expected`. */
  #believe(subtree: Subtree, expected: Uint8Array): Uint8Array {
    const state = this.#stateOf(subtree.node);
    if (state === absent) {
      const range = this.#showRange(subtree);
      throw new CastoreError(
        'not-found',
        `node ${subtree.node} of the outboard, for ${range}, was not given`,
      );
    }
    const page = this.#pageOf(subtree.node);
    const slot = subtree.node % nodesPerPage;
    const node = page.bytes.subarray(slot * outboardNodeLength, (slot + 1) * outboardNodeLength);
    if (state === believed) return node;
    const core = hashCore();
    core.input.set(node);
    core.hashParents(1, subtree.node === 0);
    if (!equalBytes(core.output.subarray(0, hashLength), expected)) {
      throw this.#corrupt(subtree, `node ${subtree.node} of the outboard is false`);
    }
    page.states[slot] = believed;
    return node;
  }

  #stateOf(node: number): number {
    return this.#pages.get(Math.floor(node / nodesPerPage))?.states[node % nodesPerPage] ?? absent;
  }

  #pageOf(node: number): Page {
    const number = Math.floor(node / nodesPerPage);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = {
        bytes: new Uint8Array(nodesPerPage * outboardNodeLength),
        states: new Uint8Array(nodesPerPage),
      };
      this.#pages.set(number, page);
    }
    return page;
  }

  #corrupt(groups: { readonly first: number; readonly groups: number }, what: string): CastoreError {
    return new CastoreError('corrupt', `${this.#showRange(groups)} cannot be verified: ${what}`);
  }

  #showRange({ first, groups }: { readonly first: number; readonly groups: number }): string {
    const end = Math.min((first + groups) * chunkGroupSize, this.size);
    return `bytes ${first * chunkGroupSize} to ${end} of blob ${encodeHex(this.#digest)}`;
  }
}
