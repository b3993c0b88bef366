/** How goals went, in the words of the protocol. */
import { BuildError } from '@neve/build';
import { FetchError } from '@neve/fetch';
import {
  type BuildResult,
  type BuildStatus,
  type BuiltOutput,
  type Derivation,
  NixCompatError,
  type DerivedPath,
} from '@neve/nix-compat';
import type { KeyedBuildResult } from '@neve/nix-compat/protocols';
import { RealiseError } from '@neve/realise';
import type { Call } from './call.ts';
import type { GoalOutcome } from './realise-goals.ts';

export async function keyedBuildResult(
  path: DerivedPath,
  outcome: GoalOutcome,
  call: Call,
): Promise<KeyedBuildResult> {
  if (outcome.kind === 'failed' || outcome.goal.kind === 'path')
    return { path, ...buildResult(outcome, new Map()) };
  const derivation = await call.daemon.derivations.read(outcome.goal.drvPath, call.signal);
  return { path, ...buildResult(outcome, await builtOutputs(outcome, derivation, call)) };
}

export function buildResult(outcome: GoalOutcome, outputs: ReadonlyMap<string, BuiltOutput>): BuildResult {
  const isBuilt = outcome.kind === 'done' && outcome.how === 'built';
  return {
    status: outcome.kind === 'done' ? successes[outcome.how] : statusOf(outcome.error),
    errorMessage: outcome.kind === 'done' ? '' : outcome.error.message,
    timesBuilt: isBuilt ? 1 : 0,
    isNonDeterministic: outcome.kind === 'failed' && statusOf(outcome.error) === 'NotDeterministic',
    startTime: Math.floor(outcome.startedMs / 1000),
    stopTime: Math.ceil(outcome.endedMs / 1000),
    builtOutputs: outputs,
  };
}

/** Outputs with what names them in a build trace. */
export async function builtOutputs(
  outcome: Extract<GoalOutcome, { readonly kind: 'done' }>,
  derivation: Derivation,
  { daemon }: Call,
): Promise<ReadonlyMap<string, BuiltOutput>> {
  const hashes = await daemon.derivations.hashes.hashOfOutputs(derivation);
  return new Map(
    Array.from(outcome.outputs, ([name, { storePath }]): [string, BuiltOutput] => [
      name,
      { outPath: storePath, signatures: [], derivationHash: hashes.byOutput.get(name) },
    ]),
  );
}

const successes = {
  built: 'Built',
  substituted: 'Substituted',
  'already-there': 'AlreadyValid',
} as const satisfies Record<string, BuildStatus>;

export function statusOf(error: Error): BuildStatus {
  if (error instanceof FetchError)
    return error.code === 'hash-mismatch' ? 'OutputRejected' : 'TransientFailure';
  if (error instanceof NixCompatError) return 'InputRejected';
  if (!(error instanceof RealiseError)) return 'MiscFailure';
  switch (error.code) {
    case 'failed':
      return isLogLimit(error.cause) ? 'LogLimitExceeded' : 'PermanentFailure';
    case 'builtin-failed':
      return 'PermanentFailure';
    case 'fixed-output-failed':
      return isLogLimit(error.cause) ? 'LogLimitExceeded' : 'TransientFailure';
    case 'timeout':
      return 'TimedOut';
    case 'hash-mismatch':
    case 'output-rejected':
    case 'output-check':
    case 'cycle':
      return 'OutputRejected';
    case 'not-reproducible':
      return 'NotDeterministic';
    case 'invalid-derivation':
    case 'unsupported':
    case 'unsupported-system':
    case 'not-allowed':
      return 'InputRejected';
    case 'failed-dependency':
      return 'DependencyFailed';
    case 'not-found':
      return 'NoSubstituters';
    case 'given-up':
    case 'corrupt':
      return 'MiscFailure';
  }
}

function isLogLimit(cause: unknown): boolean {
  return cause instanceof BuildError && cause.code === 'limit-exceeded';
}
