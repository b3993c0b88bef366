/** The help texts, made from the tables that the parser reads. */
import type { OptionSpec } from './parse-words.ts';
import { type CommandName, optionsOf } from './parse-arguments.ts';
import { settingNames } from './settings.ts';

export function generalHelp(): string {
  return `Usage: neve COMMAND [OPTIONS] [ARGUMENTS]

Neve is Nix, taken apart and rebuilt in TypeScript.

Commands:
  eval           evaluate a Nix expression and print its value
  instantiate    evaluate to derivations and write them to the store
  build          build what an expression evaluates to
  explain        say why, and how, something would be built
  log            print the log of a build
  why-depends    say why one store path needs another
  store          import, export, copy, check and serve what is in a store
  nix-daemon     serve the store, and builds in it, to clients of Nix
  nar-bridge     serve a store as a binary cache over HTTP, read and write
  cache          push to binary caches, pull from them, and serve several with tokens
  daemon         run commands for many clients, in one process that owns the store
  help COMMAND   show the options of a command

Options:
  --version      show the version
  --help         show this help
`;
}

const usages: Record<CommandName, string> = {
  eval: `Usage: neve eval [OPTIONS] --expr EXPR [ATTRIBUTE PATH…]
       neve eval [OPTIONS] --file FILE [ATTRIBUTE PATH…]
       neve eval [OPTIONS] [FILE…]

Evaluates Nix expressions and prints their values. Without an expression or a file it reads ./default.nix.`,
  instantiate: `Usage: neve instantiate [OPTIONS] [FILE…]
       neve instantiate [OPTIONS] --expr EXPR…

Evaluates to derivations, writes them to the store directory and prints their paths. Without a file it reads
./default.nix. The options are those of nix-instantiate.`,
  build: `Usage: neve build [OPTIONS] --expr EXPR [ATTRIBUTE PATH…]
       neve build [OPTIONS] --file FILE [ATTRIBUTE PATH…]
       neve build [OPTIONS] [FILE|STORE PATH…]

Builds what expressions evaluate to, prints the store paths of the results and makes links to them. Without an
expression or a file it reads ./default.nix. DERIVATION^OUTPUT,… builds these outputs of a derivation in the store.`,
  explain: `Usage: neve explain [OPTIONS] --expr EXPR [ATTRIBUTE PATH…]
       neve explain [OPTIONS] --file FILE [ATTRIBUTE PATH…]
       neve explain [OPTIONS] [FILE|STORE PATH…]

Says of what would be built why it is, and what has to be built, fetched or substituted for it.`,
  log: `Usage: neve log [OPTIONS] STORE PATH…
       neve log [OPTIONS] --file FILE [ATTRIBUTE PATH…]

Prints what a build printed, by its derivation or by what it made.`,
  'why-depends': `Usage: neve why-depends [OPTIONS] STORE PATH STORE PATH
       neve why-depends [OPTIONS] --file FILE ATTRIBUTE PATH ATTRIBUTE PATH

Prints the shortest chain of references by which the first needs the second.`,
};

export function commandHelp(command: CommandName): string {
  const options = new Set([...optionsOf(command).values()].map(({ spec }) => spec));
  const settings = settingNames().map((name) => `  ${name}`);
  return `${usages[command]}

Options:
${optionLines(options)}

Settings, as \`--option NAME VALUE\` or as options:
${settings.join('\n')}
`;
}

/** One line for each option. */
export function optionLines(options: Iterable<OptionSpec>): string {
  const rows = Array.from(options, ({ names, parameters, optionalValue, help }) => {
    const value = optionalValue === undefined ? '' : `[=${optionalValue}]`;
    return [[`${names.join(', ')}${value}`, ...parameters].join(' '), help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`).join('\n');
}
