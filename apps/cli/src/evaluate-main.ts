/**
 * The commands that evaluate, and the general help.
 *
 * They are one script, so that modules cost the time to read them, whoever uses them; loading them later would only have
 * their functions read twice. Their top levels define things and compute nothing.
 */
import { applyConfigFiles } from './config-files.ts';
import { type CommandInput, runEvaluateCommand } from './evaluate-command.ts';
import { commandHelp, generalHelp } from './help.ts';
import { write } from './output.ts';
import { parseArguments } from './parse-arguments.ts';
import { reportError } from './report-error.ts';
import { Settings } from './settings.ts';
import { showVersion } from './show-version.ts';

const commands = ['eval', 'instantiate', 'build', 'log', 'why-depends', 'explain'] as const;

/** Runs one command and gives the exit code. */
export async function runEvaluateMain(
  argv: readonly string[],
  { openSession }: Pick<CommandInput, 'openSession'>,
): Promise<number> {
  const [first, ...rest] = argv;
  const command = commands.find((name) => name === first);
  if (command === undefined) return runWithoutCommand(first, rest[0]);

  const settings = new Settings();
  try {
    applyConfigFiles(settings, process.env);
    const args = parseArguments(rest, { command, settings });
    for (const { option, values } of args.occurrences) {
      const [name = '', value = ''] = values;
      if (option === 'option' && !settings.set(name, value)) {
        write(2, `warning: unknown setting '${name}'\n`);
      }
    }
    if (args.has('version')) showVersion();
    else if (args.has('help')) runWithoutCommand('help', command);
    else return await runEvaluateCommand({ command, args, settings, openSession });
    return 0;
  } catch (error) {
    reportError(error, { showTrace: settings.isOn('show-trace'), command });
    return 1;
  }
}

/** `neve`, `neve help …`, and what is no command. */
function runWithoutCommand(first: string | undefined, second: string | undefined): number {
  const topic = commands.find((name) => name === second);
  if (first === 'help' || first === '--help' || first === '-h') {
    write(1, topic === undefined ? generalHelp() : commandHelp(topic));
    return 0;
  }
  if (first === undefined) write(2, generalHelp());
  else {
    const what = first.startsWith('-') ? 'unrecognised flag' : 'unrecognised command';
    write(2, `error: ${what} '${first}'\nTry 'neve --help' for more information.\n`);
  }
  return 1;
}
