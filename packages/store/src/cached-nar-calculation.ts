/**
 * NAR calculations that were made before, in both directions: the NAR of a node, and the node that a NAR gave. What a node
 * is as a NAR never changes, so that nothing has to be forgotten for its truth; but the node that a hash leads to may not be
 * in a store any more.
 */
import type { Digest } from '@neve/bytes';
import type { Node } from '@neve/castore';
import type { NarCalculation, NarCalculationService } from './path-info-service.ts';

/** Where they are kept. Methods throw `StoreError` (`io`). */
export interface NarTable {
  find(node: Node): Promise<NarCalculation | undefined>;
  /** A node with this NAR. It need not be in the store. */
  findNode(narHash: Digest): Promise<Node | undefined>;
  record(node: Node, calculation: NarCalculation): Promise<void>;
}

/** Asks `inner` only for what is not in the table. Calculations of one node that overlap are one. */
export function cachedNarCalculation(inner: NarCalculationService, table: NarTable): NarCalculationService {
  const running = new Map<string, Promise<NarCalculation>>();
  const calculate = async (node: Node, signal?: AbortSignal): Promise<NarCalculation> => {
    const known = await table.find(node);
    if (known !== undefined) return known;
    const calculation = await inner.calculateNar(node, signal);
    await table.record(node, calculation);
    return calculation;
  };
  return {
    async calculateNar(node, signal) {
      const key = narTableKey(node);
      // Whoever can be aborted has a calculation of his own: it must not end with another's.
      if (key === undefined || signal !== undefined) return calculate(node, signal);
      const joined = running.get(key) ?? calculate(node);
      running.set(key, joined);
      try {
        return await joined;
      } finally {
        running.delete(key);
      }
    },
  };
}

export function memoryNarTable(): NarTable {
  const calculations = new Map<string, NarCalculation>();
  const nodes = new Map<string, Node>();
  return {
    async find(node) {
      const key = narTableKey(node);
      return key === undefined ? undefined : calculations.get(key);
    },
    findNode: async (narHash) => nodes.get(narHash.format('hex')),
    async record(node, calculation) {
      const key = narTableKey(node);
      if (key !== undefined) calculations.set(key, calculation);
      nodes.set(calculation.narHash.format('hex'), node);
    },
  };
}

/** One character for the kind, then the key of the digest. A symbolic link has none: its NAR is made at once. */
export function narTableKey(node: Node): string | undefined {
  switch (node.kind) {
    case 'directory':
      return `d${node.digest.key}`;
    case 'file':
      return `${node.executable ? 'x' : 'f'}${node.digest.key}`;
    case 'symlink':
      return undefined;
  }
}
