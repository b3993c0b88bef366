/** The tree as Nix reads the shown file. A node that is pointed at is marked in the source, and the other way round. */
import type { Tree } from '@lezer/common';
import type { SyntaxNode } from '@neve/eval';
import { element } from '../dom.ts';
import type { Span } from '../editor.ts';
import { spansOf } from './syntax-spans.ts';

export type Links = {
  /** Marks a place of the source; `undefined` marks nothing. */
  readonly mark: (span: Span | undefined) => void;
  readonly select: (span: Span) => void;
};

/** Rows beyond this are left out, and said to be. */
const maximumRows = 3000;

export class SyntaxPane {
  readonly #node: HTMLElement;
  readonly #links: Links;
  #rows: { readonly row: HTMLElement; readonly span: Span }[] = [];

  constructor(node: HTMLElement, links: Links) {
    this.#node = node;
    this.#links = links;
  }

  show(root: SyntaxNode, tree: Tree, text: string): void {
    const spans = spansOf(root, tree, text);
    this.#rows = [];
    const list = element('ol', { class: 'syntax-tree', 'aria-label': 'Syntax tree' });
    const left: { node: SyntaxNode; depth: number }[] = [{ node: root, depth: 0 }];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { node, depth } = next;
      if (this.#rows.length === maximumRows) {
        list.append(element('li', { class: 'note' }, `only the first ${maximumRows} nodes are shown`));
        break;
      }
      list.append(this.#row(node, depth, spans.get(node) ?? { from: 0, to: 0 }));
      for (const child of node.children.toReversed()) left.push({ node: child, depth: depth + 1 });
    }
    this.#node.replaceChildren(list);
  }

  showProblem(message: string): void {
    this.#rows = [];
    this.#node.replaceChildren(element('p', { class: 'note' }, message));
  }

  /** Marks the innermost nodes at a place of the source. */
  pointAt(position: number): void {
    let best: { readonly row: HTMLElement; readonly span: Span } | undefined;
    for (const entry of this.#rows) {
      entry.row.classList.remove('linked');
      const { from, to } = entry.span;
      if (position < from || position > to) continue;
      if (best === undefined || to - from <= best.span.to - best.span.from) best = entry;
    }
    best?.row.classList.add('linked');
    if (this.#node.hidden === false) best?.row.scrollIntoView({ block: 'nearest' });
  }

  #row(node: SyntaxNode, depth: number, span: Span): HTMLLIElement {
    const row = element(
      'button',
      { type: 'button', class: 'syntax-row', style: `--depth: ${depth}` },
      ...(node.role === '' ? [] : [element('span', { class: 'syntax-role' }, `${node.role} `)]),
      element('span', { class: 'syntax-kind' }, node.kind),
      ...(node.label === '' ? [] : [' ', element('span', { class: 'syntax-label' }, node.label)]),
    );
    row.addEventListener('mouseenter', () => this.#links.mark(span));
    row.addEventListener('mouseleave', () => this.#links.mark(undefined));
    row.addEventListener('focus', () => this.#links.mark(span));
    row.addEventListener('blur', () => this.#links.mark(undefined));
    row.addEventListener('click', () => this.#links.select(span));
    this.#rows.push({ row, span });
    return element('li', {}, row);
  }
}
