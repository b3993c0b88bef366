// Numbers of the source as permanent values, so that code can refer to them.

import { allocatePermanent } from "../memory/permanent";
import { KIND_FLOAT, KIND_INT, Value, cellHeader } from "../values/value";

export function permanentInt(n: i64): Value {
  if (n >= -0x40000000 && n < 0x40000000) return <Value>((<u32>n << 1) | 1);
  const cell = allocatePermanent(16);
  store<u32>(cell, cellHeader(KIND_INT));
  store<i64>(cell, n, 8);
  return cell;
}

export function permanentFloat(x: f64): Value {
  const cell = allocatePermanent(16);
  store<u32>(cell, cellHeader(KIND_FLOAT));
  store<f64>(cell, x, 8);
  return cell;
}
