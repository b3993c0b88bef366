// Rotations and changes of byte order, written with shifts.
//
// The instructions of WebAssembly for rotations, which `rotl`, `rotr` and `bswap` become, are calls of a function in the
// code that V8's baseline compiler makes: SHA-256 runs at a fifth of the speed with them. Optimizing compilers know the
// shifts for what they are.

/** Rotates 32 bits to the left; `n` is from 1 to 31. */
@inline
export function rotateLeft32(x: u32, n: u32): u32 {
  return (x << n) | (x >>> (32 - n));
}

/** Rotates 32 bits to the right; `n` is from 1 to 31. */
@inline
export function rotateRight32(x: u32, n: u32): u32 {
  return (x >>> n) | (x << (32 - n));
}

/** Rotates 64 bits to the right; `n` is from 1 to 63. */
@inline
export function rotateRight64(x: u64, n: u64): u64 {
  return (x >>> n) | (x << (64 - n));
}

/** The four bytes the other way round. */
@inline
export function swapBytes32(x: u32): u32 {
  return (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
}

/** The eight bytes the other way round. */
@inline
export function swapBytes64(x: u64): u64 {
  const pairs = ((x & 0x00ff00ff00ff00ff) << 8) | ((x >>> 8) & 0x00ff00ff00ff00ff);
  const fours = ((pairs & 0x0000ffff0000ffff) << 16) | ((pairs >>> 16) & 0x0000ffff0000ffff);
  return (fours << 32) | (fours >>> 32);
}
