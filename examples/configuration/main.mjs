// Evaluates a configuration as data: node main.mjs [ENVIRONMENT]
//
// The configuration is checked before it is used, and a mistake in it is shown with its place.
// @ts-check

import { readFileSync } from 'node:fs';
import { renderDiagnostic } from '@neve/diagnostics';
import { EvaluationError, createEvaluator, createMemoryIO, evaluateJson } from '@neve/eval';
import { coreUrl } from '@neve/language';

const core = await WebAssembly.compile(new Uint8Array(readFileSync(coreUrl)));

/**
 * The configuration for an environment. It sees its own file and nothing else of this machine.
 *
 * @param {string} environment
 */
export async function readConfiguration(environment) {
  const files = { '/config.nix': readFileSync(new URL('config.nix', import.meta.url)) };
  const evaluator = createEvaluator({ core, io: createMemoryIO({ core, files }) });
  const text = `import /config.nix { environment = ${JSON.stringify(environment)}; }`;
  return await evaluateJson(evaluator, { kind: 'string', text, directory: '/' });
}

try {
  console.log(JSON.stringify(await readConfiguration(process.argv[2] ?? 'development'), null, 2));
} catch (error) {
  if (!(error instanceof EvaluationError)) throw error;
  console.error(renderDiagnostic(error.diagnostic, { colour: false, showTrace: false }));
  process.exitCode = 1;
}
