// Damages the bytes of a Nix source at random: flips, drops, repeats, moves and splices pieces,
// and puts in tokens of the language where they do not belong.
//
// A mutant that could use up memory merely by what it asks for (a list with millions of
// elements, a closure without an end) tells nothing about the implementation and is left out.

const tokens = [
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  '${',
  "''",
  '"',
  ';',
  ':',
  '@',
  ',',
  '.',
  '...',
  '?',
  '=',
  '==',
  '!=',
  '//',
  '++',
  '+',
  '-',
  '*',
  '/',
  '<',
  '<=',
  '&&',
  '||',
  '->',
  '!',
  '|>',
  '<|',
  '#',
  '/*',
  '*/',
  '\\',
  '$',
  "''$",
  "''\\",
  '\r',
  '\r\n',
  '\0',
  '\u00e9',
  '\ufeff',
  'if ',
  'then ',
  'else ',
  'let ',
  'in ',
  'rec ',
  'with ',
  'inherit ',
  'assert ',
  'or ',
  'null',
  'true',
  'throw ',
  'builtins.',
  '__curPos',
  './x',
  '~/',
  '<x>',
  '/a/b',
  'http://x',
  '9223372036854775807',
  '1e5',
  '0.5',
  '.',
  '_',
  "'",
  'x: ',
  '{ x ? 1, ... }@y: ',
];

/**
 * @param {Uint8Array} source
 * @param {{ random: import("../lib/random.mjs").Random, other: Uint8Array }} options `other` is a source to take pieces from
 * @returns {Uint8Array}
 */
export function mutate(source, { random, other }) {
  let bytes = Buffer.from(source);
  for (let count = 1 + random.below(4); count > 0; count--) bytes = mutateOnce(bytes, { random, other });
  return bytes;
}

/**
 * Whether evaluating a source may need more memory than a test should.
 *
 * @param {Uint8Array} source
 */
export function asksForTooMuch(source) {
  const text = Buffer.from(source).toString('latin1');
  return /genericClosure/.test(text) || (/genList/.test(text) && /\d{6}/.test(text));
}

/**
 * @param {Buffer} bytes
 * @param {{ random: import("../lib/random.mjs").Random, other: Uint8Array }} options
 */
function mutateOnce(bytes, { random, other }) {
  const at = random.below(bytes.length + 1);
  const before = bytes.subarray(0, at);
  const rest = bytes.subarray(at);
  const length = 1 + random.below(random.oneIn(4) ? 40 : 4);
  switch (random.below(7)) {
    case 0:
      return joined(before, Buffer.from([(rest[0] ?? 0) ^ (1 << random.below(8))]), rest.subarray(1));
    case 1:
      return joined(before, Buffer.from([random.below(256)]), rest);
    case 2:
      return joined(before, rest.subarray(length));
    case 3:
      return joined(before, rest.subarray(0, length), rest);
    case 4: {
      const from = random.below(other.length + 1);
      return joined(before, other.subarray(from, from + length), rest);
    }
    case 5:
      return joined(rest, before);
    default:
      return joined(before, Buffer.from(random.pick(tokens)), rest);
  }
}

/** @param {readonly Uint8Array[]} pieces */
function joined(...pieces) {
  return Buffer.concat(pieces);
}
