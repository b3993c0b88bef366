/**
 * The `neve` command.
 *
 * Everything is one script, so that modules cost the time to read them, whoever uses them; loading them later would only
 * have their functions read twice. Their top levels define things and compute nothing.
 */
import { applyConfigFiles } from './config-files.ts';
import { runEvaluateCommand } from './evaluate-command.ts';
import { commandHelp, generalHelp } from './help.ts';
import { write } from './output.ts';
import { parseArguments } from './parse-arguments.ts';
import { reportError } from './report-error.ts';
import { Settings } from './settings.ts';

declare const NEVE_VERSION: string;

const commands = ['eval', 'instantiate'] as const;

async function main(argv: readonly string[]): Promise<void> {
  const [first, ...rest] = argv;
  if (first === '--version') {
    write(1, `neve (Nix) ${NEVE_VERSION}\n`);
    return;
  }
  if (first === 'store') {
    // Its libraries take long to load; nobody else waits for them.
    const { runStoreCommand } = await import('./store/store-main.ts');
    process.exitCode = await runStoreCommand(rest);
    return;
  }
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
    if (args.has('version')) return await main(['--version']);
    if (args.has('help')) return await main(['help', command]);
    await runEvaluateCommand({ command, args, settings });
  } catch (error) {
    reportError(error, { showTrace: settings.isOn('show-trace'), command });
    process.exitCode = 1;
  }
}

/** `neve`, `neve help …`, and what is no command. */
function runWithoutCommand(first: string | undefined, second: string | undefined): void {
  const topic = commands.find((name) => name === second);
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
