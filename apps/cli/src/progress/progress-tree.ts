/**
 * Which builds and downloads a screen shows: what goes on and what has failed, and what waits for it as far as there is room.
 * What is waited for stands above what waits for it, so that what was asked for is at the bottom, where the eye is.
 *
 *       ┌ ▸ a    what goes on
 *       ├ ↓ b
 *     ┌ ○ c      waits for both
 *     ○ d        waits for it
 */
import type { Build, ProgressModel, Transfer } from './progress-model.ts';

export type TreeItem =
  | { readonly kind: 'build'; readonly build: Build }
  | { readonly kind: 'transfer'; readonly transfer: Transfer };

export type TreeRow = {
  readonly item: TreeItem;
  /** What is drawn before it. */
  readonly branch: string;
};

export type Tree = {
  readonly rows: readonly TreeRow[];
  /** What goes on and had no room. */
  readonly hidden: number;
};

export type TreeStrokes = {
  readonly first: string;
  readonly other: string;
  readonly pipe: string;
  readonly gap: string;
};

type Node = { readonly key: string; readonly item: TreeItem; readonly children: Node[] };

export function progressTree(
  model: ProgressModel,
  { maxRows, strokes }: { readonly maxRows: number; readonly strokes: TreeStrokes },
): Tree {
  const leaves = chooseLeaves(model, maxRows);
  const shown = new Map(leaves.shown.map((item) => [keyOf(item), item]));
  const parents = new Map<string, string>();
  // The nearest that wait come first.
  let level = [...shown.values()];
  while (level.length > 0) {
    const next: TreeItem[] = [];
    for (const item of level) {
      const parent = whoWaitsFor(item, model);
      if (parent === undefined) continue;
      parents.set(keyOf(item), parent.drvPath);
      if (shown.has(parent.drvPath) || parents.has(parent.drvPath)) continue;
      const waiting: TreeItem = { kind: 'build', build: parent };
      if (shown.size < maxRows) shown.set(parent.drvPath, waiting);
      next.push(waiting);
    }
    level = next;
  }
  return { rows: drawForest(forest(shown, parents), strokes), hidden: leaves.hidden };
}

/** What has failed gets a part of the room at least, and what goes on the rest. */
function chooseLeaves(
  model: ProgressModel,
  maxRows: number,
): { readonly shown: readonly TreeItem[]; readonly hidden: number } {
  const running: TreeItem[] = [
    ...model.runningBuilds.map((build) => ({ kind: 'build' as const, build })),
    ...model.runningTransfers.map((transfer) => ({ kind: 'transfer' as const, transfer })),
  ];
  const failed: TreeItem[] = model.failedBuilds
    .map((build) => ({ kind: 'build' as const, build }))
    .toReversed();
  const forFailed = Math.min(failed.length, Math.max(Math.ceil(maxRows / 4), maxRows - running.length));
  const shown = [...running.slice(0, Math.max(0, maxRows - forFailed)), ...failed.slice(0, forFailed)];
  return { shown, hidden: Math.max(0, running.length - (maxRows - forFailed)) };
}

/** One of those that cannot go on without it, and would if they could: the one that was planned last, which is the nearest. */
function whoWaitsFor(item: TreeItem, model: ProgressModel): Build | undefined {
  const dependents =
    item.kind === 'build' ? item.build.dependents : model.dependentsOf(item.transfer.derivation);
  let waiting: Build | undefined;
  let doomed: Build | undefined;
  for (const drvPath of dependents) {
    const build = model.builds.get(drvPath);
    if (build === undefined) continue;
    if (model.isDoomed(build)) doomed = build;
    else if (build.state === 'waiting') waiting = build;
  }
  return waiting ?? doomed;
}

function forest(shown: ReadonlyMap<string, TreeItem>, parents: ReadonlyMap<string, string>): readonly Node[] {
  const nodes = new Map<string, Node>();
  for (const [key, item] of shown) nodes.set(key, { key, item, children: [] });
  const roots: Node[] = [];
  for (const node of nodes.values()) {
    let parent = parents.get(node.key);
    while (parent !== undefined && !nodes.has(parent)) parent = parents.get(parent);
    const above = parent === undefined ? roots : (nodes.get(parent) as Node).children;
    above.push(node);
  }
  return roots;
}

function drawForest(roots: readonly Node[], strokes: TreeStrokes): readonly TreeRow[] {
  const rows: TreeRow[] = [];
  const draw = (node: Node, { own, below }: { readonly own: string; readonly below: string }): void => {
    node.children.forEach((child, index) => {
      const isFirst = index === 0;
      draw(child, {
        own: below + (isFirst ? strokes.first : strokes.other),
        below: below + (isFirst ? strokes.gap : strokes.pipe),
      });
    });
    rows.push({ item: node.item, branch: own });
  };
  for (const root of roots) draw(root, { own: '', below: '' });
  return rows;
}

function keyOf(item: TreeItem): string {
  return item.kind === 'build' ? item.build.drvPath : item.transfer.key;
}
