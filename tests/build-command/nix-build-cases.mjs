// Command lines that `nix-build` and `neve build` share, with what Nix 2.34.8 does: its exit code and the links that it makes.
// Both print the same store paths on standard output.

/**
 * @typedef {object} NixBuildCase
 * @property {readonly string[]} args
 * @property {number} code
 * @property {Readonly<Record<string, string>>} links by name, the name of the package with its output
 */

/** @type {(attributes: string, code: number, links?: Readonly<Record<string, string>>) => NixBuildCase} */
const attributes = (words, code, links = {}) => ({
  args: words.split(' ').flatMap((word) => (/^-|^[0-9]+$/.test(word) ? [word] : ['-A', word])),
  code,
  links,
});

/** @type {readonly NixBuildCase[]} */
export const nixBuildCases = [
  attributes('one', 0, { result: 'one' }),
  attributes('three', 0, { result: 'three' }),
  attributes('outs one outs.dev', 0, { result: 'outs', 'result-2': 'one', 'result-dev': 'outs-dev' }),
  attributes('outs.dev one', 0, { 'result-2': 'one', 'result-dev': 'outs-dev' }),
  attributes('one one', 0, { result: 'one' }),
  attributes('dev-first', 0, { 'result-dev': 'dev-first-dev' }),
  attributes('dev-first.out', 0, { result: 'dev-first' }),
  attributes('one --no-out-link', 0),
  {
    args: ['-A', 'one', '-A', 'outs.dev', '-o', 'link'],
    code: 0,
    links: { link: 'one', 'link-2-dev': 'outs-dev' },
  },
  attributes('fails', 100),
  attributes('fails fails-too', 100),
  attributes('fails fails-too --keep-going', 100),
  attributes('needs-failing', 100),
  attributes('needs-both --keep-going', 100),
  attributes('one fails', 100),
  attributes('one fails --keep-going', 100),
  attributes('no-output', 1),
  attributes('fixed-fails', 1),
  attributes('fixed-fails fails --keep-going', 100),
  attributes('wrong', 102),
  attributes('needs-wrong', 102),
  attributes('needs-wrong fails --keep-going', 102),
  attributes('never-ends --timeout 1', 101),
  attributes('never-ends --max-silent-time 1', 101),
  attributes('never-ends wrong fails --timeout 1 --keep-going', 103),
  attributes('not-allowed', 1),
  attributes('too-loud --max-build-log-size 1000', 1),
  attributes('other-system', 100),
  attributes('two --max-jobs 0', 0, { result: 'two' }),
  attributes('loud --max-jobs 0', 100),
  attributes('random --no-out-link', 0),
  attributes('random --no-out-link --check', 104),
  attributes('three --no-out-link --check', 0),
  attributes('loud --check', 1),
  attributes('imported', 1),
  attributes('imported-fails', 100),
];
