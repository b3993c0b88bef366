/** What the commands that evaluate are, for their help and the manuals. Their options are in `option-table.ts`. */
import type { CommandDescription } from './command-description.ts';
import type { EvaluatingCommand } from './option-table.ts';
import { optionsOf } from './parse-arguments.ts';
import { summaries } from './top-level-commands.ts';

export const evaluatingCommands = [
  'eval',
  'instantiate',
  'build',
  'shell',
  'explain',
  'log',
  'why-depends',
  'repl',
] as const satisfies readonly EvaluatingCommand[];

type Texts = Pick<CommandDescription, 'usage' | 'description' | 'arguments'>;

const texts: Record<EvaluatingCommand, Texts> = {
  eval: {
    usage: [
      'eval [OPTIONS] --expr EXPR [ATTRIBUTE PATH…]',
      'eval [OPTIONS] --file FILE [ATTRIBUTE PATH…]',
      'eval [OPTIONS] [FILE…]',
    ],
    description:
      'Evaluates Nix expressions and prints their values. Without an expression or a file it reads ./default.nix.',
  },
  instantiate: {
    usage: ['instantiate [OPTIONS] [FILE…]', 'instantiate [OPTIONS] --expr EXPR…'],
    description: `Evaluates to derivations, writes them to the store directory and prints their paths. Without a file it reads
./default.nix. The options are those of nix-instantiate.`,
  },
  build: {
    usage: [
      'build [OPTIONS] --expr EXPR [ATTRIBUTE PATH…]',
      'build [OPTIONS] --file FILE [ATTRIBUTE PATH…]',
      'build [OPTIONS] [FILE|STORE PATH…]',
    ],
    description: `Builds what expressions evaluate to, prints the store paths of the results and makes links to them. Without an
expression or a file it reads ./default.nix. DERIVATION^OUTPUT,… builds these outputs of a derivation in the store.`,
  },
  shell: {
    usage: [
      'shell [OPTIONS] --file FILE [ATTRIBUTE PATH…] [--command PROGRAM ARGUMENT…]',
      'shell [OPTIONS] --expr EXPR [ATTRIBUTE PATH…] [--command PROGRAM ARGUMENT…]',
      'shell [OPTIONS] [FILE|STORE PATH…] [--command PROGRAM ARGUMENT…]',
    ],
    description: `Builds what expressions evaluate to, and runs a shell (SHELL, or bash) in whose PATH the programs of the results come
first. Files of the store are where store paths say, read only, for the shell and whatever it starts. Without an expression or
a file it reads ./default.nix.`,
  },
  explain: {
    usage: [
      'explain [OPTIONS] --expr EXPR [ATTRIBUTE PATH…]',
      'explain [OPTIONS] --file FILE [ATTRIBUTE PATH…]',
      'explain [OPTIONS] [FILE|STORE PATH…]',
    ],
    description:
      'Says of what would be built why it is, and what has to be built, fetched or substituted for it.',
  },
  log: {
    usage: ['log [OPTIONS] STORE PATH…', 'log [OPTIONS] --file FILE [ATTRIBUTE PATH…]'],
    description: 'Prints what a build printed, by its derivation or by what it made.',
    arguments: ['store-path'],
  },
  'why-depends': {
    usage: [
      'why-depends [OPTIONS] STORE PATH STORE PATH',
      'why-depends [OPTIONS] --file FILE ATTRIBUTE PATH ATTRIBUTE PATH',
    ],
    description: 'Prints the shortest chain of references by which the first needs the second.',
    arguments: ['store-path'],
  },
  repl: {
    usage: [
      'repl [OPTIONS] [FILE…]',
      'repl [OPTIONS] --file FILE [ATTRIBUTE PATH…]',
      'repl [OPTIONS] --expr EXPR [ATTRIBUTE PATH…]',
    ],
    description: `Reads expressions at a prompt, evaluates them and prints their values. The attributes of what is loaded are variables.
':?' at the prompt lists the commands that there are.`,
  },
};

export function describeEvaluating(name: EvaluatingCommand): CommandDescription {
  const options = new Set([...optionsOf(name).values()].map(({ spec }) => spec));
  return { name, summary: summaries[name], ...texts[name], options: [...options], takesSettings: true };
}
