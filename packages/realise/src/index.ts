export { RealiseError } from './realise-error.ts';
export type { RealiseErrorCode } from './realise-error.ts';
export { KnownPaths } from './known-paths.ts';
export type {
  DescribedFetch,
  DescribedImport,
  DescribedPath,
  DescribedText,
  ImportedNode,
  OutputOf,
} from './known-paths.ts';
export { Decisions } from './decisions.ts';
export type { Decision, DecisionsOptions, Offer } from './decisions.ts';
export { Realiser } from './realiser.ts';
export type { RealiseLimits, RealiserOptions } from './realiser.ts';
export type { BuildJob, BuildJobOptions, DerivationBuilder, ReadyDerivation } from './derivation-builder.ts';
export type { BuildMode, RealiseEvent } from './realise-event.ts';
export { memoryLocks } from './work-locks.ts';
export type { LockOptions, WorkLocks } from './work-locks.ts';
export { planRealisation } from './plan-realisation.ts';
export type { PlannedBuild, PlannedSubstitution, RealisationPlan } from './plan-realisation.ts';
