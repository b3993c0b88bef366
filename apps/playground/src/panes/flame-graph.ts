/** A flame graph: callers above those that they call, as wide as the time in them. A function leads to its source. */
import { element } from '../dom.ts';
import type { FlameNode, Place, Profile } from '../protocol.ts';

const rowHeight = 24;
/** Narrower ones, as a part of the whole, are left out. */
const minimumPart = 0.004;

export function flameGraph({ root, tickMs }: Profile, goTo: (place: Place) => void): HTMLElement {
  if (root.ticks === 0) return element('p', { class: 'note' }, 'There was no call to be seen.');
  const graph = element('div', { class: 'flame', role: 'group', 'aria-label': 'Flame graph' });
  let rows = 0;
  const draw = (node: FlameNode, from: number, depth: number): void => {
    const part = node.ticks / root.ticks;
    if (part < minimumPart) return;
    rows = Math.max(rows, depth + 1);
    const amount = tickMs === 0 ? `${node.ticks} calls` : `${(node.ticks * tickMs).toFixed(1)} ms`;
    const label = `${node.name}: ${amount}, ${(part * 100).toFixed(1)} %`;
    const at = node.place === undefined ? '' : ` (${node.place.file}:${node.place.line})`;
    const box = element(
      'button',
      {
        type: 'button',
        class: `flame-box flame-${depth % 4}`,
        title: label + at,
        'aria-label': label + at,
        style: `left: ${from * 100}%; width: ${part * 100}%; top: ${depth * rowHeight}px`,
      },
      node.name,
    );
    const { place } = node;
    if (place !== undefined) box.addEventListener('click', () => goTo(place));
    graph.append(box);
    let left = from;
    for (const child of node.children.toSorted((a, b) => b.ticks - a.ticks)) {
      draw(child, left, depth + 1);
      left += child.ticks / root.ticks;
    }
  };
  draw(root, 0, 0);
  graph.style.height = `${rows * rowHeight}px`;
  return graph;
}
