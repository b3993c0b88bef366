// Runs named checks, one after another, and tells of those that fail.

/** @typedef {readonly [name: string, check: () => Promise<void>]} Check a check throws when it fails */

/**
 * @param {Iterable<Check>} checks
 * @param {{ tally: import('./tally.mjs').Tally, filter?: string | undefined, showPassed?: boolean }} options only those whose
 * names contain the filter
 */
export async function runChecks(checks, { tally, filter = '', showPassed = false }) {
  for (const [name, check] of checks) {
    if (!name.includes(filter)) continue;
    const started = performance.now();
    try {
      await check();
      tally.record(name, true);
      if (showPassed) console.log(`passed ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    } catch (error) {
      tally.record(name, false);
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
      console.log(`FAIL ${name}\n${problem.slice(0, 4000)}\n`);
    }
  }
}
