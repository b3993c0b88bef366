/**
 * A stream as zstd frames that stand for themselves: each holds 16 MiB of what goes in, the last one the rest. Frames one after
 * the other are one zstd stream (RFC 8878, section 3), so any decoder reads them; and they are compressed side by side.
 *
 * The same input gives the same frames, also years later: that is why the compressor is one library of one version, and not
 * that of the Node.js that happens to run. Another version is another recipe, whose files have other hashes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WeightedSemaphore } from '@neve/castore';

/** In bytes. */
export const frameSize: number = 1 << 24;

/** How long a whole frame waits at most for the server to have a moment. */
const longestPauseMs = 1000;
const pauseStepMs = 10;

export type FrameOptions = {
  /** Of zstd, 1 to 22. */
  readonly level: number;
  /** In bytes, of all that comes. */
  readonly size: number;
  /** One permit for each frame that is being compressed: a thread of the pool, and its memory. */
  readonly threads: WeightedSemaphore;
  /** How many frames of this stream are under way at the same time. */
  readonly parallel: number;
  /** Whether something more urgent is going on. */
  readonly isBusy?: (() => boolean) | undefined;
};

/** Pieces may be written over when the next one is asked for. Throws what the source throws, and the reason of `signal`. */
export async function* compressFrames(
  source: AsyncIterable<Uint8Array>,
  options: FrameOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { default: zstd } = await import('@mongodb-js/zstd');
  const buffers: Buffer[] = [];
  const running: Promise<Uint8Array>[] = [];
  const compress = async (frame: Buffer): Promise<Uint8Array> => {
    if (options.isBusy !== undefined) await pause(frame.length, options.isBusy, signal);
    const release = await options.threads.acquire();
    try {
      signal.throwIfAborted();
      return await zstd.compress(frame, options.level);
    } finally {
      release();
      buffers.push(Buffer.from(frame.buffer));
    }
  };
  try {
    for await (const frame of cutIntoFrames(source, options.size, buffers)) {
      const compressed = compress(frame);
      // Nobody may be left who waits for it.
      compressed.catch(() => undefined);
      running.push(compressed);
      if (running.length >= options.parallel) yield (await running.shift()) ?? frame;
    }
    while (running.length > 0) yield (await running.shift()) as Uint8Array;
  } finally {
    await Promise.allSettled(running);
  }
}

/** Each frame has memory of its own, from `idle` where there is some. */
async function* cutIntoFrames(
  source: AsyncIterable<Uint8Array>,
  size: number,
  idle: Buffer[],
): AsyncGenerator<Buffer, void, void> {
  // Not from the pool of small buffers, since a frame's memory is used again as a whole.
  const take = (): Buffer => idle.pop() ?? Buffer.allocUnsafeSlow(Math.max(1, Math.min(frameSize, size)));
  let frame = take();
  let used = 0;
  for await (const piece of source) {
    for (let start = 0; start < piece.length;) {
      if (used === frame.length) {
        yield frame;
        frame = take();
        used = 0;
      }
      const part = piece.subarray(start, start + frame.length - used);
      frame.set(part, used);
      used += part.length;
      start += part.length;
    }
  }
  // An empty stream is one empty frame.
  yield frame.subarray(0, used);
}

/** Waits while others are busy, in proportion to the size of the frame, so that it is done at some time even so. */
async function pause(bytes: number, isBusy: () => boolean, signal: AbortSignal): Promise<void> {
  const untilMs = performance.now() + (longestPauseMs * bytes) / frameSize;
  while (isBusy() && performance.now() < untilMs) await sleep(pauseStepMs, undefined, { signal });
}
