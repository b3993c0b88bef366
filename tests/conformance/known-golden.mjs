// Golden files of the upstream unit tests that are not checked or do not pass, each with its reason. What is listed may
// fail without failing the run; a listed file that passes is reported.

const plainVariable =
  'structured attributes stand in the variable that carries them, as no command of Nix prints them; Neve shows an object';
const noSuchStore = 'a store of Nix that is not reached by a protocol; Neve opens none of these';
const noOptionsJson = 'Neve reads the options of derivations from their variables and has no JSON of them';

/** By the beginning of the path below the checkout's `src`. @type {readonly [prefix: string, reason: string][]} */
const reasons = [
  ['libstore-tests/data/build-result/', 'Neve has no JSON of build results'],
  ['libstore-tests/data/derived-path/', 'Neve has no JSON of derived paths'],
  ['libstore-tests/data/outputs-spec/', 'Neve has no JSON of output specifications'],
  ['libstore-tests/data/derivation/ca/derivation-options/', noOptionsJson],
  ['libstore-tests/data/derivation/ia/derivation-options/', noOptionsJson],
  ...['before', 'resolved', 'sa-before', 'sa-resolved'].map(
    (it) =>
      /** @type {[string, string]} */ ([
        `libstore-tests/data/derivation/try-resolve/export-ref-subpath-${it}-options.json`,
        noOptionsJson,
      ]),
  ),
  ['libstore-tests/data/derivation/try-resolve/export-ref-subpath-sa-before.json', plainVariable],
  ['libstore-tests/data/derivation/try-resolve/export-ref-subpath-sa-resolved.json', plainVariable],
  ['libstore-tests/data/derivation/dyn-dep-derivation.', 'dynamic derivations are not supported'],
  ['libstore-tests/data/dummy-store/', 'a store of Nix that exists for its own tests'],
  ['libstore-tests/data/worker-substitution/', 'the state of such stores before and after a substitution'],
  ['libstore-tests/data/store-reference/auto', noSuchStore],
  ['libstore-tests/data/store-reference/local', noSuchStore],
];

/** @param {string} name */
export function goldenReason(name) {
  return reasons.find(([prefix]) => name.startsWith(prefix))?.[1];
}
