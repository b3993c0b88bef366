/** The derivations that have arisen: their graph, and of the chosen one its paths, JSON and ATerm. */
import { element, svgElement } from '../dom.ts';
import type { DerivationView } from '../protocol.ts';
import { type GraphNode, type PlacedEdge, type PlacedNode, layOut } from './graph-layout.ts';

const sizes = { nodeWidth: 168, nodeHeight: 42, gapX: 20, gapY: 26 };
const margin = 8;
/** Larger graphs are no pictures any more. */
const maximumNodes = 400;

export class DerivationPane {
  readonly #node: HTMLElement;
  #chosen: string | undefined;
  #shown: readonly DerivationView[] = [];

  constructor(node: HTMLElement) {
    this.#node = node;
    this.show([]);
  }

  show(derivations: readonly DerivationView[]): void {
    const isSame =
      derivations.length > 0 &&
      derivations.length === this.#shown.length &&
      derivations.every(({ path }, index) => path === this.#shown[index]?.path);
    if (isSame) return;
    this.#shown = derivations;
    if (derivations.length === 0) {
      const hint = 'No derivation has arisen. Evaluation makes one when its drvPath or outPath is needed.';
      this.#node.replaceChildren(element('p', { class: 'note' }, hint));
      return;
    }
    if (!derivations.some(({ path }) => path === this.#chosen)) this.#chosen = derivations.at(-1)?.path;
    const details = element('div', { class: 'derivation-details' });
    const graph = element('div', {
      class: 'graph',
      role: 'region',
      'aria-label': 'Graph of the derivations',
      tabindex: '0',
    });
    const choose = (path: string): void => {
      this.#chosen = path;
      for (const node of graph.querySelectorAll('[data-path]')) {
        node.setAttribute('aria-pressed', String(node.getAttribute('data-path') === path));
      }
      const chosen = derivations.find((it) => it.path === path);
      if (chosen !== undefined) details.replaceChildren(...detailsOf(chosen));
    };
    graph.append(drawGraph(derivations.slice(0, maximumNodes), choose));
    this.#node.replaceChildren(graph, details);
    if (this.#chosen !== undefined) choose(this.#chosen);
  }
}

function drawGraph(derivations: readonly DerivationView[], choose: (path: string) => void): SVGSVGElement {
  const nodes = derivations.map(({ path, name, inputs }): GraphNode => ({
    id: path,
    label: name,
    needs: inputs,
  }));
  const { nodes: placed, edges, width, height } = layOut(nodes, sizes);
  const svg = svgElement('svg', {
    width: String(width + 2 * margin),
    height: String(height + 2 * margin),
    viewBox: `${-margin} ${-margin} ${width + 2 * margin} ${height + 2 * margin}`,
    role: 'group',
    'aria-label': `${derivations.length} derivations, each below what it needs`,
  });
  svg.append(arrowHead(), ...edges.map(drawEdge), ...placed.map((it) => drawNode(it, choose)));
  return svg;
}

function arrowHead(): SVGElement {
  const triangle = svgElement('path', { d: 'M0,0 L8,4 L0,8 z', class: 'graph-arrow' });
  const marker = svgElement(
    'marker',
    {
      id: 'arrow',
      viewBox: '0 0 8 8',
      refX: '7.5',
      refY: '4',
      markerWidth: '7',
      markerHeight: '7',
      orient: 'auto',
    },
    triangle,
  );
  return svgElement('defs', {}, marker);
}

/** Straight within a layer, a curve from one to the next. */
function drawEdge({ points }: PlacedEdge): SVGElement {
  const [first, ...rest] = points;
  let path = first === undefined ? '' : `M${first.x},${first.y}`;
  let before = first;
  for (const { x, y } of rest) {
    const middle = ((before?.y ?? y) + y) / 2;
    path += before?.x === x ? ` L${x},${y}` : ` C${before?.x ?? x},${middle} ${x},${middle} ${x},${y}`;
    before = { x, y };
  }
  return svgElement('path', { d: path, class: 'graph-edge', 'marker-end': 'url(#arrow)' });
}

function drawNode({ node, x, y }: PlacedNode, choose: (path: string) => void): SVGElement {
  const short = node.label.length > 20 ? `${node.label.slice(0, 19)}…` : node.label;
  const hash = node.id.split('/').at(-1)?.slice(0, 12) ?? '';
  const group = svgElement(
    'g',
    {
      transform: `translate(${x},${y})`,
      class: 'graph-node',
      role: 'button',
      tabindex: '0',
      'aria-pressed': 'false',
      'data-path': node.id,
    },
    svgElement('rect', { width: String(sizes.nodeWidth), height: String(sizes.nodeHeight), rx: '8' }),
    svgElement('text', { x: '12', y: '18', class: 'graph-name' }, `${short} `),
    svgElement('text', { x: '12', y: '34', class: 'graph-hash' }, `${hash}…`),
  );
  group.addEventListener('click', () => choose(node.id));
  group.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    choose(node.id);
  });
  return group;
}

function detailsOf({
  path,
  name,
  system,
  builder,
  outputs,
  inputs,
  sources,
  json,
  aterm,
}: DerivationView): HTMLElement[] {
  const rows: [string, readonly string[]][] = [
    ['Path', [path]],
    ['System', [system]],
    ['Builder', [builder]],
    ...outputs.map(({ name: output, path: at }): [string, string[]] => [
      `Output ${output}`,
      [at ?? 'follows from its contents'],
    ]),
    ['Needs', inputs],
    ['Sources', sources],
  ];
  const list = element('dl', { class: 'facts' });
  for (const [label, values] of rows) {
    if (values.length === 0) continue;
    list.append(
      element('dt', {}, label),
      ...values.map((value) => element('dd', {}, element('code', {}, value))),
    );
  }
  return [element('h2', {}, name), list, foldable('JSON', json, true), foldable('ATerm', aterm, false)];
}

function foldable(title: string, text: string, open: boolean): HTMLElement {
  const label = `${title} of the derivation`;
  const block = element('pre', { tabindex: '0', role: 'region', 'aria-label': label }, text);
  return element('details', { open }, element('summary', {}, title), block);
}
