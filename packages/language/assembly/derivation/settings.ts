// What the caller may set about derivations, the store and purity. Set before the builtins are defined: those of a
// feature exist only if it is enabled then.

import { enableTomlTimestamps } from "../formats/toml-scalars";
import { bytesEqualText } from "../memory/bytes";
import { Address } from "../memory/chunks";
import { appendText } from "../memory/text";
import { enableTomlTimestamps } from "../formats/toml-scalars";
import { ERROR_EVAL, beginError, raiseError } from "../errors/raise";

export const FEATURE_CA_DERIVATIONS: u32 = 1;
export const FEATURE_IMPURE_DERIVATIONS: u32 = 2;
export const FEATURE_DYNAMIC_DERIVATIONS: u32 = 4;
export const FEATURE_GIT_HASHING: u32 = 8;
export const FEATURE_FETCH_TREE: u32 = 16;
export const FEATURE_FLAKES: u32 = 32;
export const FEATURE_FETCH_CLOSURE: u32 = 64;
export const FEATURE_BLAKE3_HASHES: u32 = 128;
export const FEATURE_PARSE_TOML_TIMESTAMPS: u32 = 256;
export const FEATURE_VERIFIED_FETCHES: u32 = 512;
const LAST_FEATURE: u32 = FEATURE_VERIFIED_FETCHES;

/** Whether derivations and files are written to the store, and not only named. */
export let writesStore: bool = false;
/** Pure evaluation: nothing depends on what is not locked. */
export let isPureEvaluation: bool = false;
/** Restricted evaluation: like pure evaluation, the environment is hidden. */
export let isRestrictedEvaluation: bool = false;
let features: u32 = 0;

export function setStoreWriting(writes: bool): void {
  writesStore = writes;
}

export function setEvaluationPurity(pure: bool, restricted: bool): void {
  isPureEvaluation = pure;
  isRestrictedEvaluation = restricted;
}

export function enableFeature(feature: u32): void {
  features |= feature;
  if (feature == FEATURE_PARSE_TOML_TIMESTAMPS) enableTomlTimestamps(true);
}

/** Enables the feature of this name; one that nothing here depends on is ignored. */
export function enableFeatureNamed(name: Address, length: u32): void {
  if (bytesEqualText(name, length, "parse-toml-timestamps")) enableTomlTimestamps(true);
  for (let feature = FEATURE_CA_DERIVATIONS; feature <= LAST_FEATURE; feature <<= 1) {
    if (bytesEqualText(name, length, featureName(feature))) enableFeature(feature);
  }
}

@inline
export function isFeatureEnabled(feature: u32): bool {
  return (features & feature) != 0;
}

/** Raises an error unless the feature is enabled. */
export function requireFeature(feature: u32): void {
  if (isFeatureEnabled(feature)) return;
  beginFeatureError(feature);
  endFeatureError(feature);
}

/** Begins the error about a feature that is not enabled: a reason may be appended. */
export function beginFeatureError(feature: u32): void {
  beginError(ERROR_EVAL);
  appendText("experimental Nix feature '");
  appendText(featureName(feature));
  appendText("' is disabled");
}

export function endFeatureError(feature: u32): void {
  appendText("; add '--extra-experimental-features ");
  appendText(featureName(feature));
  appendText("' to enable it");
  raiseError();
}

function featureName(feature: u32): string {
  switch (feature) {
    case FEATURE_CA_DERIVATIONS:
      return "ca-derivations";
    case FEATURE_IMPURE_DERIVATIONS:
      return "impure-derivations";
    case FEATURE_DYNAMIC_DERIVATIONS:
      return "dynamic-derivations";
    case FEATURE_GIT_HASHING:
      return "git-hashing";
    case FEATURE_FETCH_TREE:
      return "fetch-tree";
    case FEATURE_FLAKES:
      return "flakes";
    case FEATURE_FETCH_CLOSURE:
      return "fetch-closure";
    case FEATURE_PARSE_TOML_TIMESTAMPS:
      return "parse-toml-timestamps";
    case FEATURE_VERIFIED_FETCHES:
      return "verified-fetches";
    default:
      return "blake3-hashes";
  }
}
