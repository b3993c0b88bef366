/**
 * The worker that evaluates the examples of a page. Each gets an evaluator of its own, so that none sees what another has
 * done; the compiled core is shared. The page ends the worker to stop an evaluation.
 */
import { decodeUtf8 } from '@neve/bytes';
import { renderDiagnostic } from '@neve/diagnostics';
import { EvaluationError, createEvaluator, createMemoryIO } from '@neve/eval';
import coreUrl from '@neve/language/neve.wasm?url';
import type { EvaluationAnswer, EvaluationRequest } from './protocol.ts';

/** Where the example is, as its relative paths see it. */
const directory = '/example';

let loading: Promise<WebAssembly.Module> | undefined;

async function loadCore(): Promise<WebAssembly.Module> {
  const response = await fetch(new URL(coreUrl, self.location.href));
  if (!response.ok) throw new Error(`the language core could not be loaded: ${response.status}`);
  // Not `compileStreaming`: static servers often do not know the type of WebAssembly.
  return await WebAssembly.compile(await response.arrayBuffer());
}

async function evaluate({ id, text, files, features }: EvaluationRequest): Promise<EvaluationAnswer> {
  loading ??= loadCore();
  const core = await loading;
  const messages: string[] = [];
  const io = createMemoryIO({
    core,
    files: Object.fromEntries(
      Object.entries(files).map(([name, contents]) => [`${directory}/${name}`, contents]),
    ),
    currentTime: Math.floor(Date.now() / 1000),
    onMessage: (level, message) => messages.push(`${level}: ${decodeUtf8(message)}`),
  });
  const settings = { experimentalFeatures: new Set(features), writesStore: true };
  const evaluator = createEvaluator({ core, io, settings });
  try {
    const value = await evaluator.evaluate(await evaluator.parse({ kind: 'string', text, directory }));
    await evaluator.forceDeep(value);
    return { id, isValue: true, text: decodeUtf8(await evaluator.print(value)), messages };
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    const shown = renderDiagnostic(error.diagnostic, { colour: false, showTrace: false });
    return { id, isValue: false, text: shown.trimEnd(), messages };
  }
}

self.addEventListener('message', (event: MessageEvent<EvaluationRequest>) => {
  evaluate(event.data).then(
    (answer) => self.postMessage(answer),
    (error: unknown) => {
      loading = undefined;
      const text = error instanceof Error ? error.message : String(error);
      self.postMessage({ id: event.data.id, isValue: false, text, messages: [] } satisfies EvaluationAnswer);
    },
  );
});
