export {
  StorePath,
  checkStorePathName,
  hashPartLength,
  maxNameLength,
  parseStorePath,
  storePathSet,
} from './store-path.ts';
export { StoreDirectory } from './store-directory.ts';
export type { FixedContent, FixedMethod, PathInStore, TextContent } from './store-directory.ts';
export { contentAddressedPath, parseContentAddress, printContentAddress } from './content-address.ts';
export type { ContentAddress, ContentAddressMethod, ContentAddressedObject } from './content-address.ts';
export type { Derivation, DerivationOutput, InputDerivation } from './derivation.ts';
export { parseDerivation, printDerivation } from './derivation-aterm.ts';
export type { DerivationTextOptions } from './derivation-aterm.ts';
export { derivationType, hasKnownOutputPaths, mayUseNetwork } from './derivation-type.ts';
export type { DerivationType } from './derivation-type.ts';
export { DerivationHashes, derivationPath, derivationReferences } from './derivation-hash.ts';
export type { DerivationHashesOptions, HashModulo } from './derivation-hash.ts';
export {
  derivationName,
  isPlaceholder,
  outputPathName,
  outputPlaceholder,
  upstreamPlaceholder,
} from './placeholders.ts';
export type { UpstreamOutput } from './placeholders.ts';
export { readDerivationOptions, requiredSystemFeatures } from './derivation-options.ts';
export type {
  AllOutputChecks,
  DerivationOptions,
  InputReference,
  OutputChecks,
  Reference,
} from './derivation-options.ts';
export {
  addToAttrs,
  printAttrsJson,
  printAttrsShell,
  readStructuredAttrs,
  structuredAttrsVariable,
} from './structured-attrs.ts';
export type { AddedAttrs, ExportedPathInfo } from './structured-attrs.ts';
export { resolveDerivation } from './resolve-derivation.ts';
export type { ResolveOptions } from './resolve-derivation.ts';
export { derivationToJson, derivationsToJson, parseDerivationJson } from './derivation-json.ts';
export {
  parseDerivedPath,
  parseSingleDerivedPath,
  printDerivedPath,
  printSingleDerivedPath,
} from './derived-path.ts';
export type { DerivedPath, OutputsSpec, SingleDerivedPath } from './derived-path.ts';
export {
  contentAddressOfJson,
  contentAddressToJson,
  parsePathInfoJson,
  pathInfoToJson,
} from './path-info-json.ts';
export type { CachedPathInfo, PathInfoJsonOptions, PathInfoJsonVersion } from './path-info-json.ts';
export { narListingToJson, parseNarListing } from './nar-listing.ts';
export type { NarListing } from './nar-listing.ts';
export type { UnkeyedValidPathInfo, ValidPathInfo } from './path-info.ts';
export { buildFailure, buildStatuses, buildSuccess, isBuildSuccess } from './build-result.ts';
export type { BuildResult, BuildStatus, BuiltOutput } from './build-result.ts';
export {
  fingerprintHashedRealisation,
  fingerprintRealisation,
  hashedRealisationOfJson,
  hashedRealisationToJson,
  parseHashedDrvOutput,
  printHashedDrvOutput,
  realisationOfJson,
  realisationToJson,
  signatureOfJson,
  signatureToJson,
  unkeyedRealisationOfJson,
  unkeyedRealisationToJson,
} from './realisation.ts';
export type {
  DrvOutput,
  HashedDrvOutput,
  HashedRealisation,
  KeyedRealisation,
  SignatureForm,
  UnkeyedRealisation,
} from './realisation.ts';
export { replaceAllBytes } from './replace-bytes.ts';
export type { ByteReplacement } from './replace-bytes.ts';
export { HashRewriter, ModuloHasher, rewriteBytes } from './hash-rewriting.ts';
export type { HashRewrites, ModuloHasherOptions } from './hash-rewriting.ts';
export { isJsonObject, parseJson, printJson } from './json.ts';
export type { JsonObject, JsonValue } from './json.ts';
export { NarWriter } from './nar-writer.ts';
export { NarParser } from './nar-parser.ts';
export type { NarParserOptions, NarVisitor } from './nar-parser.ts';
export { readNar } from './nar-reader.ts';
export type { NarEvent } from './nar-reader.ts';
export { defaultNarDepth, maxNarNameLength, maxNarTargetLength } from './nar-limits.ts';
export { parseNarInfo, printNarInfo } from './narinfo.ts';
export type { NarInfo } from './narinfo.ts';
export { parseNixCacheInfo, printNixCacheInfo } from './nix-cache-info.ts';
export type { NixCacheInfo } from './nix-cache-info.ts';
export { activityNumbers, resultNumbers, verbosity } from './logger-numbers.ts';
export { compressionExtensions, isCompression } from './compression.ts';
export type { Compression } from './compression.ts';
export {
  fingerprintPathInfo,
  generateSecretKey,
  parsePublicKey,
  parseSecretKey,
  parseSignature,
  printPublicKey,
  printSecretKey,
  printSignature,
  publicKeyOf,
  signFingerprint,
  verifyFingerprint,
} from './signature.ts';
export type { Ed25519, PublicKey, SecretKey, Signature, SignedPathInfo } from './signature.ts';
export { NixCompatError } from './nix-compat-error.ts';
export type { NixCompatErrorCode } from './nix-compat-error.ts';
