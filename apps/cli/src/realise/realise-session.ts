/** What the script that realises offers to the one that evaluates: plain data, since their classes are not the same. */
import type { StoreIO } from '@neve/eval-store/node';

export type BuildGoal =
  /** Outputs of a derivation, all of them without names. */
  | { readonly kind: 'outputs'; readonly drvPath: string; readonly outputs: readonly string[] | undefined }
  | { readonly kind: 'path'; readonly storePath: string };

export type GoalOutcome =
  | {
      readonly kind: 'done';
      readonly goal: BuildGoal;
      /** By output; a path counts as `out`. */
      readonly outputs: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'failed'; readonly goal: BuildGoal; readonly error: Error };

export type FailedGoal = Extract<GoalOutcome, { readonly kind: 'failed' }>;

export interface RealiseSession extends AsyncDisposable {
  readonly io: StoreIO;

  /** In the order of the goals. Failures are shown as they happen and are among the outcomes. */
  realise(goals: readonly BuildGoal[], options: { readonly check: boolean }): Promise<readonly GoalOutcome[]>;

  /** Prints what would be built and fetched. */
  showPlan(goals: readonly BuildGoal[], options: { readonly json: boolean }): Promise<void>;

  /** Prints why, and how, goals would be made. */
  explain(goals: readonly BuildGoal[], options: { readonly json: boolean }): Promise<void>;

  /** Prints what the build of something printed. False, and a message, when there is no log of it. */
  showLog(goal: BuildGoal): Promise<boolean>;

  /** Prints the shortest chain of references from one to the other, or that there is none. */
  showWhyDepends(from: BuildGoal, to: BuildGoal, options: { readonly json: boolean }): Promise<void>;

  /** Makes a symbolic link to the files of a store path, and a root of garbage collection of it. */
  link(storePath: string, link: string): Promise<void>;

  /** As Nix has it: 100 for failures, and bits above it for timeouts, wrong hashes and outputs that differ. */
  exitCode(failures: readonly FailedGoal[]): number;

  /** The exit code when an evaluation has failed: that of what it waited for in vain, or 1. */
  exitCodeOfEvaluation(): number;

  /** The signal that has ended everything. */
  readonly interruption: { readonly message: string; readonly exitCode: number } | undefined;
}
