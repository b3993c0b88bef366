/**
 * The frames in which a Tracy client sends its items: `[length of the block: u32][a block of LZ4]`. These blocks are one
 * sequence of literals each, so that they need no search for matches; the way is short, mostly within one machine.
 *
 * A sequence without a match (LZ4 Block Format Description): [token: length of the literals in the upper four bits, 15 for
 * more], then bytes that are added to it, the last one below 255, then the literals.
 */

/** The frame with `bytes` in it. */
export function storedFrame(bytes: Uint8Array): Uint8Array {
  const more = bytes.length < 15 ? 0 : Math.floor((bytes.length - 15) / 255) + 1;
  const blockSize = 1 + more + bytes.length;
  const frame = new Uint8Array(4 + blockSize);
  new DataView(frame.buffer).setUint32(0, blockSize, true);
  frame[4] = Math.min(bytes.length, 15) << 4;
  if (more > 0) {
    frame.fill(255, 5, 4 + more);
    frame[4 + more] = (bytes.length - 15) % 255;
  }
  frame.set(bytes, 5 + more);
  return frame;
}
