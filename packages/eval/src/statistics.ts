/** The counters of an evaluation in the form of Nix's `NIX_SHOW_STATS`, as far as they mean something here. */
import type { Core } from './core.ts';

/** Places of counters in the core's `statistic` function. */
const place = {
  thunks: 0,
  calls: 1,
  builtinCalls: 2,
  lookups: 3,
  updates: 4,
  updatedValues: 5,
  listConcats: 6,
  symbols: 7,
  heapBytes: 8,
  permanentBytes: 9,
  collections: 10,
  loadedBytes: 11,
  usedBytes: 12,
} as const;

export function statistics(core: Core): Readonly<Record<string, unknown>> {
  const count = (name: keyof typeof place): number => core.exports.statistic(place[name]);
  return {
    nrThunks: count('thunks'),
    nrFunctionCalls: count('calls'),
    nrPrimOpCalls: count('builtinCalls'),
    nrLookups: count('lookups'),
    nrOpUpdates: count('updates'),
    nrOpUpdateValuesCopied: count('updatedValues'),
    list: { concats: count('listConcats') },
    symbols: { number: count('symbols') },
    gc: { heapSize: count('usedBytes'), liveBytes: count('heapBytes'), cycles: count('collections') },
    code: { bytes: count('permanentBytes'), sourceBytes: count('loadedBytes') },
  };
}
