// Loaded into a command before it starts: moves its clock, so that a test need not wait until something is old.

const shiftMs = Number(process.env['NEVE_TEST_CLOCK_MS'] ?? 0);
const now = Date.now;
Date.now = () => now() + shiftMs;
