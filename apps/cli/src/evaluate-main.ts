/**
 * The commands that evaluate.
 *
 * They are one script, so that modules cost the time to read them, whoever uses them; loading them later would only have
 * their functions read twice. Their top levels define things and compute nothing.
 */
import type { CommandDescription } from './command-description.ts';
import { parseCommandLine } from './command-line.ts';
import { type CommandInput, runEvaluateCommand } from './evaluate-command.ts';
import { describeEvaluating, evaluatingCommands } from './evaluating-commands.ts';
import { helpText } from './help.ts';
import { type DisplayOptions, displayOptions } from './progress/display.ts';
import { reportError } from './report-error.ts';
import { Settings } from './settings.ts';
import { showVersion } from './show-version.ts';
import { watchEvaluation } from './watch/watch-evaluation.ts';

/** Those that a daemon runs. */
const servedCommands = ['eval', 'build', 'log', 'explain'] as const;

/** Runs one command and gives the exit code. */
export async function runEvaluateMain(
  argv: readonly string[],
  host: Pick<CommandInput, 'build' | 'caller' | 'core' | 'onStats' | 'openSession'> & {
    /** Has a command run by the daemon at an address; `undefined` for what cannot be. */
    readonly runByDaemon?: (address: string) => Promise<number | undefined>;
    /** Shows what is said in another form from now on. Without it, whoever gives the command does that. */
    readonly showOn?: (options: DisplayOptions) => void;
  },
): Promise<number> {
  const { caller } = host;
  const [first, ...rest] = argv;
  const command = evaluatingCommands.find((name) => name === first);
  if (command === undefined || command === 'repl')
    throw new Error(`'${first}' is a command of another script`);

  const settings = new Settings();
  try {
    const args = parseCommandLine(rest, { command, settings, caller });
    if (args.has('version')) showVersion(caller);
    else if (args.has('help')) caller.write(1, helpText(describeEvaluating(command)));
    else {
      const daemon = args.has('noDaemon') ? '' : (settings.text('daemon') ?? '');
      const isForDaemon =
        daemon !== '' && !args.has('watch') && (servedCommands as readonly string[]).includes(command);
      const served = isForDaemon ? await host.runByDaemon?.(daemon) : undefined;
      const display = displayOptions(args);
      // Others begin when there is something to show.
      if (served === undefined && display.format.endsWith('json')) host.showOn?.(display);
      const input = { ...host, command, args, settings };
      return served ?? (await (args.has('watch') ? watchEvaluation(input) : runEvaluateCommand(input)));
    }
    return 0;
  } catch (error) {
    reportError(error, { showTrace: settings.isOn('show-trace'), command, caller });
    return 1;
  }
}

/** For completion, in a thread. */
export { answerNames } from './completion/attribute-names.ts';

/** For manuals and completion. */
export function describe(): readonly CommandDescription[] {
  return evaluatingCommands.map(describeEvaluating);
}
