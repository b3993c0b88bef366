// The static memory that the host and the functions of this module share.

export type Address = usize;

/** Bytes at INPUT: four chunk groups, or 1024 pairs of chaining values. */
export const INPUT_SIZE: u32 = 65536;

/** Where the host writes. Lanes without a chunk of their own may read up to 3 KiB behind the last one: never past the end. */
export const INPUT: Address = memory.data(65536, 16);

/** Where functions leave their results: chaining values of 32 bytes each, or a hash of 8 bytes. */
export const OUTPUT: Address = memory.data(32768, 16);
