/** The versions of the worker protocol, which clients of a Nix daemon speak, and the features beyond them. */
import type { ProtocolVersion } from '../wire/protocol-version.ts';

/** Realisations are named by the path of the derivation instead of its hash modulo. Nix 2.35. */
export const realisationWithPath = 'realisation-with-path-not-hash';

/** Garbage may be collected among given paths, and with their referrers. Nix 2.35. */
export const deleteDeadSpecificReferrers = 'delete-dead-specific-referrers';

/** The client does not send its options. Inside of builds only. */
export const disableSetOptions = 'disable-set-options';

/** Objects may be added whose references the daemon looks for. Inside of builds only. */
export const addToStoreScanning = 'add-to-store-scanning';

/** A build may hand in its outputs. Inside of builds only. */
export const submitOutput = 'submit-output';

/** What a daemon of the newest Nix offers. */
export const latestWorkerVersion: ProtocolVersion = {
  minor: 38,
  features: new Set([deleteDeadSpecificReferrers, realisationWithPath]),
};

/** Nobody speaks less since Nix 1.0. */
export const oldestWorkerMinor = 10;
