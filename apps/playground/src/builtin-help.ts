/** What completion tells about builtins. */
import type { BuiltinHelp } from './nix-language/completion.ts';
import type { BuiltinName } from './protocol.ts';

/** Those that need no `builtins.`. */
const globals: ReadonlySet<string> = new Set(
  (
    'abort baseNameOf break derivation derivationStrict dirOf fetchGit fetchMercurial fetchTarball fetchTree fromTOML ' +
    'import isNull map placeholder removeAttrs scopedImport throw toString'
  ).split(' '),
);

export function describeBuiltins(names: readonly BuiltinName[]): BuiltinHelp[] {
  return names.map(({ name, kind }) => ({
    name,
    isGlobal: globals.has(name),
    isFunction: kind === 'builtin' || kind === 'lambda',
    arguments: [],
    documentation: undefined,
  }));
}
