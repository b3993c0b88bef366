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
export type { CacheProblem, Decision, DecisionsOptions, Offer } from './decisions.ts';
export { Realiser } from './realiser.ts';
export type { BuildSharing, RealiseLimits, RealiserOptions } from './realiser.ts';
export { SharedBuilds } from './shared-builds.ts';
export type { BuildJob, BuildJobOptions, DerivationBuilder, ReadyDerivation } from './derivation-builder.ts';
export type { BuildMode, RealiseEvent } from './realise-event.ts';
export { memoryLocks } from './work-locks.ts';
export type { LockOptions, WorkLocks } from './work-locks.ts';
export { planRealisation } from './plan-realisation.ts';
export type { PlannedBuild, PlannedSubstitution, RealisationPlan } from './plan-realisation.ts';
export { resolvedDerivation } from './resolved-derivation.ts';
export type { ResolvedDerivation, ResolvedDerivationOptions, StoreContext } from './resolved-derivation.ts';
export { defaultBuildSettings, parseSandboxPath } from './build-settings.ts';
export type { BuildSettings } from './build-settings.ts';
export { checkRequirements, isBuiltin, missingRequirements } from './system-requirements.ts';
export type { Machine, Requirements } from './system-requirements.ts';
export { readExportedGraphs } from './exported-references.ts';
export type { ExportOptions, ExportedGraphs } from './exported-references.ts';
export { derivationToRequest } from './derivation-to-request.ts';
export type { DerivationRequest, RequestOptions } from './derivation-to-request.ts';
export { compareOutputs, registerOutputs } from './register-outputs.ts';
export type { BuiltDerivation, RegisterServices } from './register-outputs.ts';
export { memoryRealisations, printRealisationId } from './realisations.ts';
export type { Realisation, RealisationId, Realisations } from './realisations.ts';
export { runBuiltin } from './run-builtin.ts';
export type { BuiltinServices } from './run-builtin.ts';
export { fetchOfDerivation } from './builtin/fetch-of-derivation.ts';
export type { UnpackArchive } from './builtin/unpack-channel.ts';
export { LogTail } from './log-tail.ts';
export { BuildLogLines } from './build-log-lines.ts';
export type { LogLineSink } from './build-log-lines.ts';
export { SandboxedBuilder } from './sandboxed-builder.ts';
export type { LogSink, LogWriter, SandboxedBuilderOptions } from './sandboxed-builder.ts';
export { explainRealisation } from './explain-realisation.ts';
export type { Explanation } from './explain-realisation.ts';
export { contentDigest } from './content-digest.ts';
export type { ContentDigestOptions } from './content-digest.ts';
