/**
 * How a build went, as both protocols say it. They carry fields for success and for failure in either case: a success has
 * no message and a failure no outputs.
 */
import type { Digest } from '@neve/bytes';
import type { HashedDrvOutput } from './realisation.ts';
import type { Signature } from './signature.ts';
import type { StorePath } from './store-path.ts';

/** The place of each is its number in the protocols. */
export const buildStatuses = [
  'Built',
  'Substituted',
  'AlreadyValid',
  'PermanentFailure',
  'InputRejected',
  'OutputRejected',
  'TransientFailure',
  'CachedFailure',
  'TimedOut',
  'MiscFailure',
  'DependencyFailed',
  'LogLimitExceeded',
  'NotDeterministic',
  'ResolvesToAlreadyValid',
  'NoSubstituters',
] as const;

export type BuildStatus = (typeof buildStatuses)[number];

export type BuildResult = {
  readonly status: BuildStatus;
  /** Empty for a success. */
  readonly errorMessage: string;
  readonly timesBuilt: number;
  readonly isNonDeterministic: boolean;
  /** In seconds since 1970; 0 where nobody knows. */
  readonly startTime: number;
  readonly stopTime: number;
  readonly cpuUserMicroseconds?: number | undefined;
  readonly cpuSystemMicroseconds?: number | undefined;
  /** By the name of the output. */
  readonly builtOutputs: ReadonlyMap<string, BuiltOutput>;
};

export type BuiltOutput = {
  readonly outPath: StorePath;
  readonly signatures: readonly Signature[];
  /** What old versions name the derivation by: its hash modulo. Without it they are told zeroes. */
  readonly derivationHash?: Digest | undefined;
  /** What only old versions have. */
  readonly dependentRealisations?: readonly (readonly [HashedDrvOutput, StorePath])[];
};

export function isBuildSuccess(status: BuildStatus): boolean {
  return (
    status === 'Built' ||
    status === 'Substituted' ||
    status === 'AlreadyValid' ||
    status === 'ResolvesToAlreadyValid'
  );
}

/** A result of which only this much is known. */
export function buildFailure(status: BuildStatus, errorMessage: string): BuildResult {
  return { ...unknownResult, status, errorMessage };
}

export function buildSuccess(
  status: BuildStatus,
  builtOutputs: ReadonlyMap<string, BuiltOutput>,
): BuildResult {
  return { ...unknownResult, status, builtOutputs };
}

const unknownResult = {
  errorMessage: '',
  timesBuilt: 0,
  isNonDeterministic: false,
  startTime: 0,
  stopTime: 0,
  builtOutputs: new Map<string, BuiltOutput>(),
} as const;
