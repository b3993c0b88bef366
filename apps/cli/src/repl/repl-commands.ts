/** The commands of the prompt, those of Nix 2.34 and their texts in its help: one table for help, completion and dispatch. */

export type ReplCommand = {
  readonly id: CommandId;
  readonly names: readonly string[];
  /** What comes after it. */
  readonly argument: 'expression' | 'path' | 'word' | 'nothing';
  /** As the help shows it: the parameter, and lines of text. */
  readonly usage: string;
  readonly help: readonly string[];
};

export type CommandId =
  | 'add'
  | 'build'
  | 'build-link'
  | 'edit'
  | 'install'
  | 'load'
  | 'load-flake'
  | 'last-loaded'
  | 'print'
  | 'quit'
  | 'reload'
  | 'dependency-shell'
  | 'type'
  | 'shell'
  | 'doc'
  | 'log'
  | 'trace-enable'
  | 'help';

export const replCommands: readonly ReplCommand[] = [
  {
    id: 'add',
    names: [':a', ':add'],
    argument: 'expression',
    usage: ':a, :add <expr>',
    help: ['Add attributes from resulting set to scope'],
  },
  { id: 'build', names: [':b'], argument: 'expression', usage: ':b <expr>', help: ['Build a derivation'] },
  {
    id: 'build-link',
    names: [':bl'],
    argument: 'expression',
    usage: ':bl <expr>',
    help: ['Build a derivation, creating GC roots in the', 'working directory'],
  },
  {
    id: 'edit',
    names: [':e', ':edit'],
    argument: 'expression',
    usage: ':e, :edit <expr>',
    help: ['Open package or function in $EDITOR'],
  },
  {
    id: 'install',
    names: [':i'],
    argument: 'expression',
    usage: ':i <expr>',
    help: ['Build derivation, then install result into', 'current profile (not in Neve yet)'],
  },
  {
    id: 'load',
    names: [':l', ':load'],
    argument: 'path',
    usage: ':l, :load <path>',
    help: ['Load Nix expression and add it to scope'],
  },
  {
    id: 'load-flake',
    names: [':lf', ':load-flake'],
    argument: 'path',
    usage: ':lf, :load-flake <ref>',
    help: ['Load Nix flake and add it to scope', '(not in Neve yet)'],
  },
  {
    id: 'last-loaded',
    names: [':ll', ':last-loaded'],
    argument: 'nothing',
    usage: ':ll, :last-loaded',
    help: ['Show most recently loaded variables added to scope'],
  },
  {
    id: 'print',
    names: [':p', ':print'],
    argument: 'expression',
    usage: ':p, :print <expr>',
    help: ['Evaluate and print expression recursively', 'Strings are printed directly, without escaping.'],
  },
  { id: 'quit', names: [':q', ':quit'], argument: 'nothing', usage: ':q, :quit', help: ['Exit the prompt'] },
  {
    id: 'reload',
    names: [':r', ':reload'],
    argument: 'nothing',
    usage: ':r, :reload',
    help: ['Reload all files'],
  },
  {
    id: 'dependency-shell',
    names: [':sh'],
    argument: 'expression',
    usage: ':sh <expr>',
    help: ['Build dependencies of derivation, then start', 'nix-shell (not in Neve yet)'],
  },
  {
    id: 'type',
    names: [':t'],
    argument: 'expression',
    usage: ':t <expr>',
    help: ['Describe result of evaluation'],
  },
  {
    id: 'shell',
    names: [':u'],
    argument: 'expression',
    usage: ':u <expr>',
    help: ['Build derivation, then start nix-shell', '(not in Neve yet)'],
  },
  {
    id: 'doc',
    names: [':doc'],
    argument: 'expression',
    usage: ':doc <expr>',
    help: ['Show documentation of a function'],
  },
  {
    id: 'log',
    names: [':log'],
    argument: 'expression',
    usage: ':log <expr>',
    help: ['Show logs for a derivation'],
  },
  {
    id: 'trace-enable',
    names: [':te', ':trace-enable'],
    argument: 'word',
    usage: ':te, :trace-enable [bool]',
    help: ['Enable, disable or toggle showing traces for', 'errors'],
  },
  {
    id: 'help',
    names: [':?', ':help'],
    argument: 'nothing',
    usage: ':?, :help',
    help: ['Brings up this help menu'],
  },
];

const byName: ReadonlyMap<string, ReplCommand> = new Map(
  replCommands.flatMap((command) => command.names.map((name) => [name, command] as const)),
);

export function findCommand(name: string): ReplCommand | undefined {
  return byName.get(name);
}

export function helpOfCommands(): string {
  const rows = [
    { usage: '<expr>', help: ['Evaluate and print expression'] },
    { usage: '<x> = <expr>', help: ['Bind expression to variable'] },
    ...replCommands,
  ];
  const lines = rows.flatMap(({ usage, help }) =>
    help.map((text, index) => `  ${(index === 0 ? usage : '').padEnd(29)}${text}`),
  );
  return `The following commands are available:\n\n${lines.join('\n')}\n`;
}
