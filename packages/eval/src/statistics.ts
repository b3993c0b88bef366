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
  allocatedBytes: 13,
  envs: 14,
  envSlots: 15,
  sets: 16,
  setAttrs: 17,
  lists: 18,
  listItems: 19,
  expressions: 20,
  symbolBytes: 21,
  movedCells: 22,
} as const;

/**
 * Bytes of a value, of an attribute in a set (its name is shared), and of the parts of sets, environments and lists
 * that come before their values.
 */
const sizes = { Attr: 4, Bindings: 8, Env: 8, Value: 4 } as const;
const listHeader = 8;

/**
 * Numbers are counts, and bytes where the name says so. What Nix counts and the core does not is left out:
 * `nrAvoided`, `values`, and the time of the collector.
 */
export function statistics(core: Core): Readonly<Record<string, unknown>> {
  const count = (name: keyof typeof place): number => core.exports.statistic(place[name]);
  return {
    nrThunks: count('thunks'),
    nrFunctionCalls: count('calls'),
    nrPrimOpCalls: count('builtinCalls'),
    nrLookups: count('lookups'),
    nrOpUpdates: count('updates'),
    nrOpUpdateValuesCopied: count('updatedValues'),
    nrExprs: count('expressions'),
    envs: {
      number: count('envs'),
      elements: count('envSlots'),
      bytes: count('envs') * sizes.Env + count('envSlots') * sizes.Value,
    },
    list: {
      elements: count('listItems'),
      bytes: count('lists') * listHeader + count('listItems') * sizes.Value,
      concats: count('listConcats'),
    },
    sets: {
      number: count('sets'),
      elements: count('setAttrs'),
      bytes: count('sets') * sizes.Bindings + count('setAttrs') * sizes.Attr,
    },
    symbols: { number: count('symbols'), bytes: count('symbolBytes') },
    sizes,
    gc: {
      heapSize: count('usedBytes'),
      totalBytes: count('allocatedBytes'),
      liveBytes: count('heapBytes'),
      cycles: count('collections'),
      movedCells: count('movedCells'),
    },
    code: { bytes: count('permanentBytes'), sourceBytes: count('loadedBytes') },
  };
}
