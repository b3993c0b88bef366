/** Documentation of the builtins for derivations, store paths and the contexts of strings. */
import type { BuiltinDoc } from './builtin-doc.ts';

const simple = 'derivation { name = "x"; system = "y"; builder = "/bin/sh"; }';

export const derivationDocs: readonly BuiltinDoc[] = [
  {
    name: 'derivation',
    subject: 'derivations',
    isGlobal: true,
    parameters: ['attributes'],
    summary: 'Describes a build: which program makes a store path, with which arguments and environment.',
    details:
      '`name`, `system` and `builder` are required, `args` and `outputs` are lists, and everything else becomes a variable of the ' +
      'build’s environment. The result is the same set with `drvPath`, `outPath` and an attribute for each output. Nothing is built ' +
      'before somebody wants the contents.',
    since: '0.9',
    examples: [
      { expression: `(${simple}).outPath`, value: '"/nix/store/lm0zfzra8pr9x8yis4m1fc1dwbx5lk9k-x"' },
      { expression: `(${simple}).type`, value: '"derivation"' },
      {
        expression:
          'map (o: o.outputName) (derivation { name = "x"; system = "y"; builder = "z"; outputs = [ "out" "doc" ]; }).all',
        value: '[ "out" "doc" ]',
      },
    ],
  },
  {
    name: 'derivationStrict',
    subject: 'derivations',
    isGlobal: true,
    parameters: ['attributes'],
    summary:
      'What `derivation` calls: computes the store paths at once, as a set of `drvPath` and one attribute for each output.',
    examples: [
      {
        expression:
          'builtins.attrNames (derivationStrict { name = "x"; system = "y"; builder = "/bin/sh"; })',
        value: '[ "drvPath" "out" ]',
      },
    ],
  },
  {
    name: 'placeholder',
    subject: 'derivations',
    isGlobal: true,
    parameters: ['output'],
    summary: 'A string that the build finds replaced by the path of one of its own outputs.',
    since: '2.0',
    examples: [
      { expression: 'placeholder "out"', value: '"/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"' },
    ],
  },
  {
    name: 'outputOf',
    subject: 'derivations',
    isGlobal: false,
    parameters: ['derivation', 'output'],
    summary: 'An output of a derivation that is itself the output of a build: a placeholder for its path.',
    details: 'For a derivation that is known it is the output’s path.',
    since: '2.18',
    experimentalFeature: 'dynamic-derivations',
    unsupported: 'Neve refuses the call: it does not build derivations that are themselves built yet.',
    examples: [
      {
        expression: `let d = ${simple}; in builtins.outputOf (builtins.unsafeDiscardOutputDependency d.drvPath) "out" == d.outPath`,
        value: 'true',
        needs: 'store',
      },
    ],
  },
  {
    name: 'storePath',
    subject: 'derivations',
    isGlobal: false,
    parameters: ['path'],
    summary: 'A store path that is there already, as a string that depends on it.',
    details: 'Without it, a path into the store would be copied to the store. Not for pure evaluation.',
    examples: [
      {
        expression: 'let file = builtins.toFile "greeting" "Hello"; in builtins.storePath file == file',
        value: 'true',
        needs: 'store',
      },
      { expression: 'builtins.storePath /etc', error: 'not in the Nix store' },
    ],
  },
  {
    name: 'getContext',
    subject: 'derivations',
    isGlobal: false,
    parameters: ['string'],
    summary: 'What a string depends on: a set of store paths, with `path`, `outputs` or `allOutputs`.',
    examples: [
      { expression: 'builtins.getContext "plain"', value: '{ }' },
      {
        expression: `builtins.attrValues (builtins.getContext "\${${simple}}")`,
        value: '[ { outputs = [ "out" ]; } ]',
      },
    ],
  },
  {
    name: 'hasContext',
    subject: 'derivations',
    isGlobal: false,
    parameters: ['string'],
    summary: 'Whether a string depends on something in the store.',
    examples: [
      { expression: 'builtins.hasContext "plain"', value: 'false' },
      { expression: `builtins.hasContext "\${${simple}}"`, value: 'true' },
    ],
  },
  {
    name: 'appendContext',
    subject: 'derivations',
    isGlobal: false,
    parameters: ['string', 'context'],
    summary: 'A string that depends on further things, which are described as `getContext` does.',
    examples: [
      {
        expression: `let d = "\${${simple}}"; in builtins.getContext (builtins.appendContext "plain" (builtins.getContext d)) == builtins.getContext d`,
        value: 'true',
      },
    ],
  },
  {
    name: 'unsafeDiscardStringContext',
    subject: 'derivations',
    isGlobal: false,
    parameters: ['string'],
    summary: 'A string that depends on nothing.',
    details: 'Unsafe since what it mentions may be missing when it is used.',
    examples: [
      {
        expression: `builtins.hasContext (builtins.unsafeDiscardStringContext "\${${simple}}")`,
        value: 'false',
      },
    ],
  },
  {
    name: 'unsafeDiscardOutputDependency',
    subject: 'derivations',
    isGlobal: false,
    parameters: ['string'],
    summary:
      'The path of a derivation that depends on the file alone, and no longer on everything that it needs and makes.',
    examples: [
      {
        expression: `builtins.attrValues (builtins.getContext (builtins.unsafeDiscardOutputDependency (${simple}).drvPath))`,
        value: '[ { path = true; } ]',
      },
    ],
  },
  {
    name: 'addDrvOutputDependencies',
    subject: 'derivations',
    isGlobal: false,
    parameters: ['string'],
    summary:
      'The reverse of `unsafeDiscardOutputDependency`: the path of a derivation that depends on all its outputs.',
    examples: [
      {
        expression: `builtins.attrValues (builtins.getContext (builtins.addDrvOutputDependencies (builtins.unsafeDiscardOutputDependency (${simple}).drvPath)))`,
        value: '[ { allOutputs = true; } ]',
      },
    ],
  },
];
