// A seeded source of random choices, so that every random test can be repeated from its seed.
//
// The generator is mulberry32 (32 bits of state, public domain): short, fast and good enough
// for choosing test inputs.

export class Random {
  /** @type {number} */
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A whole number in 0 .. 2^32 - 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 15), word | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  }

  /**
   * A whole number in 0 .. bound - 1.
   *
   * @param {number} bound
   */
  below(bound) {
    return Math.floor((this.next() / 2 ** 32) * bound);
  }

  /**
   * True once in `odds` times on average.
   *
   * @param {number} odds
   */
  oneIn(odds) {
    return this.below(odds) === 0;
  }

  /**
   * @template Item
   * @param {readonly Item[]} items at least one
   * @returns {Item}
   */
  pick(items) {
    return /** @type {Item} */ (items[this.below(items.length)]);
  }

  /**
   * A random source for a part of the work, which does not depend on how much was drawn before.
   *
   * @param {number} seed
   * @param {number} index
   */
  static forPart(seed, index) {
    return new Random(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  }
}
