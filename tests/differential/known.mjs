// Cases in which Neve differs from the oracle on purpose, each with its reason: mostly where
// the release that Neve follows is newer than the oracle's.

/**
 * @typedef {object} KnownDifference
 * @property {string} expression the whole text of the case
 * @property {string} reason
 * @property {string} [failure] the kind of failure that Neve has instead; a case with it must
 *   fail in that way or in the oracle's, without it the case may differ in any way; the folder
 *   of fixtures is written FIXTURES
 */

/** @type {readonly KnownDifference[]} */
export const knownDifferences = [
  {
    expression: 'builtins.readDir ./text.txt',
    reason: 'releases after 2.34 name the path and not the system call',
    failure: "'FIXTURES/text.txt' is not a directory",
  },
  {
    expression: 'builtins.toJSON { __toString = _: 1; }',
    reason: 'releases after 2.35 say what __toString must return',
    failure: '`__toString` should return a string, but got an integer: 1',
  },
  {
    expression: 'builtins.toJSON { __toString = _: { a = 1; }; }',
    reason: 'releases after 2.35 say what __toString must return',
    failure: '`__toString` must return a string, but got a set: { a = 1; }',
  },
];
