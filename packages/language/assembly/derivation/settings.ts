// What the caller may set about derivations, the store and purity. Set before the builtins are defined: those of a
// feature exist only if it is enabled then.

import { appendText } from "../memory/text";
import { ERROR_EVAL, beginError, raiseError } from "../errors/raise";

export const FEATURE_CA_DERIVATIONS: u32 = 1;
export const FEATURE_IMPURE_DERIVATIONS: u32 = 2;
export const FEATURE_DYNAMIC_DERIVATIONS: u32 = 4;
export const FEATURE_GIT_HASHING: u32 = 8;
export const FEATURE_FETCH_TREE: u32 = 16;
export const FEATURE_FLAKES: u32 = 32;
export const FEATURE_FETCH_CLOSURE: u32 = 64;
export const FEATURE_BLAKE3_HASHES: u32 = 128;

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
}

@inline
export function isFeatureEnabled(feature: u32): bool {
  return (features & feature) != 0;
}

/** Raises an error unless the feature is enabled. `reason`: what wants it, or "". */
export function requireFeature(feature: u32): void {
  if (isFeatureEnabled(feature)) return;
  const name = featureName(feature);
  beginError(ERROR_EVAL);
  appendText("experimental Nix feature '");
  appendText(name);
  appendText("' is disabled; add '--extra-experimental-features ");
  appendText(name);
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
    default:
      return "blake3-hashes";
  }
}
