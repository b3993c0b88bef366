/**
 * A kind of input: which attributes it has, how a URL stands for them, and what is fetched for them. Each scheme is a file
 * of its own; `tree-reference.ts` lists them.
 */
import type { Fetch } from './fetch.ts';
import { FetchError } from './fetch-error.ts';
import type { InputAttributes } from './input-attributes.ts';
import type { NixUrl } from './nix-url.ts';

export type ExperimentalFeature = 'flakes' | 'verified-fetches';

/** Functions throw `FetchError` (`invalid-fetch`, and `unsupported` for what Neve does not have). */
export type InputScheme = {
  /** The attribute `type`. */
  readonly name: string;
  readonly attributes: ReadonlySet<string>;
  /** What has to be enabled for it. */
  readonly feature?: ExperimentalFeature;
  /** `undefined` for URLs of other schemes; `shown` is the URL in messages. */
  readonly fromUrl: (url: NixUrl, shown: string) => InputAttributes | undefined;
  /** Checks attributes whose names are right, and gives them in the form that is kept. */
  readonly check: (
    attributes: InputAttributes,
    features: ReadonlySet<ExperimentalFeature>,
  ) => InputAttributes;
  readonly toUrl: (attributes: InputAttributes) => NixUrl;
  /** Whether it always means the same contents. */
  readonly isLocked: (attributes: InputAttributes, settings: LockSettings) => boolean;
  readonly toFetch: (attributes: InputAttributes) => Fetch;
};

export type LockSettings = {
  /** Whether the archive of a revision is believed to be always the same; true unless given (`trust-tarballs-from-git-forges`). */
  readonly trustForges?: boolean;
};

export const revisionPattern: RegExp = /^[0-9a-fA-F]{40}$/;

export function requireFeature(
  feature: ExperimentalFeature,
  features: ReadonlySet<ExperimentalFeature>,
): void {
  if (features.has(feature)) return;
  throw new FetchError(
    'unsupported',
    `experimental Nix feature '${feature}' is disabled; add '--extra-experimental-features ${feature}' to enable it`,
  );
}

export function invalidInput(message: string): FetchError {
  return new FetchError('invalid-fetch', message);
}
