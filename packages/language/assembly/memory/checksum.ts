// A checksum of what an image has (packages/eval/src/core-image.ts): it tells damage, and nothing else.

import { Address } from "./chunks";

const A: u64 = 0x9e3779b97f4a7c15;
const B: u64 = 0xc2b2ae3d27d4eb4f;

/** Of `length` bytes, a multiple of 32, after `seed`, the checksum of what comes before. */
export function checksumOf(from: Address, length: u32, seed: u64): u64 {
  let a = seed ^ A;
  let b = seed ^ B;
  let c = seed + A;
  let d = seed + B;
  const end = from + length;
  for (let at = from; at < end; at += 32) {
    a = (a ^ load<u64>(at)) * A;
    b = (b ^ load<u64>(at, 8)) * B;
    c = (c ^ load<u64>(at, 16)) * A;
    d = (d ^ load<u64>(at, 24)) * B;
    a ^= a >> 29;
    b ^= b >> 31;
    c ^= c >> 29;
    d ^= d >> 31;
  }
  return (((a * B) ^ b) * A ^ c) * B ^ d;
}
