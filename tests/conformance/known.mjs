// Cases of the upstream language suite that Neve does not pass, each with its reason.
//
// A case that is listed may fail without failing the run; a listed case that passes is
// reported, so that the list can only shrink to what is true.

const needsFetchers = 'fetchers and flake references are not there yet';
const needsInternalFile =
  "its trace quotes lines of Nix's own derivation-internal.nix; Neve has a source of its own, and quotes that";
const countsBuiltins =
  'Nix counts the builtin, and the last element of a deep walk, against max-call-depth: the limit is met one frame later';
const tomlQuirk =
  'the message ends with a line of blanks, which Nix keeps for the colour that ends on it in a terminal';

/** @type {ReadonlyMap<string, string>} name of the case → why it is not passed */
export const knownFailures = new Map([
  ['eval-okay-flake-ref-to-string', needsFetchers],
  ['eval-okay-parse-flake-ref', needsFetchers],
  ['eval-fail-fetchTree-negative', needsFetchers],
  ['eval-fail-fetchTree-relative-path', needsFetchers],
  ['eval-fail-flake-ref-to-string-negative-integer', needsFetchers],
  ['eval-fail-derivation-name', needsInternalFile],
  ['eval-fail-derivation-stack-trace', needsInternalFile],
  ['eval-fail-derivation-structuredAttrs-stack-overflow', needsInternalFile],
  [
    'eval-fail-attr-name-type',
    'the definition of a prefix of a path with a dynamic name is not in the trace',
  ],
  ['eval-fail-deepseq-stack-overflow', countsBuiltins],
  ['eval-fail-fromTOML-overflow', tomlQuirk],
  ['eval-fail-fromTOML-underflow', tomlQuirk],
  ['eval-fail-toJSON-stack-overflow', countsBuiltins],
]);
