/** What the commands that list packages have in common: an evaluator that writes nothing, and the value they look into. */
import { type EvaluationError, type Evaluator, type Value } from '@neve/eval';
import { renderDiagnostic } from '@neve/diagnostics';
import type { CommandDescription } from '../command-description.ts';
import type { Caller } from '../caller.ts';
import { applyConfigFiles } from '../config-files.ts';
import { functionArguments, sourceOfFile, startEvaluator, storeDirOf } from '../evaluation-session.ts';
import { helpText } from '../help.ts';
import type { Arguments, OptionSpec } from '../parse-words.ts';
import { reportError } from '../report-error.ts';
import { Settings } from '../settings.ts';
import { showVersion } from '../show-version.ts';
import { PackageFinder } from './find-packages.ts';
import { evaluationArguments } from './job-options.ts';
import { parseListing } from './listing-options.ts';
import { PackageReader } from './package-info.ts';

export type ListingCommand<Name extends string> = {
  readonly description: CommandDescription;
  readonly table: Readonly<Record<Name | 'help' | 'version' | 'option', OptionSpec>>;
  /** Gives the exit code. */
  readonly run: (args: Arguments<Name>, context: ListingContext) => Promise<number>;
};

export type ListingContext = { readonly settings: Settings; readonly caller: Caller };

/** Gives the exit code. */
export async function runListing<Name extends string>(
  { description, table, run }: ListingCommand<Name>,
  argv: readonly string[],
  caller: Caller,
): Promise<number> {
  const settings = new Settings();
  try {
    applyConfigFiles(settings, caller.environment);
    const args = parseListing(argv, table, settings);
    for (const { option, values } of args.occurrences) {
      const [name = '', value = ''] = values;
      if (option === 'option' && !settings.set(name, value)) {
        caller.write(2, `warning: unknown setting '${name}'\n`);
      }
    }
    if (args.has('version')) showVersion(caller);
    else if (args.has('help')) caller.write(1, helpText(description));
    // The table has these names, and those that are asked for above.
    else return await run(args as unknown as Arguments<Name>, { settings, caller });
    return 0;
  } catch (error) {
    const { name: command } = description;
    reportError(error, { showTrace: settings.isOn('show-trace'), command, caller });
    return 1;
  }
}

export type Listing = {
  readonly evaluator: Evaluator;
  readonly reader: PackageReader;
  readonly finder: PackageFinder;
  readonly root: Value;
  /** How many failures were told. */
  readonly failures: () => number;
};

type ListingOptions = Pick<
  ConstructorParameters<typeof PackageFinder>[0],
  'once' | 'plainNames' | 'enters'
> & {
  readonly attribute: string;
};

/** Throws what evaluation throws. */
export async function openListing(
  args: Arguments<string>,
  { settings, caller }: ListingContext,
  { attribute, ...rules }: ListingOptions,
): Promise<Listing> {
  const evaluation = evaluationArguments(args);
  const { evaluator } = await startEvaluator({
    ...{ args: evaluation, settings, caller },
    storeAccess: { kind: 'computed' },
  });
  const functionArgs = await functionArguments(evaluator, { args: evaluation, caller });
  const file = args.last('file') ?? '<nixpkgs>';
  const program = await evaluator.parse(await sourceOfFile(evaluator, file, caller));
  const root = await evaluator.select(await evaluator.evaluate(program), {
    path: attribute,
    args: functionArgs,
  });
  const reader = new PackageReader(evaluator, {
    storeDir: storeDirOf(evaluation, caller),
    hasUnknownPaths: settings.list('experimental-features').includes('ca-derivations'),
  });
  let failures = 0;
  const onFailure = ({ diagnostic }: EvaluationError): void => {
    failures += 1;
    const style = { showTrace: settings.isOn('show-trace'), colour: caller.wantsColour() };
    caller.write(2, `${renderDiagnostic(diagnostic, style)}\n`);
  };
  const finder = new PackageFinder({ evaluator, reader, args: functionArgs, onFailure, ...rules });
  return { evaluator, reader, finder, root, failures: () => failures };
}
