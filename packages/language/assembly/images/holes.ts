// Holes: what a kept argument (shared-calls.ts) had not evaluated when it was written down. Nothing that was kept depends on
// it but by referring to it, so the hole becomes what the argument of a later call has in its place.
//
//   hole         a thunk whose code is HOLE_CODE; [code][number of the call << 2 | HOLE, or OBSTACLE for what no other value
//                may stand in for]
//   bound hole   a thunk whose code is BOUND_CODE; [code][what it stands for, not evaluated yet]

import { allocate } from "../memory/heap";
import { compress, decompress } from "../memory/pointers";
import { BOUND_CODE, HOLE_CODE } from "../machine/static-code";
import { forward } from "../values/thunk";
import { Value, isWhnf, resolve } from "../values/value";

export const HOLE: u32 = 1;
export const OBSTACLE: u32 = 3;

export function makeHole(kind: u32, call: u32): Value {
  const hole = allocate(8);
  store<u32>(hole, <u32>HOLE_CODE);
  store<u32>(hole, (call << 2) | kind, 4);
  return hole;
}

export function holeNumber(hole: Value): u32 {
  return load<u32>(hole, 4) >>> 2;
}

export function isHole(value: Value): bool {
  return (value & 1) == 0 && load<u32>(value) == <u32>HOLE_CODE;
}

export function isObstacle(hole: Value): bool {
  return (load<u32>(hole, 4) & 3) == OBSTACLE;
}

/** Makes a hole `value`. */
export function bindHole(hole: Value, value: Value): void {
  const bound = resolve(value);
  if (isWhnf(bound)) {
    forward(hole, bound);
  } else {
    store<u32>(hole, <u32>BOUND_CODE);
    store<u32>(hole, compress(bound), 4);
  }
}

/** A value, or what a bound hole stands for. */
export function unbound(value: Value): Value {
  let at = resolve(value);
  while ((at & 1) == 0 && load<u32>(at) == <u32>BOUND_CODE) at = resolve(decompress(load<u32>(at, 4)));
  return at;
}
