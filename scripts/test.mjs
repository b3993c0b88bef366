// Runs the tests and ends with one plain line, `N passed, N failed`, which a person or a script can read.
// Arguments go to vitest: `npm test -- packages/bytes`.
import { startVitest } from 'vitest/node';

const vitest = await startVitest('test', process.argv.slice(2), { run: true, watch: false });
const modules = vitest.state.getTestModules();
let passed = 0;
let failed = vitest.state.getUnhandledErrors().length;
for (const module of modules) {
  if (module.state() === 'failed' && module.children.size === 0) failed += 1;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') passed += 1;
    if (state === 'failed') failed += 1;
  }
}
if (modules.length === 0) failed += 1;
await vitest.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
