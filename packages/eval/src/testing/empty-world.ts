/** What tests of the evaluator start from: a world with nothing in it, and settings that ask for nothing. */
import type { EvaluatorSettings } from '../evaluator.ts';
import { type EvalIO, EvalIOError } from '../eval-io.ts';

const refuse = (): never => {
  throw new EvalIOError('not-supported', 'there is nothing here');
};

export const emptyWorld: EvalIO = {
  readFile: refuse,
  fileType: () => undefined,
  readDirectory: refuse,
  readLink: refuse,
  environmentVariable: () => undefined,
  currentTime: () => 0,
  addPathToStore: refuse,
  hashFile: refuse,
  addTextToStore: refuse,
  writeDerivation: refuse,
  isValidStorePath: () => false,
  toStorePath: refuse,
  message: () => {},
};

export const plainSettings: EvaluatorSettings = {
  storeDir: '/nix/store',
  currentSystem: 'x86_64-linux',
  pureEval: false,
  restrictEval: false,
  nixPath: [],
  homeDirectory: undefined,
  experimentalFeatures: new Set(),
  maxCallDepth: 10_000,
  traceVerbose: false,
  abortOnWarn: false,
  showTrace: false,
  writesStore: false,
};
