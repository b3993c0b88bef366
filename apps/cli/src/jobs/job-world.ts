/** The composition root of a process that evaluates jobs, or completes them: an evaluator, and the store that jobs are put in. */
import { resolve } from 'node:path';
import type { Caller } from '../caller.ts';
import {
  type EvaluationSession,
  type StoreAccess,
  startEvaluator,
  storeDirOf,
} from '../evaluation-session.ts';
import { hostSystem } from '../host-system.ts';
import { type RealiseOptions, realiseOptions } from '../realise/realise-options.ts';
import type { JobSession } from '../realise/realise-session.ts';
import type { Settings } from '../settings.ts';
import { type JobArguments, evaluationArguments } from './job-options.ts';
import { JobImage, type JobImageOptions } from './job-image.ts';
import { JobStore } from './job-store.ts';

export type JobHost = {
  /** Which build of Neve this is. */
  readonly build: string;
  readonly caller: Caller;
  /** Loads what realises. */
  readonly openSession: (options: RealiseOptions) => Promise<JobSession>;
};

export type JobContext = JobHost & { readonly settings: Settings };

export type JobWorld = AsyncDisposable & {
  readonly evaluation: EvaluationSession;
  /** Nothing where derivations are not written. */
  readonly store: JobStore | undefined;
  readonly storeDir: string;
  readonly image: JobImage;
  /** From now on it stays with its image, even when it comes to what has another one. */
  readonly settle: () => void;
};

/** Throws `UsageError`. Until it is settled, evaluation may throw `ImageWanted`. */
export async function openJobWorld(
  args: JobArguments,
  { settings, caller, build, openSession }: JobContext,
  images: JobImageOptions,
): Promise<JobWorld> {
  const evaluationArgs = evaluationArguments(args);
  const storeDir = storeDirOf(evaluationArgs, caller);
  const isDirectory = args.has('physicalStoreDir');
  const writes = !args.has('noInstantiate');
  let opened: Promise<JobSession> | undefined;
  const open = (): Promise<JobSession> => {
    const system = settings.text('system') ?? hostSystem();
    opened ??= openSession(realiseOptions(evaluationArgs, { settings, storeDir, system }));
    return opened;
  };
  // What is not written cannot be built, so that nothing is imported from it either, as in Nix.
  const storeAccess = (): StoreAccess => {
    if (!writes) return { kind: 'computed' };
    return isDirectory ? { kind: 'directory' } : { kind: 'realised', open: async () => (await open()).io };
  };
  const session = { args: evaluationArgs, settings, caller, storeAccess: storeAccess() };
  let isSettled = false;
  const image = await JobImage.open({ ...session, build }, images, () => !isSettled);
  const evaluation = await startEvaluator({ ...session, ...image.hooks });
  const gcRootsDir = args.last('gcRootsDir');
  const store = new JobStore({
    ...{ io: evaluation.io, load: evaluation.loadStore, writeDescribed: evaluation.write, storeDir },
    session: isDirectory ? undefined : open,
    showInputDrvs: args.has('showInputDrvs'),
    checkCacheStatus: args.has('checkCacheStatus'),
    gcRootsDir: gcRootsDir === undefined ? undefined : resolve(caller.directory, gcRootsDir),
  });
  return {
    evaluation,
    store: writes ? store : undefined,
    ...{ storeDir, image },
    settle: () => {
      isSettled = true;
    },
    [Symbol.asyncDispose]: async () => {
      image[Symbol.dispose]();
      await (await opened?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}
