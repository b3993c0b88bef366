import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type GraphNode, layOut } from './graph-layout.ts';

const sizes = { nodeWidth: 100, nodeHeight: 40, gapX: 20, gapY: 30 };

/** Graphs without cycles: a node needs only those before it. */
const graph: fc.Arbitrary<GraphNode[]> = fc
  .array(fc.array(fc.nat(30), { maxLength: 4 }), { maxLength: 30 })
  .map((needs) =>
    needs.map((wanted, index) => ({
      id: String(index),
      label: String(index),
      needs: wanted.filter((it) => it < index).map(String),
    })),
  );

test('every node is below what it needs, no two are at one place, and every need has its edge', () => {
  fc.assert(
    fc.property(graph, (nodes) => {
      const { nodes: placed, edges, width, height } = layOut(nodes, sizes);
      expect(placed).toHaveLength(nodes.length);
      const byId = new Map(placed.map((it) => [it.node.id, it]));
      for (const { node, x, y } of placed) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x + sizes.nodeWidth).toBeLessThanOrEqual(width + 0.001);
        expect(y + sizes.nodeHeight).toBeLessThanOrEqual(height + 0.001);
        for (const id of node.needs) expect(byId.get(id)?.y ?? Infinity).toBeLessThan(y);
        for (const other of placed) {
          if (other.node === node) continue;
          const apart = Math.abs(other.x - x) >= sizes.nodeWidth || Math.abs(other.y - y) >= sizes.nodeHeight;
          expect(apart).toBe(true);
        }
      }
      const needs = nodes.reduce((sum, node) => sum + new Set(node.needs).size, 0);
      expect(edges).toHaveLength(needs);
    }),
  );
});

test('an edge ends at its nodes, and bends around what is between', () => {
  const nodes = [
    { id: 'a', label: 'a', needs: [] },
    { id: 'b', label: 'b', needs: ['a'] },
    { id: 'c', label: 'c', needs: ['a', 'b', 'unknown'] },
  ];
  const { nodes: placed, edges } = layOut(nodes, sizes);
  expect(placed.map(({ y }) => y)).toEqual([0, 70, 140]);
  const long = edges.find(({ points }) => points.length > 2);
  const b = placed.find(({ node }) => node.id === 'b');
  if (long === undefined || b === undefined) throw new Error('there is an edge from a to c');
  for (const { x, y } of long.points.slice(1, -1)) {
    expect(y).toBeGreaterThanOrEqual(70);
    expect(x < b.x || x > b.x + sizes.nodeWidth).toBe(true);
  }
});
