/**
 * The WebAssembly module of this package (`assembly/`), one instance a thread, made when it is first needed.
 *
 * A caller writes at `input`, calls one function and takes the results from `output` before anything else runs: the
 * memory belongs to nobody between two calls. It never grows, so that `input` and `output` stay valid.
 */
import { decodeBase64 } from '@neve/bytes';
import { castoreWasm } from '../build/castore-wasm.js';

/** Bytes of a chunk group, the leaf of an outboard: 16 chunks of BLAKE3. */
export const chunkGroupSize = 16_384;

/** Bytes of a digest and of a chaining value. */
export const hashLength = 32;

/** How many groups fit into `input`. */
export const groupsPerCall = 4;

/** How many pairs of chaining values fit into `input`. */
export const pairsPerCall = 1024;

/** What `assembly/index.ts` exports. A whole number that may exceed 32 bits is given as a double. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly INPUT: WebAssembly.Global<'i32'>;
  readonly INPUT_SIZE: WebAssembly.Global<'i32'>;
  readonly OUTPUT: WebAssembly.Global<'i32'>;
  readonly GEAR: WebAssembly.Global<'i32'>;
  readonly hashGroups: (groups: number, firstGroup: number) => void;
  readonly hashLastGroup: (length: number, group: number, isRoot: boolean) => void;
  readonly hashParents: (pairs: number, isRoot: boolean) => void;
  readonly findCut: (length: number, mask: bigint, hash: bigint) => number;
}

export interface HashCore {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  /** The gear table of FastCDC, 256 numbers. */
  readonly gear: BigUint64Array;

  /** Up to four whole groups at `input`, which are not the whole blob, become chaining values. */
  hashGroups(groups: number, firstGroup: number): void;
  /** A group of 0 to 16384 bytes becomes a chaining value, or the digest if it is the whole blob. */
  hashLastGroup(length: number, group: number, isRoot: boolean): void;
  /** Pairs of children become the chaining values of their parents. The root is hashed alone, and is the digest. */
  hashParents(pairs: number, isRoot: boolean): void;
  /** The first of `length` bytes whose gear hash, begun with `hash`, has only zeros under `mask`; or `length`. */
  findCut(length: number, mask: bigint, hash: bigint): number;
  /** The gear hash of the byte at which `findCut` ended. */
  gearHash(): bigint;
}

let shared: HashCore | undefined;

export function hashCore(): HashCore {
  shared ??= instantiate();
  return shared;
}

function instantiate(): HashCore {
  const module = new WebAssembly.Module(decodeBase64(castoreWasm).slice());
  // The exports are those of `assembly/index.ts`, which the build compiles together with this file.
  const exports = new WebAssembly.Instance(module).exports as unknown as Exports;
  const { buffer } = exports.memory;
  const view = new DataView(buffer);
  const output = exports.OUTPUT.value;
  return {
    input: new Uint8Array(buffer, exports.INPUT.value, exports.INPUT_SIZE.value),
    output: new Uint8Array(buffer, output, pairsPerCall * hashLength),
    gear: new BigUint64Array(buffer, exports.GEAR.value, 256),
    hashGroups: exports.hashGroups,
    hashLastGroup: exports.hashLastGroup,
    hashParents: exports.hashParents,
    findCut: exports.findCut,
    gearHash: () => view.getBigUint64(output, true),
  };
}
