/**
 * BLAKE3, at once and as a tree.
 *
 * `Blake3TreeHasher` gives, besides the digest, the outboard: what somebody needs to check a part of the blob against
 * the digest (see outboard.ts for its layout). It keeps one chaining value for each 16 KiB, that is 1/512 of the blob,
 * and at most one group of its bytes; `finish` makes the outboard (1/256) and as much again in passing.
 */
import { chunkGroupSize, groupsPerCall, hashCore, hashLength, pairsPerCall } from './hash-core.ts';
import { outboardLength } from './outboard.ts';

/** The digest, 32 bytes, of bytes that are all there. */
export function hashBlake3(bytes: Uint8Array): Uint8Array {
  if (bytes.length > chunkGroupSize) return new Blake3TreeHasher().update(bytes).finish().digest;
  const core = hashCore();
  core.input.set(bytes);
  core.hashLastGroup(bytes.length, 0, true);
  return core.output.slice(0, hashLength);
}

export type TreeHash = {
  /** 32 bytes. */
  readonly digest: Uint8Array;
  /** How many bytes were hashed. */
  readonly size: number;
  /** Empty for a blob of up to 16 KiB. */
  readonly outboard: Uint8Array;
};

/** Takes the bytes of a blob in order, in pieces of any sizes. It is used up by `finish`. */
export class Blake3TreeHasher {
  /** The bytes of a group that is not complete, or not known to be one of several. */
  readonly #pending: Uint8Array = new Uint8Array(chunkGroupSize);
  #pendingLength = 0;
  /** Chaining values of the groups hashed so far; there may be room behind them. */
  #values: Uint8Array = new Uint8Array(64 * hashLength);
  #groups = 0;

  /** The bytes may change afterwards. */
  update(bytes: Uint8Array): this {
    const rest = this.#pendingLength === 0 ? bytes : this.#fillPending(bytes);
    const isWholeBlob = this.#groups === 0 && rest.length === chunkGroupSize;
    const groups = isWholeBlob ? 0 : Math.floor(rest.length / chunkGroupSize);
    for (let done = 0; done < groups; done += groupsPerCall) {
      const count = Math.min(groupsPerCall, groups - done);
      this.#hashGroups(rest.subarray(done * chunkGroupSize, (done + count) * chunkGroupSize), count);
    }
    if (rest.length > groups * chunkGroupSize) {
      this.#pending.set(rest.subarray(groups * chunkGroupSize));
      this.#pendingLength = rest.length - groups * chunkGroupSize;
    }
    return this;
  }

  finish(): TreeHash {
    const size = this.#groups * chunkGroupSize + this.#pendingLength;
    const isWholeBlob = this.#groups === 0;
    if (isWholeBlob || this.#pendingLength > 0) {
      const core = hashCore();
      core.input.set(this.#pending.subarray(0, this.#pendingLength));
      core.hashLastGroup(this.#pendingLength, this.#groups, isWholeBlob);
      this.#append(core.output.subarray(0, hashLength));
    }
    const levels = mergeLevels(this.#values.slice(0, this.#groups * hashLength));
    const digest = levels.at(-1) ?? new Uint8Array();
    return { digest, size, outboard: preOrder(levels, new Uint8Array(outboardLength(size))) };
  }

  /** Completes the pending group as far as it goes, and hashes it if there is more. Returns what is left. */
  #fillPending(bytes: Uint8Array): Uint8Array {
    const taken = Math.min(bytes.length, chunkGroupSize - this.#pendingLength);
    this.#pending.set(bytes.subarray(0, taken), this.#pendingLength);
    this.#pendingLength += taken;
    const rest = bytes.subarray(taken);
    const isGroup = this.#pendingLength === chunkGroupSize && (this.#groups > 0 || rest.length > 0);
    if (isGroup) {
      this.#hashGroups(this.#pending, 1);
      this.#pendingLength = 0;
    }
    return rest;
  }

  #hashGroups(bytes: Uint8Array, count: number): void {
    const core = hashCore();
    core.input.set(bytes);
    core.hashGroups(count, this.#groups);
    this.#append(core.output.subarray(0, count * hashLength));
  }

  #append(values: Uint8Array): void {
    const length = this.#groups * hashLength;
    if (length + values.length > this.#values.length) {
      const larger = new Uint8Array(2 * this.#values.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values.set(values, length);
    this.#groups += values.length / hashLength;
  }
}

/** All levels of a tree, from the given one to the root, which is the digest. */
function mergeLevels(leaves: Uint8Array): readonly Uint8Array[] {
  const levels = [leaves];
  let level = leaves;
  while (level.length > hashLength) {
    level = mergeLevel(level);
    levels.push(level);
  }
  return levels;
}

/** Neighbours become their parents; an odd last one moves up as it is. */
function mergeLevel(level: Uint8Array): Uint8Array {
  const core = hashCore();
  const nodes = level.length / hashLength;
  const pairs = Math.floor(nodes / 2);
  const above = new Uint8Array((nodes - pairs) * hashLength);
  for (let done = 0; done < pairs; done += pairsPerCall) {
    const count = Math.min(pairsPerCall, pairs - done);
    core.input.set(level.subarray(done * 2 * hashLength, (done + count) * 2 * hashLength));
    core.hashParents(count, nodes === 2);
    above.set(core.output.subarray(0, count * hashLength), done * hashLength);
  }
  above.set(level.subarray(pairs * 2 * hashLength), pairs * hashLength);
  return above;
}

/** Writes the pairs of children of all parents, a parent before what is below it, the left one first. */
function preOrder(levels: readonly Uint8Array[], outboard: Uint8Array): Uint8Array {
  let at = 0;
  const visit = (height: number, index: number): void => {
    const below = levels[height - 1];
    if (below === undefined) return;
    const pair = below.subarray(index * 2 * hashLength, (index + 1) * 2 * hashLength);
    if (pair.length === 2 * hashLength) {
      outboard.set(pair, at);
      at += pair.length;
      visit(height - 1, index * 2);
      visit(height - 1, index * 2 + 1);
    } else {
      visit(height - 1, index * 2);
    }
  };
  visit(levels.length - 1, 0);
  return outboard;
}
