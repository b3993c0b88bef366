/**
 * The `neve` command. What everybody pays for is here: the version is printed before anything else is loaded, and a
 * command's modules are evaluated only when it runs.
 */

import { write } from './output.ts';

declare const NEVE_VERSION: string;

const commands = ['eval', 'instantiate'] as const;

async function main(argv: readonly string[]): Promise<void> {
  const [first, ...rest] = argv;
  if (first === '--version') {
    write(1, `neve (Nix) ${NEVE_VERSION}\n`);
    return;
  }
  const command = commands.find((name) => name === first);
  if (command === undefined) return runWithoutCommand(first, rest);

  const { Settings } = await import('./settings.ts');
  const { applyConfigFiles } = await import('./config-files.ts');
  const { reportError } = await import('./report-error.ts');
  const settings = new Settings();
  try {
    applyConfigFiles(settings, process.env);
    const { parseArguments } = await import('./parse-arguments.ts');
    const args = parseArguments(rest, { command, settings });
    for (const { option, values } of args.occurrences) {
      const [name = '', value = ''] = values;
      if (option === 'option' && !settings.set(name, value)) {
        write(2, `warning: unknown setting '${name}'\n`);
      }
    }
    if (args.has('version')) return await main(['--version']);
    if (args.has('help')) return await main(['help', command]);
    const { runEvaluateCommand } = await import('./evaluate-command.ts');
    await runEvaluateCommand({ command, args, settings });
  } catch (error) {
    reportError(error, { showTrace: settings.isOn('show-trace'), command });
    process.exitCode = 1;
  }
}

/** `neve`, `neve help …`, and what is no command. */
async function runWithoutCommand(first: string | undefined, rest: readonly string[]): Promise<void> {
  const { commandHelp, generalHelp } = await import('./help.ts');
  const topic = commands.find((name) => name === rest[0]);
  if (first === 'help' || first === '--help' || first === '-h') {
    write(1, topic === undefined ? generalHelp() : commandHelp(topic));
    return;
  }
  if (first === undefined) write(2, generalHelp());
  else {
    const what = first.startsWith('-') ? 'unrecognised flag' : 'unrecognised command';
    write(2, `error: ${what} '${first}'\nTry 'neve --help' for more information.\n`);
  }
  process.exitCode = 1;
}

void main(process.argv.slice(2));
