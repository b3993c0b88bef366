/** What an evaluation does for a command, each a span: what it parses, evaluates, selects, and prints. */
import type { Evaluator, Source } from '@neve/eval';
import { currentTracing, tracedService } from '@neve/telemetry';

/** The evaluator itself while nobody listens. */
export function tracedEvaluator(evaluator: Evaluator): Evaluator {
  if (currentTracing() === undefined) return evaluator;
  return tracedService(
    evaluator,
    {
      parse: {
        attributes: (source: Source) =>
          source.kind === 'file' ? { 'code.file.path': source.path } : { 'eval.source': source.kind },
      },
      evaluate: {},
      autoCall: {},
      select: {
        attributes: (_: unknown, { path }: { readonly path: string }) => ({ 'eval.attribute': path }),
      },
      forceDeep: {},
      derivations: {},
      print: {},
      printEvaluated: {},
      toJSON: {},
      toXML: {},
      toRaw: {},
      findFile: {},
    },
    { service: 'Evaluator', instanceName: 'evaluator' },
  );
}
