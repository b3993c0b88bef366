/**
 * A small layered layout for graphs without cycles. A node is one layer below the lowest of those that it needs. An edge
 * over several layers has a bend in each of them, which takes part in the order of the layer like a node, so that edges do
 * not run through nodes. Layers are ordered by where neighbours are, a few times up and down.
 */

export type GraphNode = {
  readonly id: string;
  readonly label: string;
  /** Ids of what it needs. Those that are no nodes are left out. */
  readonly needs: readonly string[];
};

export type Point = { readonly x: number; readonly y: number };

/** `x` and `y` are of the upper left corner. */
export type PlacedNode = Point & { readonly node: GraphNode };

/** From the lower side of what is needed to the upper side of who needs it. */
export type PlacedEdge = { readonly points: readonly Point[] };

export type Layout = {
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
};

export type LayoutSizes = {
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  readonly gapX: number;
  readonly gapY: number;
};

const sweeps = 8;
/** A bend takes so much of the width of a node. */
const bendWidth = 16;

/** A node of the graph, or a bend of an edge (`node` is undefined). */
type Item = {
  readonly node: GraphNode | undefined;
  readonly above: Item[];
  readonly below: Item[];
  /** The middle, while layers are ordered its number. */
  x: number;
};

export function layOut(nodes: readonly GraphNode[], sizes: LayoutSizes): Layout {
  const depths = depthsOf(nodes);
  const layers: Item[][] = [];
  const items = new Map<string, Item>();
  const put = (depth: number, node?: GraphNode): Item => {
    const item: Item = { node, above: [], below: [], x: 0 };
    while (layers.length <= depth) layers.push([]);
    layers[depth]?.push(item);
    return item;
  };
  for (const node of nodes) items.set(node.id, put(depths.get(node.id) ?? 0, node));
  const chains: Item[][] = [];
  for (const node of nodes) {
    for (const id of new Set(node.needs)) {
      const [from, to] = [items.get(id), items.get(node.id)];
      if (from === undefined || to === undefined) continue;
      const chain = [from];
      for (let depth = (depths.get(id) ?? 0) + 1; depth < (depths.get(node.id) ?? 0); depth++)
        chain.push(put(depth));
      chain.push(to);
      chains.push(chain);
    }
  }
  for (const chain of chains) link(chain);
  orderLayers(layers);
  return place(layers, chains, sizes);
}

function link(chain: readonly Item[]): void {
  for (const [index, item] of chain.entries()) {
    const next = chain[index + 1];
    if (next === undefined) continue;
    item.below.push(next);
    next.above.push(item);
  }
}

function depthsOf(nodes: readonly GraphNode[]): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const depths = new Map<string, number>();
  const depthOf = (node: GraphNode): number => {
    const known = depths.get(node.id);
    if (known !== undefined) return known;
    // What is being looked at counts as 0, should there be a cycle after all.
    depths.set(node.id, 0);
    let depth = 0;
    for (const id of node.needs) {
      const needed = byId.get(id);
      if (needed !== undefined) depth = Math.max(depth, depthOf(needed) + 1);
    }
    depths.set(node.id, depth);
    return depth;
  };
  for (const node of nodes) depthOf(node);
  return depths;
}

/** Orders each layer by the middle of the neighbours above, then below, and so on. */
function orderLayers(layers: readonly Item[][]): void {
  const number = (layer: readonly Item[]): void => {
    for (const [index, item] of layer.entries()) item.x = index - (layer.length - 1) / 2;
  };
  for (const layer of layers) number(layer);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const isDown = sweep % 2 === 0;
    for (const layer of isDown ? layers : layers.toReversed()) {
      const wanted = new Map(
        layer.map((item) => [item, middleOf(isDown ? item.above : item.below) ?? item.x]),
      );
      layer.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
      number(layer);
    }
  }
}

function middleOf(items: readonly Item[]): number | undefined {
  if (items.length === 0) return undefined;
  return items.reduce((sum, { x }) => sum + x, 0) / items.length;
}

function place(layers: readonly Item[][], chains: readonly Item[][], sizes: LayoutSizes): Layout {
  const { nodeWidth, nodeHeight, gapX, gapY } = sizes;
  const widthOf = (item: Item): number => (item.node === undefined ? bendWidth : nodeWidth);
  const widths = layers.map(
    (layer) => layer.reduce((sum, item) => sum + widthOf(item), 0) + gapX * (layer.length - 1),
  );
  const width = Math.max(0, ...widths);
  const tops = new Map<Item, number>();
  for (const [depth, layer] of layers.entries()) {
    let left = (width - (widths[depth] ?? 0)) / 2;
    for (const item of layer) {
      item.x = left + widthOf(item) / 2;
      left += widthOf(item) + gapX;
      tops.set(item, depth * (nodeHeight + gapY));
    }
  }
  const nodes = layers
    .flat()
    .flatMap((item) =>
      item.node === undefined ? [] : [{ node: item.node, x: item.x - nodeWidth / 2, y: tops.get(item) ?? 0 }],
    );
  const edges = chains.map((chain) => ({
    points: chain.flatMap((item, index) => {
      const top = tops.get(item) ?? 0;
      if (index === 0) return [{ x: item.x, y: top + nodeHeight }];
      if (index === chain.length - 1) return [{ x: item.x, y: top }];
      return [
        { x: item.x, y: top },
        { x: item.x, y: top + nodeHeight },
      ];
    }),
  }));
  return { nodes, edges, width, height: Math.max(0, layers.length * (nodeHeight + gapY) - gapY) };
}
