// Loaded into a command before it starts (`--import`, which its threads inherit): moves `Date.now`, by which the store
// tells how old things are, so that a test need not wait until something is old.

const shiftMs = Number(process.env['NEVE_TEST_CLOCK_MS'] ?? 0);
const now = Date.now;
Date.now = () => now() + shiftMs;
