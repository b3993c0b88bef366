// Counts what passed and failed. Every harness ends with the plain line `N passed, N failed`.

export class Tally {
  passed = 0;
  failed = 0;
  /** @type {string[]} */
  failures = [];

  /**
   * @param {string} name
   * @param {boolean} ok
   */
  record(name, ok) {
    if (ok) {
      this.passed++;
      return;
    }
    this.failed++;
    this.failures.push(name);
  }

  /** Prints the last line; true when nothing failed and something was run. */
  conclude() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed === 0 && this.passed > 0;
  }
}
