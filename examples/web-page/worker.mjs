// The evaluator, in a worker. The language core lies beside this script.
// @ts-check

import { renderDiagnostic } from '@neve/diagnostics';
import { EvaluationError, createEvaluator, createMemoryIO } from '@neve/eval';

const loading = fetch(new URL('./neve.wasm', import.meta.url))
  .then((response) => response.arrayBuffer())
  .then((bytes) => WebAssembly.compile(bytes));

/** @param {string} text */
async function evaluate(text) {
  const core = await loading;
  const evaluator = createEvaluator({ core, io: createMemoryIO({ core }) });
  try {
    const value = await evaluator.evaluate(await evaluator.parse({ kind: 'string', text, directory: '/' }));
    await evaluator.forceDeep(value);
    return new TextDecoder().decode(await evaluator.print(value));
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return renderDiagnostic(error.diagnostic, { colour: false, showTrace: false });
  }
}

self.addEventListener('message', ({ data: source }) => {
  void evaluate(source).then((text) => self.postMessage({ source, text }));
});
