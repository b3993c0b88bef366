// Runs named checks, one after another, and tells of those that fail.

/** @typedef {readonly [name: string, check: () => Promise<void>]} Check a check throws when it fails */

/**
 * @param {Iterable<Check>} checks
 * @param {{ tally: import('../lib/tally.mjs').Tally, filter: string }} options
 */
export async function runChecks(checks, { tally, filter }) {
  for (const [name, check] of checks) {
    if (!name.includes(filter)) continue;
    try {
      await check();
      tally.record(name, true);
    } catch (error) {
      tally.record(name, false);
      console.log(`FAIL ${name}: ${error instanceof Error ? error.message.slice(0, 4000) : error}`);
    }
  }
}
