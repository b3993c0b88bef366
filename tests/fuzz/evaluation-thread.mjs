// A thread of the in-process runner: evaluates each source that it is sent, strictly, and tells how that ended.
//
// One evaluator serves many inputs, as an embedder's would, so that what an input leaves behind is tested too: after
// each one a small program must still have its value. Only an `EvaluationError` is a failure that may be.

import { parentPort, workerData } from 'node:worker_threads';

/** @type {{ core: Uint8Array<ArrayBuffer>, folder: string, library: string }} */
const { core, folder, library } = workerData;
/** @type {import('../lib/load-evaluator.mjs').EvaluatorLibrary} */
const {
  EvaluationError,
  OutOfMemory,
  createEvaluator,
  createFileSystemIO,
  decodeUtf8,
  encodeUtf8,
  renderDiagnostic,
} = await import(library);

const inputsOfEvaluator = 200;
const probe = encodeUtf8('let double = x: 2 * x; in map double (builtins.attrValues { a = 1; b = 2; })');
const probeValue = '[ 2 4 ]';

const module = await WebAssembly.compile(core);
let used = 0;
let evaluator = newEvaluator();

function newEvaluator() {
  const io = createFileSystemIO({
    storeDir: '/nix/store',
    readOnly: true,
    environment: {},
    currentTime: 0,
    onMessage: () => {},
  });
  return createEvaluator({
    core: module,
    io,
    settings: {
      homeDirectory: '/home/user',
      experimentalFeatures: new Set(['pipe-operators']),
      showTrace: true,
      // Every other evaluator collects garbage all the time, and leaves poison behind.
      collectionInterval: (used / inputsOfEvaluator) % 2 === 0 ? 37 : undefined,
    },
  });
}

/** @param {Uint8Array} text */
async function evaluateText(text) {
  const program = await evaluator.parse({ kind: 'stdin', text, directory: folder });
  const value = await evaluator.evaluate(program);
  await evaluator.forceDeep(value);
  return decodeUtf8(await evaluator.print(value));
}

/**
 * @param {Uint8Array} source
 * @returns {Promise<import('./process-runner.mjs').Report>}
 */
async function runCase(source) {
  const failed = await fails(source);
  const printed = await evaluateText(probe);
  if (printed !== probeValue) return { end: 'crashed', detail: `afterwards, ${probeValue} is ${printed}` };
  return { end: failed ? 'failed' : 'evaluated', detail: '' };
}

/** @param {Uint8Array} source */
async function fails(source) {
  try {
    await evaluateText(source);
    return false;
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    renderDiagnostic(error.diagnostic, { showTrace: true });
    // Its memory stays as large as it became; the next input gets another evaluator.
    if (error instanceof OutOfMemory) evaluator = newEvaluator();
    return true;
  }
}

parentPort?.on('message', (/** @type {Uint8Array} */ source) => {
  if (used > 0 && used % inputsOfEvaluator === 0) evaluator = newEvaluator();
  used++;
  void runCase(source)
    .catch((error) => ({
      end: 'crashed',
      detail: `${error instanceof Error ? error.stack : error}`.split('\n').slice(0, 8).join('\n    '),
    }))
    .then((report) => parentPort?.postMessage(report, []));
});
