/** `neve store`: the list of its commands, and what they have in common. */
import { setMaxListeners } from 'node:events';
import { optionLines } from '../help.ts';
import { type Interruption, watchInterruptions } from '../interruption.ts';
import { write } from '../output.ts';
import { optionsByName, parseWords } from '../parse-words.ts';
import { catCommand } from './cat.ts';
import { configCommand } from './config.ts';
import { copyCommand } from './copy.ts';
import { daemonCommand } from './daemon.ts';
import { diffCommand } from './diff.ts';
import { exportCommand } from './export.ts';
import { gcCommand } from './gc.ts';
import { importCommand } from './import.ts';
import { infoCommand } from './info.ts';
import { keyCommand } from './key.ts';
import { lsCommand } from './ls.ts';
import { mountCommand } from './mount.ts';
import { rootCommand } from './root.ts';
import { signCommand } from './sign.ts';
import type { StoreCommand } from './store-command.ts';
import { reportStoreError } from './store-errors.ts';
import { storeOptions } from './store-options.ts';
import { verifyCommand } from './verify.ts';

const commands: readonly StoreCommand[] = [
  importCommand,
  exportCommand,
  lsCommand,
  catCommand,
  infoCommand,
  diffCommand,
  copyCommand,
  mountCommand,
  daemonCommand,
  verifyCommand,
  gcCommand,
  rootCommand,
  signCommand,
  keyCommand,
  configCommand,
];

/** Runs one command and gives the exit code. */
export async function runStoreCommand(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    return showHelp(first, rest[0]);
  }
  const command = commands.find(({ name }) => name === first);
  if (command === undefined) {
    write(2, `error: unrecognised command 'store ${first}'\nTry 'neve store --help' for more information.\n`);
    return 1;
  }
  const aborter = new AbortController();
  // Everything that is under way listens to it.
  setMaxListeners(0, aborter.signal);
  let interruption: Interruption | undefined;
  using _watch = watchInterruptions((it) => {
    interruption = it;
    aborter.abort();
  });
  try {
    const args = parseWords(rest, optionsByName({ ...command.options, ...storeOptions }));
    if (args.has('help')) return showHelp('help', first);
    return (await command.run(args, aborter.signal)) ?? 0;
  } catch (error) {
    if (interruption !== undefined) return interruption.exitCode;
    return reportStoreError(error, command.name);
  }
}

function showHelp(asked: string | undefined, topic: string | undefined): number {
  const command = commands.find(({ name }) => name === topic);
  write(asked === undefined ? 2 : 1, command === undefined ? generalHelp() : helpOf(command));
  return asked === undefined ? 1 : 0;
}

function generalHelp(): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return `Usage: neve store COMMAND [OPTIONS] [ARGUMENTS]

Works on a store: blobs and directories by their content, and path infos, which say what a store path is.

Commands:
${lines.join('\n')}

Options of all commands:
${optionLines(Object.values(storeOptions))}

'neve store COMMAND --help' shows the options of a command.
`;
}

function helpOf(command: StoreCommand): string {
  const usage = command.usage.map((line) => `neve store ${line}`).join('\n       ');
  return `Usage: ${usage}

${command.description}

Options:
${optionLines([...Object.values(command.options), ...Object.values(storeOptions)])}
`;
}
