// All that a program says, one way and another: its value as it is printed and written in every format, its errors with
// all their traces, and its messages. Two evaluations of a program are the same when their reports are.

/** @typedef {import('./load-evaluator.mjs').EvaluatorLibrary} EvaluatorLibrary */

/**
 * @typedef {object} ReportOptions
 * @property {EvaluatorLibrary} library
 * @property {WebAssembly.Module} core
 * @property {string} directory where relative paths of the program lead
 * @property {(io: import('@neve/eval').EvalIO) => import('@neve/eval').EvalIO} [world] what becomes of the file system
 * @property {Partial<import('@neve/eval').EvaluatorSettings>} settings beside those that are always the same
 */

/**
 * @param {string} program
 * @param {ReportOptions} options
 * @returns {Promise<{ text: string, stats: Readonly<Record<string, any>> }>}
 */
export async function reportOf(program, { library, core, directory, world = (io) => io, settings }) {
  const { createEvaluator, createFileSystemIO, decodeUtf8, encodeUtf8 } = library;
  /** @type {string[]} */
  const said = [];
  const onMessage = /** @type {import('@neve/eval').EvalIO['message']} */ (level, text) => {
    said.push(`${level}: ${decodeUtf8(text)}`);
  };
  const files = createFileSystemIO({
    storeDir: '/nix/store',
    readOnly: true,
    environment: { NEVE_TEST_VARIABLE: 'set' },
    currentTime: 0,
    onMessage,
  });
  const evaluator = createEvaluator({
    core,
    io: world(files),
    settings: {
      homeDirectory: '/home/user',
      experimentalFeatures: new Set(['pipe-operators']),
      showTrace: true,
      ...settings,
    },
  });
  const source = /** @type {const} */ ({ kind: 'string', text: encodeUtf8(program), directory });
  const report = () => ({ text: said.join('\n'), stats: evaluator.stats() });
  const value = await attempt(library, said, async () => {
    return await evaluator.evaluate(await evaluator.parse(source));
  });
  if (value === undefined) return report();
  const say = (/** @type {() => Promise<Uint8Array>} */ show) =>
    attempt(library, said, async () => said.push(decodeUtf8(await show())));
  await say(() => evaluator.print(value));
  await say(() => evaluator.printEvaluated(value));
  await say(() => evaluator.toJSON(value, { strict: true }));
  await say(() => evaluator.toXML(value, { strict: true, location: true }));
  await say(async () => {
    await evaluator.forceDeep(value);
    return await evaluator.print(value);
  });
  return report();
}

/**
 * @template T
 * @param {EvaluatorLibrary} library
 * @param {string[]} said
 * @param {() => Promise<T>} run
 * @returns {Promise<T | undefined>}
 */
async function attempt({ EvaluationError, renderDiagnostic }, said, run) {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    said.push(renderDiagnostic(error.diagnostic, { colour: false, showTrace: true }));
    return undefined;
  }
}
