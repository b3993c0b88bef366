/** Evaluates programs in a world. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { createEvaluator } from '../create-evaluator.ts';
import type { EvalIO } from '../eval-io.ts';
import type { Evaluator, EvaluatorSettings } from '../evaluator.ts';

export type TestEvaluatorOptions = {
  readonly core: WebAssembly.Module;
  readonly settings?: Partial<EvaluatorSettings>;
};

/** An evaluator with the default settings but for those that are given. */
export function newEvaluator(io: EvalIO, { core, settings = {} }: TestEvaluatorOptions): Evaluator {
  return createEvaluator({ core, io, settings: settings });
}

/** The value of a program as JSON, everything in it evaluated. */
export async function evaluateToJson(evaluator: Evaluator, text: string): Promise<unknown> {
  const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(text), directory: '/' });
  const value = await evaluator.evaluate(program);
  return JSON.parse(decodeUtf8(await evaluator.toJSON(value, { strict: true })));
}
