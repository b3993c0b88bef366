/**
 * How much of a WebAssembly function runs before V8 compiles it a second time, optimised, in a thread beside the evaluation. What
 * goes on from an image is mostly done before that code is there, but the processor has spent its time, and the process waits for
 * the thread when it ends.
 *
 * V8 keeps compiled JavaScript only for the flags that it was compiled under. So the flag has its own value again as soon as
 * the module is there, which has noted the budget; and nothing is done for a V8 whose value is not known.
 */

/** By the major version of Node.js. */
const defaultBudgets: Readonly<Record<string, number>> = { 20: 1_800_000, 26: 13_000_000 };

/** Times the default: some 30 ms of an evaluation instead of some 10. */
const patience = 4;

/** Compiles a module whose functions are optimised later than others. */
export function withPatience(compile: () => WebAssembly.Module): WebAssembly.Module {
  const budget = defaultBudgets[/^\d+/.exec(process.versions.node)?.[0] ?? ''];
  if (budget === undefined) return compile();
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString(`--wasm-tiering-budget=${budget * patience}`);
  try {
    return compile();
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${budget}`);
  }
}
