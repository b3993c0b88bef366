/**
 * Memory that files are read into. It begins a little after the beginning of a page: processors of the Zen 3 family copy
 * from page to page three times more slowly when both pieces begin where a page does (their `rep movsb`), which is where
 * large allocations begin, and what the page cache holds.
 */
const distance = 64;

/** Not filled, and in no pool. It does not start at the beginning of its `ArrayBuffer`. */
export function allocateReadBuffer(length: number): Uint8Array {
  const { buffer } = Buffer.allocUnsafeSlow(distance + length);
  return new Uint8Array(buffer, distance, length);
}
