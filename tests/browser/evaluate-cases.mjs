// Evaluates expressions with a new evaluator and writes down what came of each. This file runs in Node.js and in a
// worker of a browser, with the same core and the same packages; only the `EvalIO` is another one.

import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { renderDiagnostic } from '@neve/diagnostics';
import { EvaluationError, createEvaluator } from '@neve/eval';

/** Both sides must be asked the same thing. */
const settings = {
  homeDirectory: '/home/user',
  experimentalFeatures: new Set(['pipe-operators']),
  showTrace: true,
};

/**
 * @param {readonly string[]} expressions
 * @param {{ core: WebAssembly.Module, io: import('@neve/eval').EvalIO, directory: string }} world
 *   `directory` is where relative paths of the expressions lead
 * @returns {Promise<string[]>} the value or the rendered error of each expression
 */
export async function evaluateCases(expressions, { core, io, directory }) {
  const evaluator = createEvaluator({ core, io, settings });
  /** @type {string[]} */
  const answers = [];
  for (const expression of expressions) {
    answers.push(await answer(evaluator, { kind: 'string', text: encodeUtf8(expression), directory }));
  }
  return answers;
}

/**
 * @param {import('@neve/eval').Evaluator} evaluator
 * @param {import('@neve/eval').Source} source
 */
async function answer(evaluator, source) {
  try {
    const value = await evaluator.evaluate(await evaluator.parse(source));
    await evaluator.forceDeep(value);
    return decodeUtf8(await evaluator.print(value));
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return renderDiagnostic(error.diagnostic, { colour: false, showTrace: true });
  }
}
