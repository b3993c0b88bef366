// How often the collector is to run in a test: at every place where it may, unless that would take too long.

/**
 * The interval at which a program that was evaluated before makes about `collections` collections, at most.
 *
 * @param {Readonly<Record<string, any>>} stats of that evaluation
 * @param {{ build: 'release' | 'debug', collections: number }} options the release build of the core collects at calls, the
 *   debug build between instructions
 */
export function stressInterval(stats, { build, collections }) {
  const calls = stats['nrFunctionCalls'] + stats['nrPrimOpCalls'];
  const steps = build === 'release' ? calls : 12 * calls + 6 * stats['nrThunks'];
  return Math.max(1, Math.ceil(steps / collections));
}
