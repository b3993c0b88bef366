/** Documentation of the builtins that read and write formats, and of those that hash. */
import type { BuiltinDoc } from './builtin-doc.ts';

export const formatDocs: readonly BuiltinDoc[] = [
  {
    name: 'toJSON',
    subject: 'formats',
    isGlobal: false,
    parameters: ['value'],
    summary: 'A value as JSON, everything in it evaluated.',
    details:
      'A set with `outPath` or `__toString` is that string. A path is copied to the store and becomes its store path. ' +
      'Functions are an error.',
    since: '1.7',
    examples: [
      {
        expression: 'builtins.toJSON { b = [ 1 2.5 null ]; a = "x"; }',
        value: String.raw`"{\"a\":\"x\",\"b\":[1,2.5,null]}"`,
      },
      { expression: 'builtins.toJSON (x: x)', error: 'cannot convert a function to JSON' },
    ],
  },
  {
    name: 'fromJSON',
    subject: 'formats',
    isGlobal: false,
    parameters: ['string'],
    summary: 'The value that a JSON text describes.',
    since: '1.8',
    examples: [
      {
        expression: String.raw`builtins.fromJSON "{\"a\": [1, 2.5, null, true]}"`,
        value: '{ a = [ 1 2.5 null true ]; }',
      },
      {
        expression: '(builtins.fromJSON (builtins.readFile ./package.json)).version',
        value: '"1.2.0"',
        files: { 'package.json': '{ "name": "snow", "version": "1.2.0" }\n' },
      },
    ],
  },
  {
    name: 'fromTOML',
    subject: 'formats',
    isGlobal: true,
    parameters: ['string'],
    summary: 'The set that a TOML text describes.',
    details:
      'Dates and times are an error, unless the experimental feature `parse-toml-timestamps` is enabled.',
    since: '2.1',
    examples: [
      {
        expression: String.raw`fromTOML "[package]\nname = 'snow'\nkeywords = ['cold', 'white']"`,
        value: '{ package = { keywords = [ "cold" "white" ]; name = "snow"; }; }',
      },
    ],
  },
  {
    name: 'toXML',
    subject: 'formats',
    isGlobal: false,
    parameters: ['value'],
    summary: 'A value as XML, everything in it evaluated.',
    since: '0.10',
    examples: [
      {
        expression: 'builtins.toXML { a = 1; }',
        value: String.raw`"<?xml version='1.0' encoding='utf-8'?>\n<expr>\n  <attrs>\n    <attr name=\"a\">\n      <int value=\"1\" />\n    </attr>\n  </attrs>\n</expr>\n"`,
      },
    ],
  },
  {
    name: 'hashString',
    subject: 'formats',
    isGlobal: false,
    parameters: ['algorithm', 'string'],
    summary: 'The hash of a string in base 16, by `md5`, `sha1`, `sha256` or `sha512`.',
    details: '`blake3` needs the experimental feature `blake3-hashes`.',
    since: '1.4',
    examples: [
      {
        expression: 'builtins.hashString "sha256" ""',
        value: '"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"',
      },
      { expression: 'builtins.hashString "md5" "abc"', value: '"900150983cd24fb0d6963f7d28e17f72"' },
    ],
  },
  {
    name: 'hashFile',
    subject: 'formats',
    isGlobal: false,
    parameters: ['algorithm', 'path'],
    summary: 'The hash of a file’s contents in base 16.',
    since: '2.3',
    examples: [
      {
        expression: 'builtins.hashFile "sha256" ./empty',
        value: '"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"',
        files: { empty: '' },
      },
    ],
  },
  {
    name: 'convertHash',
    subject: 'formats',
    isGlobal: false,
    parameters: ['arguments'],
    summary:
      'The same hash in another form: `base16`, `nix32`, `base64` or `sri`, which is given as `toHashFormat`.',
    details:
      '`hash` is the hash; `hashAlgo` is its algorithm, where the hash does not say so itself as `sha256:…` or `sha256-…`.',
    since: '2.19',
    examples: [
      {
        expression:
          'builtins.convertHash { hash = builtins.hashString "sha256" ""; hashAlgo = "sha256"; toHashFormat = "sri"; }',
        value: '"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="',
      },
      {
        expression:
          'builtins.convertHash { hash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; toHashFormat = "nix32"; }',
        value: '"0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"',
      },
    ],
  },
];
