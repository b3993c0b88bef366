/**
 * Bytes through a Node transform stream, as one iterable. The transform gets the next chunk when it has dealt with
 * the last one and its output was taken, so at most a chunk and the transform's own buffers are in memory. When the
 * loop over the result ends, in whatever way, the transform is destroyed and the source closed.
 */
import type { Duplex } from 'node:stream';

/** Throws what the source throws, and what the transform throws. */
export async function* throughTransform(
  source: AsyncIterable<Uint8Array>,
  transform: Duplex,
): AsyncGenerator<Uint8Array, void, void> {
  // Errors come through the iteration; without a listener one that comes after its end would end the process.
  transform.on('error', () => undefined);
  const feeding = feed(source, transform);
  try {
    yield* transform as AsyncIterable<Uint8Array>;
  } finally {
    transform.destroy();
    await feeding;
  }
}

async function feed(source: AsyncIterable<Uint8Array>, transform: Duplex): Promise<void> {
  // A transform that fails in the middle of a write does not call back.
  let proceed: () => void = () => undefined;
  transform.once('close', () => proceed());
  try {
    for await (const chunk of source) {
      if (transform.destroyed) return;
      await new Promise<void>((resolve) => {
        proceed = resolve;
        transform.write(chunk, () => resolve());
      });
    }
    transform.end();
  } catch (error) {
    transform.destroy(error instanceof Error ? error : new Error(String(error), { cause: error }));
  }
}
