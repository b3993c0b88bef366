// How the derivations of `cases/failing.nix` are run, and what must be told of them: the first text that fits `essential`
// is the same with both, or what this captures. `runs` has options for one run after the other.

/**
 * @typedef {object} Failure
 * @property {readonly string[]} [attributes] what is built; the failure of the same name, unless given
 * @property {readonly (readonly string[])[]} [runs] options of each run; one without any, unless given
 * @property {boolean} [floating] whether it needs experimental features, with which a Nix resolves all derivations
 * @property {RegExp} [essential] absent where no message is expected
 */

const reason = /Reason: [^\n]*/;
const references = /is not allowed to refer to the following paths:(\n *\/nix\/store\S+)+/;
/** Captured is what must agree where Neve has words of its own. */
const missing = /(?:output path for output '\S+' at "\S*\/|its output '\S*\/)([^"'/]+)/;
const specialFile = /(fifo[-a-z]*(?:\/pipe)?)['"] (?:has an unsupported type|is a named pipe)/;
const seconds = /(?:timed out after|longer than the|printed nothing for) (\d+) s/;
const keepGoing = ['--keep-going'];

/** @type {Readonly<Record<string, Failure>>} */
export const failures = {
  exitCode: { essential: reason },
  exitCode255: { essential: reason },
  exitsAfterOutput: { essential: reason },
  childKilled: { essential: reason },
  killsItself: { essential: reason },
  killsAll: { essential: reason },
  fixedFails: { essential: reason },
  noOutput: { essential: missing },
  oneOutput: { essential: missing },
  noBuilder: { essential: /Cannot build '[^']+'/ },
  notExecutable: { essential: /Cannot build '[^']+'/ },
  folderAsBuilder: { essential: /Cannot build '[^']+'/ },
  longLog: { essential: /Last \d+ log lines:(\n *> [^\n]*)+/ },
  fifo: { essential: specialFile },
  fifoInside: { essential: specialFile },
  device: { essential: reason },
  cycle: { essential: /cycle detected[^\n]*/ },
  cycleOfThree: { essential: /cycle detected[^\n]*/ },
  wrongFlat: { essential: /hash mismatch in fixed-output derivation[^\n]*\n *specified: \S+\n *got: +\S+/ },
  wrongRecursive: { essential: /specified: \S+\n *got: +\S+/ },
  wrongSha512: { essential: /specified: \S+\n *got: +\S+/ },
  wrongWithUrl: { essential: /specified: \S+\n *got: +\S+/ },
  flatFolder: { essential: /should be a non-executable regular file[^\n]*/ },
  flatExecutable: { essential: /should be a non-executable regular file[^\n]*/ },
  flatLink: { essential: /should be a non-executable regular file[^\n]*/ },
  fixedWithReference: {
    essential: /fixed.output derivation.*(must not reference|not allowed to refer)[^\n]*/,
  },
  floatingFlatFolder: { floating: true, essential: /should be a non-executable regular file[^\n]*/ },
  floatingFlatReference: { floating: true, essential: /not allowed to refer to[^\n]*/ },
  allowedReferences: { essential: references },
  allowedReferencesSelf: { essential: references },
  allowedRequisites: { essential: references },
  disallowedReferences: { essential: references },
  disallowedRequisites: { essential: references },
  unknownOutputInCheck: { essential: /contains output name '[^']*'[^\n]*/ },
  ignoredSelf: { essential: references },
  tooLarge: { essential: /is too large at [^\n]*/ },
  closureTooLarge: { essential: /is too large at [^\n]*/ },
  outputCheckReferences: { essential: references },
  missingFeature: { essential: /Required features: [^\n]*/ },
  otherSystem: { essential: /Required system: [^\n]*/ },
  noChroot: { essential: /derivation '[^']+' has '__noChroot' set[^\n]*/ },
  impureHost: { essential: /requested impure path [^\n]*/ },
  graphOfStranger: { essential: /exportReferencesGraph|not in the input closure/ },
  graphOddly: { essential: /odd number of tokens/ },
  collision: { essential: /bin\/both/ },
  unknownBuiltin: { essential: /builtin/ },
  fetchMissing: { essential: /unable to download:? (?:GET |')(http:\S+?missing)/ },
  fetchMissingFile: { essential: /file:\/\/\S*missing/ },
  fetchWrong: { essential: /specified: \S+\n *got: +\S+/ },
  dependsOnBad: { essential: /Cannot build '[^']*-depends-on-bad.drv'.\n *Reason: [^\n]*/ },
  dependsOnTwo: {
    runs: [keepGoing],
    essential: /Cannot build '[^']*-depends-on-two.drv'.\n *Reason: [^\n]*/,
  },
  dependsOnDependant: { essential: /Cannot build '[^']*-middle.drv'.\n *Reason: [^\n]*/ },
  severalKept: {
    attributes: ['bad', 'good', 'dependsOnBad', 'worse', 'wrongFlat'],
    runs: [keepGoing],
    essential: /Reason: builder failed with exit code 3/,
  },
  several: { attributes: ['bad', 'dependsOnBad'], essential: /Reason: builder failed with exit code 3/ },
  dependsOnWrong: { essential: /specified: \S+\n *got: +\S+/ },
  checkDeterministic: { attributes: ['deterministic'], runs: [[], ['--check']] },
  checkRandom: {
    attributes: ['random'],
    runs: [[], ['--check']],
    essential: /may not be deterministic: output "[^"]*\/([^"/]+)" differs/,
  },
  checkRandomOutput: {
    attributes: ['randomOutput'],
    runs: [[], ['--check']],
    essential: /may not be deterministic: output "[^"]*\/([^"/]+)" differs/,
  },
  timeout: { attributes: ['sleeps'], runs: [['--option', 'timeout', '1']], essential: seconds },
  maxSilentTime: {
    attributes: ['sleepsSilently'],
    runs: [['--option', 'max-silent-time', '1']],
    essential: seconds,
  },
  talksTooLong: {
    attributes: ['talks'],
    runs: [['--option', 'max-silent-time', '5', '--option', 'timeout', '2']],
    essential: seconds,
  },
  maxLogSize: {
    attributes: ['logsMuch'],
    runs: [['--option', 'max-build-log-size', '10000']],
    essential: /more than (?:the )?(\d+) bytes/,
  },
  readsHost: { essential: reason },
  usesNetwork: { essential: /Reason: builder failed/ },
  writesInput: { essential: reason },
  setuid: { essential: reason },
  setgidFolder: { essential: reason },
};
