// The little statistics that a benchmark on a noisy machine needs.

/** @param {readonly number[]} values at least one */
export function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? NaN) + high) / 2;
}

/**
 * The median of the ratios of measurements made side by side: noise that lasts longer than a
 * pair cancels out.
 *
 * @param {readonly number[]} values
 * @param {readonly number[]} references of the same length
 */
export function pairedRatio(values, references) {
  return median(values.map((value, index) => value / (references[index] ?? NaN)));
}
