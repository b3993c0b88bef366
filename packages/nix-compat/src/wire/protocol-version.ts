/**
 * What an end of a connection speaks: a version and, since 1.38 of the worker protocol, features beyond it. Both ends go
 * on with the lower version and with the features that both have.
 */
export type ProtocolVersion = {
  /** The part behind the point. */
  readonly minor: number;
  readonly features: ReadonlySet<string>;
};

/** The major version in the higher byte, the minor one in the lower. */
export function versionNumber(major: number, minor: number): number {
  return major * 256 + minor;
}

export function parseVersionNumber(number: number): { readonly major: number; readonly minor: number } {
  return { major: (number & 0xff00) >> 8, minor: number & 0xff };
}

export function commonFeatures(ours: ReadonlySet<string>, theirs: Iterable<string>): ReadonlySet<string> {
  return new Set([...theirs].filter((it) => ours.has(it)).sort());
}
