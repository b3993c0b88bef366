// Making attribute sets out of the objects of a text, many of which have the same names in the same order.
//
// What is costly about a set is its key set: sorting the names, and later their bytewise order. A shape remembers, for a
// sequence of names as they stood in the text, the key set and the index of each name in it; the next object with this
// sequence only has its values put in their places. Of several values for one name the last is kept.
//
// Shapes refer to the heap, and so they live only until `beginObjects` is called again: within one text.
//
//   shape  [key set][count][names, count words][index of each in the key set, count words]

import { Address, CHUNK_SIZE, OWNER_BUFFER, chunksFor, returnChunks, takeChunks } from "../memory/chunks";
import { compress, decompress } from "../memory/pointers";
import { Symbol } from "../symbols/symbols";
import { Keys, makeAttrs, makeKeys, setAttrValue, setKey } from "../values/attrs";
import { EMPTY_ATTRS } from "../values/constants";
import { Value } from "../values/value";

const SLOTS: u32 = 256;
/** Offsets of shapes, plus one; 0 is free. */
const slots: Address = memory.data(1024);
/** Objects with more names are not remembered. */
const LARGEST_SHAPE: u32 = 128;
const SHAPE_HEADER: u32 = 8;

let shapes: Address = 0;
let shapesUsed: u32 = 0;
const SHAPES_SIZE: u32 = CHUNK_SIZE;

let scratch: Address = 0;
let scratchSize: u32 = 0;

/** Forgets all shapes: a new text begins. */
export function beginObjects(): void {
  if (shapes == 0) shapes = takeChunks(chunksFor(SHAPES_SIZE), OWNER_BUFFER);
  memory.fill(slots, 0, SLOTS << 2);
  shapesUsed = 0;
}

/** A set from `count` pairs of words [name][value] at `pairs`. */
export function makeObject(pairs: Address, count: u32): Value {
  if (count == 0) return EMPTY_ATTRS;
  const slot = slots + (hashNames(pairs, count) << 2);
  const known = load<u32>(slot);
  if (known != 0 && hasShape(shapes + (known - 1), pairs, count)) {
    return fillObject(shapes + (known - 1), pairs, count);
  }
  const size = SHAPE_HEADER + (count << 3);
  const kept = count <= LARGEST_SHAPE && shapesUsed + size <= SHAPES_SIZE;
  const shape = kept ? shapes + shapesUsed : reserveScratch(size + (count << 3)) + (count << 3);
  makeShape(shape, pairs, count);
  if (kept) {
    store<u32>(slot, shapesUsed + 1);
    shapesUsed += size;
  }
  return fillObject(shape, pairs, count);
}

@inline
function hashNames(pairs: Address, count: u32): u32 {
  let hash: u32 = count;
  for (let i: u32 = 0; i < count; i++) hash = (hash ^ load<u32>(pairs + (i << 3))) * 0x9e3779b1;
  return hash >>> 24;
}

@inline
function shapeName(shape: Address, i: u32): Symbol {
  return load<u32>(shape + (i << 2), SHAPE_HEADER);
}

@inline
function indicesOf(shape: Address, count: u32): Address {
  return shape + SHAPE_HEADER + (count << 2);
}

function hasShape(shape: Address, pairs: Address, count: u32): bool {
  if (load<u32>(shape, 4) != count) return false;
  for (let i: u32 = 0; i < count; i++) if (shapeName(shape, i) != load<u32>(pairs + (i << 3))) return false;
  return true;
}

function fillObject(shape: Address, pairs: Address, count: u32): Value {
  const attrs = makeAttrs(decompress(load<u32>(shape)));
  const indices = indicesOf(shape, count);
  for (let i: u32 = 0; i < count; i++) {
    setAttrValue(attrs, load<u32>(indices + (i << 2)), decompress(load<u32>(pairs + (i << 3), 4)));
  }
  return attrs;
}

/** Sorts the names, as words [order of arrival][name], and numbers the distinct ones. */
function makeShape(shape: Address, pairs: Address, count: u32): void {
  const entries = reserveScratch(count << 3);
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(entries + (i << 3), ((<u64>load<u32>(pairs + (i << 3))) << 32) | <u64>i);
    store<u32>(shape + (i << 2), load<u32>(pairs + (i << 3)), SHAPE_HEADER);
  }
  sortWords(entries, count);
  let distinct: u32 = 0;
  let previous: Symbol = 0;
  const indices = indicesOf(shape, count);
  for (let i: u32 = 0; i < count; i++) {
    const entry = load<u64>(entries + (i << 3));
    const name = <Symbol>(entry >>> 32);
    if (name != previous) distinct++;
    previous = name;
    store<u32>(indices + (<u32>entry << 2), distinct - 1);
  }
  const keys: Keys = makeKeys(distinct);
  for (let i: u32 = 0; i < count; i++) setKey(keys, load<u32>(indices + (i << 2)), shapeName(shape, i), 0);
  store<u32>(shape, compress(keys));
  store<u32>(shape, count, 4);
}

function sortWords(words: Address, count: u32): void {
  if (count > 24) return heapSort(words, count);
  for (let i: u32 = 1; i < count; i++) {
    const moving = load<u64>(words + (i << 3));
    let at = words + (i << 3);
    while (at > words && load<u64>(at - 8) > moving) {
      store<u64>(at, load<u64>(at - 8));
      at -= 8;
    }
    store<u64>(at, moving);
  }
}

function heapSort(words: Address, count: u32): void {
  let root = count >>> 1;
  while (root > 0) siftDown(words, --root, count);
  let end = count;
  while (end > 1) {
    end--;
    const last = load<u64>(words + (end << 3));
    store<u64>(words + (end << 3), load<u64>(words));
    store<u64>(words, last);
    siftDown(words, 0, end);
  }
}

function siftDown(words: Address, from: u32, count: u32): void {
  const moving = load<u64>(words + (from << 3));
  let root = from;
  while (true) {
    let child: u32 = 2 * root + 1;
    if (child >= count) break;
    if (child + 1 < count && load<u64>(words + (child << 3)) < load<u64>(words + ((child + 1) << 3))) child++;
    if (load<u64>(words + (child << 3)) <= moving) break;
    store<u64>(words + (root << 3), load<u64>(words + (child << 3)));
    root = child;
  }
  store<u64>(words + (root << 3), moving);
}

function reserveScratch(size: u32): Address {
  if (size > scratchSize) {
    if (scratchSize != 0) returnChunks(scratch, chunksFor(scratchSize));
    scratchSize = chunksFor(size) * CHUNK_SIZE;
    scratch = takeChunks(chunksFor(scratchSize), OWNER_BUFFER);
  }
  return scratch;
}
