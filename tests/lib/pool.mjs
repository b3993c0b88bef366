// A bounded fan-out: at most `width` pieces of work at a time, results in the order of the input.

/** How many commands a harness runs at once. */
export const defaultWidth = 2;

/**
 * @template Item, Result
 * @param {readonly Item[]} items
 * @param {(item: Item, index: number) => Promise<Result>} work
 * @param {number} [width]
 * @returns {Promise<Result[]>} rejects with the first failure
 */
export async function mapInPool(items, work, width = defaultWidth) {
  /** @type {Result[]} */
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(/** @type {Item} */ (items[index]), index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
