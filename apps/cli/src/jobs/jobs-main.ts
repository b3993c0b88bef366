/** The script of the commands that go through all derivations of a set, and of the processes that they start. */
import type { CommandDescription } from '../command-description.ts';
import { evalJobsDescription } from './eval-jobs-command.ts';

export { runEvalJobs } from './eval-jobs-command.ts';
export { runJobWorker } from './job-worker.ts';

/** For manuals and completion. */
export function describe(): readonly CommandDescription[] {
  return [evalJobsDescription];
}
