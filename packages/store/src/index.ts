export { StoreError } from './store-error.ts';
export type { StoreErrorCode } from './store-error.ts';
export { decodePathInfo, encodePathInfo } from './path-info-encoding.ts';
export type { PathInfo } from './path-info.ts';
export { hashPartBytes } from './hash-part.ts';
export type {
  NarCalculation,
  NarCalculationService,
  PathInfoInventory,
  PathInfoService,
  StoredPathInfo,
} from './path-info-service.ts';
export type { StoreServices } from './store-services.ts';
export { mergeSignatures } from './merge-signatures.ts';
export { memoryPathInfos } from './memory-path-infos.ts';
export type { MemoryPathInfosOptions } from './memory-path-infos.ts';
export { lruPathInfos } from './lru-path-infos.ts';
export { cachePathInfos } from './cache-path-infos.ts';
export { tracedPathInfos } from './traced-path-infos.ts';
export type { CachePathInfosOptions } from './cache-path-infos.ts';
export { priorityPathInfos } from './priority-path-infos.ts';
export { readOnlyPathInfos } from './read-only-path-infos.ts';
export { signPathInfo, signingPathInfos } from './signing-path-infos.ts';
export type { Signer } from './signing-path-infos.ts';
export { hasTrustedSignature, trustedPathInfos } from './trusted-path-infos.ts';
export type { Trust } from './trusted-path-infos.ts';
export { followsFromContentAddress, matchesContentAddress, provesContents } from './content-address-match.ts';
export type { Addressed, ContentAddressContext } from './content-address-match.ts';
export { narSize, renderNar, renderNarPieces } from './render-nar.ts';
export type { FilePart } from './nar-parts.ts';
export type { NarSources } from './render-nar.ts';
export { SeekableNar } from './seekable-nar.ts';
export { narCalculationByRendering } from './nar-calculation.ts';
export type { NarCalculationOptions } from './nar-calculation.ts';
export { cachedNarCalculation, memoryNarTable } from './cached-nar-calculation.ts';
export type { NarTable } from './cached-nar-calculation.ts';
export { infusedName, infusedNarUrl, nodeOfInfusedName, nodeOfInfusedUrl } from './infused-nar-url.ts';
export {
  compressionFormats,
  compressionOfFormat,
  contentEncodings,
  formatOfEncoding,
} from './compression-formats.ts';
export { ingestNar } from './ingest-nar.ts';
export type { ExpectedNar, IngestNarOptions } from './ingest-nar.ts';
export { readPathClosure, readReferrers, requirePathClosure } from './closure.ts';
export type { Closure, ClosureOptions, MissingPath } from './closure.ts';
export { NodeCopier } from './copy-node.ts';
export type { Castore, CopiedBlob, CopyNodeOptions } from './copy-node.ts';
export { copyClosure } from './copy-closure.ts';
export type { CopyEvent, CopyOptions, CopyResult } from './copy-closure.ts';
export { memoryPins } from './roots.ts';
export type { Pin, Pins, Root } from './roots.ts';
export { collectGarbage } from './gc.ts';
export type { GcEvent, GcOptions, GcResult } from './gc.ts';
export { verifyStore } from './verify.ts';
export type { Finding, VerifyOptions, VerifyResult } from './verify.ts';
export { DamageFinder, removeDamage } from './node-damage.ts';
export type { NodeDamage } from './node-damage.ts';
export { mendingCastore } from './mending-castore.ts';
export type { MendingCastore } from './mending-castore.ts';
export { replacedPathInfos } from './replaced-path-infos.ts';
export { repairStore } from './repair.ts';
export type { RepairOptions, RepairResult } from './repair.ts';
export { pathInfoKind } from './service-kinds.ts';
export { pathInfoRoots } from './path-info-roots.ts';
export type { PathInfoRoots } from './path-info-roots.ts';
export type { Substituter } from './substituter.ts';
export { checkReadNarInfo } from './narinfo-check.ts';
export type { NarInfoRules, NarInfoSource } from './narinfo-check.ts';
export { SharedWork } from './shared-work.ts';
export { CircuitBreaker } from './circuit-breaker.ts';
export { openSubstituters } from './substituters.ts';
export type { SubstituterEvent, SubstitutersOptions } from './substituters.ts';
export type { NarInfoRecord, NarInfoTable } from './narinfo-memory.ts';
export { NarObserver } from './nar-observer.ts';
