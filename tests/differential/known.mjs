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
    reason: 'releases after 2.35 name the file',
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
  // Functions and empty sets that stand as literals in a set, a list, a binding or an argument are values at once: Nix
  // makes thunks of them, which costs time and shows only where something is printed that was not forced.
  {
    expression: '{ functor = self: x: x; } 2',
    reason: 'a function that is a literal is no thunk',
    failure:
      'attempt to call something which is not a function but a set: { functor = «lambda functor @ POSITION»; }',
  },
  {
    expression: '[ (1 + 1) 2 (x: x) ]',
    reason: 'a function that is a literal is no thunk',
  },
  {
    expression:
      'builtins.map (x: x) { a = 1; b = "x"; c = 1 + 1; d = [ 1 ]; e = { }; f = x: x; g = null; h = true; i = 1.5; j = /a; k = 1; type = "z"; _type = "y"; }',
    reason: 'functions and empty sets that are literals are no thunks',
  },
  {
    expression: 'builtins.length { l = [ 1 2 ]; f = a: b: a; }',
    reason: 'a function that is a literal is no thunk',
  },
  {
    expression: '{ within = throw "deep"; }',
    reason: 'what fails leaves no half of an XML text on stdout',
  },
  {
    expression: '{ outPath = throw "first"; } + throw "second"',
    reason: 'a set is made a string when both operands are there',
    failure: 'second',
  },
  // The evaluator of this comparison has no fetchers, and whether a URI or a set of attributes may be is for them to say.
  {
    expression: 'builtins.fetchGit { }',
    reason: 'there are no fetchers',
    failure:
      "nothing can be fetched here: builtins.fetchGit; this host has no fetchers, the command 'neve eval' has",
  },
  {
    expression: 'builtins.fetchGit { url = 1; }',
    reason: 'there are no fetchers',
    failure:
      "nothing can be fetched here: builtins.fetchGit; this host has no fetchers, the command 'neve eval' has",
  },
  {
    expression: 'builtins.fetchurl "http://x/z"',
    reason: 'there are no fetchers, so no URI is forbidden',
    failure:
      "nothing can be fetched here: builtins.fetchurl of 'http://x/z'; this host has no fetchers, the command 'neve eval' has",
  },
  {
    expression: 'builtins.fetchurl "http://localhost:1/x"',
    reason: 'there are no fetchers',
    failure:
      "nothing can be fetched here: builtins.fetchurl of 'http://localhost:1/x'; this host has no fetchers, the command 'neve eval' has",
  },
];
