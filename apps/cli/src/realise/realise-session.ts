/**
 * What the script that realises offers to the one that evaluates: plain data, since their classes are not the same, and since
 * they run in different threads of the daemon.
 */
import type { StoreIO } from '@neve/eval-store/node';

export type BuildGoal =
  /** Outputs of a derivation, all of them without names. */
  | { readonly kind: 'outputs'; readonly drvPath: string; readonly outputs: readonly string[] | undefined }
  | { readonly kind: 'path'; readonly storePath: string };

/** What is done about goals. What is printed is JSON or text. */
export type RealiseTask =
  | {
      readonly kind: 'build';
      readonly goals: readonly BuildGoal[];
      readonly json: boolean;
      /** Builds what is there once more, and compares. */
      readonly check: boolean;
      /** The absolute path of the link to the first result; without it, none is made. */
      readonly link?: string;
    }
  /** Makes goals, and runs a program that finds what they have made. */
  | {
      readonly kind: 'shell';
      readonly goals: readonly BuildGoal[];
      /** The program and its arguments. */
      readonly command: readonly string[];
      readonly environment: Readonly<Record<string, string | undefined>>;
    }
  /** Prints what would be built and fetched. */
  | { readonly kind: 'plan'; readonly goals: readonly BuildGoal[]; readonly json: boolean }
  /** Prints why, and how, goals would be made. */
  | { readonly kind: 'explain'; readonly goals: readonly BuildGoal[]; readonly json: boolean }
  /** Prints what their builds printed. */
  | { readonly kind: 'log'; readonly goals: readonly BuildGoal[] }
  /** Prints the shortest chain of references from one to the other, or that there is none. */
  | {
      readonly kind: 'why-depends';
      readonly from: BuildGoal;
      readonly to: BuildGoal;
      readonly json: boolean;
    };

export interface RealiseSession extends AsyncDisposable {
  readonly io: StoreIO;

  /**
   * Does it and gives the exit code. Whatever the world, the input or a signal is to blame for has been told to the caller
   * by then, and is an exit code.
   */
  perform(task: RealiseTask): Promise<number>;

  /** Whether the store has all that goals want, so that nothing has to be made. Without it, that is not known. */
  areThere?(goals: readonly BuildGoal[]): Promise<boolean>;

  /** How a command ends whose evaluation has failed. */
  evaluationFailure(): Promise<EvaluationFailure>;
}

/** A session of this process, which can also be asked about derivations. */
export interface JobSession extends RealiseSession {
  /** What is missing for goals to be there. */
  missing(goals: readonly BuildGoal[]): Promise<MissingPaths>;

  /** Puts what evaluation has described into the store, with all that it refers to. */
  add(storePaths: readonly string[]): Promise<void>;

  /** Makes a link to a store path, which keeps it from being collected. */
  link(storePath: string, link: string): Promise<void>;
}

/** Absolute store paths. */
export type MissingPaths = {
  /** Derivations that would be built, each after those that it needs. */
  readonly builds: readonly string[];
  /** What would be fetched. */
  readonly substitutes: readonly string[];
  /** What nobody has or can make. */
  readonly unknown: readonly string[];
};

export type EvaluationFailure = {
  /** The signal that has ended everything. */
  readonly interruption: { readonly message: string; readonly exitCode: number } | undefined;
  /** That of what the evaluation waited for in vain, or 1. */
  readonly exitCode: number;
};
