/** Documentation of the builtins that steer evaluation, and of those about the evaluation itself. */
import type { BuiltinDoc } from './builtin-doc.ts';

export const controlDocs: readonly BuiltinDoc[] = [
  {
    name: 'seq',
    subject: 'control',
    isGlobal: false,
    parameters: ['first', 'then'],
    summary: 'Evaluates its first argument, and then is its second.',
    details: 'A set or a list counts as evaluated when it is known to be one; what is inside stays as it is.',
    since: '1.8',
    examples: [
      { expression: 'builtins.seq [ (throw "unseen") ] 1', value: '1' },
      { expression: 'builtins.seq (throw "seen") 1', error: 'seen' },
    ],
  },
  {
    name: 'deepSeq',
    subject: 'control',
    isGlobal: false,
    parameters: ['first', 'then'],
    summary: 'Evaluates its first argument with everything inside, and then is its second.',
    since: '1.8',
    examples: [
      { expression: 'builtins.deepSeq { a = [ 1 2 ]; } "done"', value: '"done"' },
      { expression: 'builtins.deepSeq [ (throw "seen") ] 1', error: 'seen' },
    ],
  },
  {
    name: 'throw',
    subject: 'control',
    isGlobal: true,
    parameters: ['message'],
    summary: 'Fails with a message. `tryEval` catches it, and `nix-env` skips a package that does it.',
    since: '0.11',
    examples: [
      { expression: 'throw "there is no snow"', error: 'there is no snow' },
      { expression: '(builtins.tryEval (throw "there is no snow")).success', value: 'false' },
    ],
  },
  {
    name: 'abort',
    subject: 'control',
    isGlobal: true,
    parameters: ['message'],
    summary: 'Ends the evaluation with a message. Nothing catches it.',
    examples: [
      {
        expression: 'builtins.tryEval (abort "enough")',
        error: "evaluation aborted with the following error message: 'enough'",
      },
    ],
  },
  {
    name: 'tryEval',
    subject: 'control',
    isGlobal: false,
    parameters: ['value'],
    summary: 'Tries to evaluate: a set with `success`, and with `value`, which is `false` after a failure.',
    details:
      'Caught are `throw` and a failed `assert`, nothing else: neither type errors nor missing attributes. Only the outermost ' +
      'value is evaluated; use `deepSeq` for what is inside.',
    examples: [
      { expression: 'builtins.tryEval (1 + 1)', value: '{ success = true; value = 2; }' },
      { expression: 'builtins.tryEval (assert 1 > 2; 3)', value: '{ success = false; value = false; }' },
      { expression: 'builtins.tryEval (1 + { })', error: 'cannot add a set to an integer' },
    ],
  },
  {
    name: 'trace',
    subject: 'control',
    isGlobal: false,
    parameters: ['message', 'value'],
    summary: 'Prints its first argument to standard error, and is its second.',
    since: '0.11',
    examples: [{ expression: 'builtins.trace "now" (1 + 1)', value: '2' }],
  },
  {
    name: 'traceVerbose',
    subject: 'control',
    isGlobal: false,
    parameters: ['message', 'value'],
    summary:
      'As `trace`, but prints only with the setting `trace-verbose`; otherwise the message is not evaluated.',
    since: '2.10',
    examples: [{ expression: 'builtins.traceVerbose (throw "unseen") 1', value: '1' }],
  },
  {
    name: 'warn',
    subject: 'control',
    isGlobal: false,
    parameters: ['message', 'value'],
    summary: 'Prints a warning to standard error, and is its second argument.',
    details:
      'With the setting `abort-on-warn` it ends the evaluation instead, which shows where it came from.',
    since: '2.23',
    examples: [{ expression: 'builtins.warn "use `new` instead of `old`" "value"', value: '"value"' }],
  },
  {
    name: 'addErrorContext',
    subject: 'control',
    isGlobal: false,
    parameters: ['message', 'value'],
    summary: 'A value; when it fails, the message stands in the trace that `--show-trace` prints.',
    since: '0.13',
    examples: [{ expression: 'builtins.addErrorContext "while counting" (1 + 1)', value: '2' }],
  },
  {
    name: 'break',
    subject: 'control',
    isGlobal: true,
    parameters: ['value'],
    summary: 'Its argument. A debugger of Nix stops there; Neve has none.',
    since: '2.9',
    examples: [{ expression: 'break 1', value: '1' }],
  },
  {
    name: 'currentSystem',
    subject: 'evaluation',
    isGlobal: false,
    parameters: [],
    summary:
      'The system for which things are built by default: `x86_64-linux`, unless `--system` or `eval-system` says otherwise.',
    details: 'Not there in pure evaluation.',
    examples: [{ expression: 'builtins.match "[^-]+-[^-]+" builtins.currentSystem', value: '[ ]' }],
  },
  {
    name: 'currentTime',
    subject: 'evaluation',
    isGlobal: false,
    parameters: [],
    summary: 'When this evaluation began, in seconds since 1970.',
    details: 'The same for the whole evaluation, and not there in pure evaluation.',
    examples: [{ expression: 'builtins.isInt builtins.currentTime', value: 'true' }],
  },
  {
    name: 'langVersion',
    subject: 'evaluation',
    isGlobal: false,
    parameters: [],
    summary: 'The version of the language, a number that has been 6 for years.',
    examples: [{ expression: 'builtins.langVersion', value: '6' }],
  },
  {
    name: 'nixVersion',
    subject: 'evaluation',
    isGlobal: false,
    parameters: [],
    summary: 'The release of Nix whose language this is.',
    details: 'To find out whether something is there, ask `builtins ? name`.',
    examples: [{ expression: 'builtins.compareVersions builtins.nixVersion "2.18" >= 0', value: 'true' }],
  },
  {
    name: 'nixPath',
    subject: 'evaluation',
    isGlobal: false,
    parameters: [],
    summary:
      'Where `<name>` is looked for: a list of sets with `prefix` and `path`, from `-I` and `NIX_PATH`.',
    examples: [
      { expression: 'builtins.all (entry: entry ? prefix && entry ? path) builtins.nixPath', value: 'true' },
    ],
  },
  {
    name: 'storeDir',
    subject: 'evaluation',
    isGlobal: false,
    parameters: [],
    summary: 'The directory of the store, as it stands in store paths.',
    examples: [{ expression: 'builtins.storeDir', value: '"/nix/store"' }],
  },
  {
    name: 'getEnv',
    subject: 'evaluation',
    isGlobal: false,
    parameters: ['name'],
    summary:
      'A variable of the environment; empty when it is not set, and always in pure or restricted evaluation.',
    examples: [{ expression: 'builtins.getEnv "NO_SUCH_VARIABLE"', value: '""' }],
  },
];
