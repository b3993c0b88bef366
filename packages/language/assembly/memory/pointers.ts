// Words of 32 bits that refer to values, and the addresses they stand for.
//
// In a memory of 32 bits an address is its own word. In one of 64 bits (memory64) only the heap lies above the first 4 GiB,
// and 8-aligned: words from 2^30 on are such addresses divided by 4, which is even, as the word of any address is. All other
// words are what they say: small integers are odd, everything else lies below 1 GiB. So 32 bits reach 16 GiB, which is what
// engines allow a memory to have, cells have the same size in both, and what is not the heap knows nothing of this.

/** Whether addresses have 64 bits. The compiler knows which, so that no code is left of the other case. */
// @ts-ignore: decorator
@inline
export const HAS_WIDE_ADDRESSES: bool = sizeof<usize>() == 8;

/** Even words from this one on are high addresses. */
export const FIRST_HIGH_WORD: u32 = 1 << 30;
const SHIFT: u32 = 2;
/** Where high addresses begin. */
export const HIGH_BASE: u64 = <u64>FIRST_HIGH_WORD << SHIFT;

/** The word of a value, or of another address. */
@inline
export function compress(address: usize): u32 {
  if (HAS_WIDE_ADDRESSES) return <u32>(<u64>address >= HIGH_BASE ? address >>> SHIFT : address);
  return <u32>address;
}

/** The value, or the address, whose word it is. */
@inline
export function decompress(word: u32): usize {
  if (HAS_WIDE_ADDRESSES) {
    return (word & 1) == 0 && word >= FIRST_HIGH_WORD ? <usize>word << SHIFT : <usize>word;
  }
  return <usize>word;
}
