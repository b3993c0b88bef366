/** The script of the commands that go through all derivations of a set, and of the processes that they start. */
import type { CommandDescription } from '../command-description.ts';
import type { Caller } from '../caller.ts';
import { envCommand } from './env-command.ts';
import { evalJobsDescription } from './eval-jobs-command.ts';
import { runListing } from './listing.ts';
import { searchCommand } from './search-command.ts';

export { runEvalJobs } from './eval-jobs-command.ts';
export { runJobWorker } from './job-worker.ts';

/** For manuals and completion. */
export function describe(): readonly CommandDescription[] {
  return [evalJobsDescription, searchCommand.description, envCommand.description];
}

/** Gives the exit code. */
export function runSearch(argv: readonly string[], caller: Caller): Promise<number> {
  return runListing(searchCommand, argv, caller);
}

/** Gives the exit code. */
export function runEnv(argv: readonly string[], caller: Caller): Promise<number> {
  return runListing(envCommand, argv, caller);
}
