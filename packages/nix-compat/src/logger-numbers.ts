/**
 * The numbers of Nix's logger: in the worker protocol, in the internal JSON on standard error, and in the lines that builders
 * write to it (`logging.hh` of libutil, 2.34).
 */

/** How much a message matters, the least number most. */
export const verbosity = { error: 0, warning: 1, notice: 2, info: 3, talkative: 4, debug: 6 } as const;

export const activityNumbers = {
  unknown: 0,
  copyPath: 100,
  fileTransfer: 101,
  realise: 102,
  copyPaths: 103,
  builds: 104,
  build: 105,
  optimiseStore: 106,
  verifyPaths: 107,
  substitute: 108,
  queryPathInfo: 109,
  postBuildHook: 110,
  buildWaiting: 111,
  fetchTree: 112,
  fetchToStore: 113,
} as const;

export const resultNumbers = {
  fileLinked: 100,
  buildLogLine: 101,
  untrustedPath: 102,
  corruptedPath: 103,
  setPhase: 104,
  progress: 105,
  setExpected: 106,
  postBuildLogLine: 107,
  fetchStatus: 108,
  fetchToStore: 109,
} as const;
