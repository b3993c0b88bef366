/** `neve cache`: the list of its commands, and what they have in common. */
import { setMaxListeners } from 'node:events';
import { NarBridgeError } from '@neve/nar-bridge';
import { optionLines } from '../help.ts';
import { type Interruption, watchInterruptions } from '../interruption.ts';
import { write } from '../output.ts';
import { optionsByName, parseWords } from '../parse-words.ts';
import { isExpected } from '../store/store-errors.ts';
import { UsageError } from '../usage-error.ts';
import { type CacheCommand, commonOptions } from './cache-command.ts';
import { configureCommand } from './configure.ts';
import { createCommand } from './create.ts';
import { gcCommand } from './gc.ts';
import { listCommand } from './list.ts';
import { loginCommand } from './login.ts';
import { pinCommand } from './pin.ts';
import { pullCommand } from './pull.ts';
import { pushCommand } from './push.ts';
import { removeCommand } from './remove.ts';
import { serveCommand } from './serve.ts';
import { statusCommand } from './status.ts';
import { tokenCommand } from './token.ts';

const commands: readonly CacheCommand[] = [
  pushCommand,
  pullCommand,
  loginCommand,
  pinCommand,
  statusCommand,
  serveCommand,
  createCommand,
  configureCommand,
  listCommand,
  removeCommand,
  tokenCommand,
  gcCommand,
];

/** Runs one command and gives the exit code. */
export async function runCacheCommand(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    return showHelp(first, rest[0]);
  }
  const command = commands.find(({ name }) => name === first);
  if (command === undefined) {
    write(2, `error: unrecognised command 'cache ${first}'\nTry 'neve cache --help' for more information.\n`);
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
    const args = parseWords(rest, optionsByName({ ...command.options, ...commonOptions }));
    if (args.has('help')) return showHelp('help', first);
    return (await command.run(args, aborter.signal)) ?? 0;
  } catch (error) {
    if (interruption !== undefined) return interruption.exitCode;
    return report(error, first);
  }
}

/** What is none of ours is a bug, and is shown with its stack. */
function report(error: unknown, command: string): number {
  if (error instanceof UsageError) {
    write(2, `error: ${error.message}\nTry 'neve cache ${command} --help' for more information.\n`);
  } else if (isExpected(error) || error instanceof NarBridgeError) write(2, `error: ${error.message}\n`);
  else {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    write(2, `error: this is a bug in Neve, please report it\n${stack}\n`);
  }
  return 1;
}

function showHelp(asked: string | undefined, topic: string | undefined): number {
  const command = commands.find(({ name }) => name === topic);
  write(asked === undefined ? 2 : 1, command === undefined ? generalHelp() : helpOf(command));
  return asked === undefined ? 1 : 0;
}

function generalHelp(): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return `Usage: neve cache COMMAND [OPTIONS] [ARGUMENTS]

Uses binary caches, and serves them: several in one folder, each with its own keys, tokens and rules.

Commands:
${lines.join('\n')}

Options of all commands:
${optionLines(Object.values(commonOptions))}

'neve cache COMMAND --help' shows the options of a command.
`;
}

function helpOf(command: CacheCommand): string {
  const usage = command.usage.map((line) => `neve cache ${line}`).join('\n       ');
  return `Usage: ${usage}

${command.description}

Options:
${optionLines([...Object.values(command.options), ...Object.values(commonOptions)])}
`;
}
