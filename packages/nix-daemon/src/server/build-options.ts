/** How a client wants things built, as far as it may say so. What is `undefined` is as the daemon was told. */

export type BuildOptions = {
  readonly keepFailed: boolean;
  readonly keepGoing: boolean;
  readonly fallback: boolean;
  /** 0: nothing is built here. */
  readonly maxJobs: number;
  /** What `NIX_BUILD_CORES` says; 0 for all that there are. */
  readonly cores: number;
  readonly timeoutSeconds: number | undefined;
  readonly maxSilentSeconds: number | undefined;
  readonly maxLogBytes: number | undefined;
  readonly logLines: number | undefined;
  readonly sandbox: true | false | 'relaxed' | undefined;
  readonly sandboxPaths: readonly string[] | undefined;
  readonly systemFeatures: readonly string[] | undefined;
  readonly extraPlatforms: readonly string[] | undefined;
  /** Whether the daemon's machines may build. */
  readonly usesMachines: boolean;
  readonly substitutes: boolean;
  readonly caches: CacheChoice;
};

/** Which caches are asked, and who has to vouch for what they have. */
export type CacheChoice = {
  /** URLs. */
  readonly substituters: readonly string[] | undefined;
  /** Texts of keys, also for what the client itself sends. */
  readonly trustedPublicKeys: readonly string[] | undefined;
};

/** Of a client that has not said anything. */
export const defaultBuildOptions: BuildOptions = {
  keepFailed: false,
  keepGoing: false,
  fallback: false,
  maxJobs: 1,
  cores: 0,
  timeoutSeconds: undefined,
  maxSilentSeconds: undefined,
  maxLogBytes: undefined,
  logLines: undefined,
  sandbox: undefined,
  sandboxPaths: undefined,
  systemFeatures: undefined,
  extraPlatforms: undefined,
  usesMachines: true,
  substitutes: true,
  caches: { substituters: undefined, trustedPublicKeys: undefined },
};
