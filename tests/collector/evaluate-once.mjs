// Evaluates one expression in this process, and tells how much memory that took. The argument and what is printed are JSON:
// `{ library, expression, settings }` and `{ value, residentMiB, collections }`.

import { readCore } from '../lib/load-evaluator.mjs';

/** @type {{ library: string, expression: string, settings: Partial<import('@neve/eval').EvaluatorSettings> }} */
const { library, expression, settings } = JSON.parse(process.argv[2] ?? '');
/** @type {import('../lib/load-evaluator.mjs').EvaluatorLibrary} */
const { EvaluationError, createEvaluator, createFileSystemIO, decodeUtf8, encodeUtf8 } = await import(
  library
);

const evaluator = createEvaluator({
  core: new WebAssembly.Module(readCore('release')),
  io: createFileSystemIO({
    storeDir: '/nix/store',
    readOnly: true,
    environment: {},
    currentTime: 0,
    onMessage: () => {},
  }),
  settings,
});

/** @returns {Promise<string>} the value, or the message of the error */
async function evaluate() {
  try {
    const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(expression), directory: '/' });
    return decodeUtf8(await evaluator.print(await evaluator.evaluate(program)));
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return error.message;
  }
}

const value = await evaluate();
const residentMiB = Math.round(process.resourceUsage().maxRSS / 1024);
const { cycles } = /** @type {{ cycles: number }} */ (evaluator.stats()['gc']);
console.log(JSON.stringify({ value, residentMiB, collections: cycles }));
