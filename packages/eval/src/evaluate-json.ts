/** The shortest way from a Nix program to data of JavaScript. */
import { decodeUtf8 } from '@neve/bytes';
import type { Evaluator, Source } from './evaluator.ts';

/**
 * Evaluates a source, everything in its value included, and gives it as `JSON.parse` would: sets as objects, derivations as
 * their output paths. Integers beyond 2^53 lose digits, since numbers of JavaScript have no more; take `toJSON` for these.
 *
 * Throws `EvaluationError` when the program fails, or when its value has a function in it.
 */
export async function evaluateJson(evaluator: Evaluator, source: Source): Promise<unknown> {
  const value = await evaluator.evaluate(await evaluator.parse(source));
  return JSON.parse(decodeUtf8(await evaluator.toJSON(value, { strict: true })));
}
