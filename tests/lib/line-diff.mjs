// The difference of two texts line by line, from their longest common subsequence.
//
// Output: ` ` common, `-` only expected, `+` only actual. Texts are short here, so the
// quadratic table is fine; beyond a bound both sides are shown whole.

const largestTable = 4_000_000;

/**
 * @param {string} expected
 * @param {string} actual
 * @returns {string} empty when the texts are equal
 */
export function lineDiff(expected, actual) {
  if (expected === actual) return '';
  const left = expected.split('\n');
  const right = actual.split('\n');
  if (left.length * right.length > largestTable) {
    return [...left.map((line) => `-${line}`), ...right.map((line) => `+${line}`)].join('\n');
  }
  return walk(left, right, commonLengths(left, right)).join('\n');
}

/**
 * lengths[i][j] = length of the longest common subsequence of left[i..] and right[j..].
 *
 * @param {readonly string[]} left
 * @param {readonly string[]} right
 */
function commonLengths(left, right) {
  const lengths = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const row = /** @type {Uint32Array} */ (lengths[i]);
      const below = /** @type {Uint32Array} */ (lengths[i + 1]);
      row[j] = left[i] === right[j] ? at(below, j + 1) + 1 : Math.max(at(below, j), at(row, j + 1));
    }
  }
  return lengths;
}

/**
 * @param {readonly string[]} left
 * @param {readonly string[]} right
 * @param {readonly Uint32Array[]} lengths
 */
function walk(left, right, lengths) {
  const lines = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      lines.push(` ${left[i++]}`);
      j++;
    } else if (j >= right.length || (i < left.length && at(lengths[i + 1], j) >= at(lengths[i], j + 1))) {
      lines.push(`-${left[i++]}`);
    } else {
      lines.push(`+${right[j++]}`);
    }
  }
  return lines;
}

/**
 * @param {Uint32Array | undefined} row
 * @param {number} index
 */
function at(row, index) {
  return row?.[index] ?? 0;
}
