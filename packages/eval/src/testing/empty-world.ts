/** What tests of the evaluator start from: a world with nothing in it. */
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
