/**
 * What is about commands instead of one: help, manual pages, completion, and words that are no command. A script of its own,
 * since a shell waits for it at every press of a key.
 */
import { join } from 'node:path';
import type { Caller } from '../caller.ts';
import type { SourcesHost } from '../completion/process-sources.ts';
import { runComplete } from '../completion/run-complete.ts';
import { completionScript, isShell } from '../completion/shell-scripts.ts';
import type { CommandDescription } from '../command-description.ts';
import { columns, helpText } from '../help.ts';
import { parseWords, optionsByName } from '../parse-words.ts';
import { rootOptions, summaries, topLevelNames } from '../top-level-commands.ts';
import { unknownCommand, unknownOption } from '../unknown-word.ts';
import { UsageError } from '../usage-error.ts';
import { usageHint } from '../usage-hint.ts';
import { ownCommands, readCommandTable, rootCommand } from './command-table.ts';
import { manualPage } from './manual-page.ts';
import { referencePage } from './reference-pages.ts';

export type HelpHost = {
  readonly caller: Pick<Caller, 'write' | 'environment' | 'directory'>;
  /** Runs a command of another script, and gives the exit code. */
  readonly run: (argv: readonly string[]) => Promise<number>;
  readonly storePathWords: SourcesHost['storePathWords'];
};

/** Gives the exit code. */
export async function runHelpMain(argv: readonly string[], host: HelpHost): Promise<number> {
  const [first, ...rest] = argv;
  const { caller } = host;
  try {
    switch (first) {
      case undefined:
        caller.write(2, generalHelp());
        return 1;
      case '--help':
      case '-h':
        caller.write(1, generalHelp());
        return 0;
      case 'help':
        return await showHelp(rest, host);
      case 'completion':
        return showScript(rest, host);
      case 'complete':
        await runComplete(rest, {
          caller,
          storePathWords: host.storePathWords,
          table: () => readCommandTable(tablePath()),
        });
        return 0;
      default:
        throw first.startsWith('-')
          ? unknownOption(
              first,
              rootOptions.flatMap(({ names }) => names),
            )
          : unknownCommand(first, topLevelNames);
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const command = ownCommands.some(({ name }) => name === first) ? first : '';
    caller.write(2, `error: ${error.message}\n${usageHint(error, command ?? '')}`);
    return 1;
  }
}

/** For the build, which puts the table together. */
export { makeCommandTable } from './command-table.ts';
export { manualPages } from './manual-page.ts';
export { referencePages } from './reference-pages.ts';

/** The build writes it beside the folder of this script. */
function tablePath(): string {
  return join(__dirname, '../commands.json');
}

const helpOptions = {
  man: { names: ['--man'], parameters: [], help: '' },
  markdown: { names: ['--markdown'], parameters: [], help: '' },
  help: { names: ['--help', '-h'], parameters: [], help: '' },
} as const;

async function showHelp(words: readonly string[], host: HelpHost): Promise<number> {
  const args = parseWords(words, optionsByName(helpOptions));
  const path = args.has('help') ? ['help'] : args.positional;
  const { caller } = host;
  if (args.has('man') || args.has('markdown')) {
    const table = readCommandTable(tablePath());
    const text = args.has('man') ? manualPage(path, table) : referencePage(path, table);
    if (text === undefined) throw new UsageError(`there is no command '${path.join(' ')}'`);
    caller.write(1, text);
    return 0;
  }
  const [first] = path;
  const own = ownCommands.find(({ name }) => name === first);
  if (first === undefined) caller.write(1, generalHelp());
  else if (own !== undefined) caller.write(1, helpText(own));
  else if (!topLevelNames.includes(first)) throw unknownCommand(first, topLevelNames);
  else return await host.run([...path, '--help']);
  return 0;
}

function showScript(words: readonly string[], { caller }: HelpHost): number {
  const args = parseWords(words, optionsByName({ help: helpOptions.help }));
  const [shell, more] = args.positional;
  const own = ownCommands.find(({ name }) => name === 'completion') as CommandDescription;
  if (args.has('help')) caller.write(1, helpText(own));
  else if (shell === undefined || more !== undefined || !isShell(shell)) {
    throw new UsageError('the name of a shell is wanted: bash, zsh or fish');
  } else caller.write(1, completionScript(shell));
  return 0;
}

function generalHelp(): string {
  const commands = topLevelNames.map((name) => [name, summaries[name as keyof typeof summaries]] as const);
  const options = rootOptions.map(({ names, help }) => [names.join(', '), help] as const);
  return `Usage: neve COMMAND [OPTIONS] [ARGUMENTS]

${rootCommand.description}

Commands:
${columns(commands)}

Options:
${columns(options)}

'neve COMMAND --help' shows the options of a command.
`;
}
