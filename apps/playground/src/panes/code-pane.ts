/** The code that the compiler has made of the shown file, block by block, linked with the source like the tree. */
import type { CodeBlock, Instruction } from '@neve/eval';
import { element } from '../dom.ts';
import { lengthOfBytes } from '../problems.ts';
import type { Links } from './syntax-pane.ts';

const maximumInstructions = 3000;

export class CodePane {
  readonly #node: HTMLElement;
  readonly #links: Links;
  #rows: { readonly row: HTMLElement; readonly at: number }[] = [];
  #text = '';

  constructor(node: HTMLElement, links: Links) {
    this.#node = node;
    this.#links = links;
  }

  show(code: readonly CodeBlock[], text: string): void {
    this.#rows = [];
    this.#text = text;
    const sections: HTMLElement[] = [];
    for (const [number, block] of code.entries()) {
      if (this.#rows.length >= maximumInstructions) {
        sections.push(
          element('p', { class: 'note' }, `only the first ${maximumInstructions} instructions are shown`),
        );
        break;
      }
      sections.push(this.#block(block, number));
    }
    this.#node.replaceChildren(...sections);
  }

  showProblem(message: string): void {
    this.#rows = [];
    this.#node.replaceChildren(element('p', { class: 'note' }, message));
  }

  /** Marks the instructions of the last position at or before a place of the source. */
  pointAt(position: number): void {
    let nearest = -1;
    for (const { at } of this.#rows) if (at <= position && at > nearest) nearest = at;
    for (const { row, at } of this.#rows) row.classList.toggle('linked', at === nearest);
  }

  #block(block: CodeBlock, number: number): HTMLElement {
    const title = { file: 'the file', thunk: 'thunk', lambda: 'function' }[block.kind];
    const heading = element(
      'h2',
      { class: 'code-block', id: `code-block-${number}` },
      element('span', { class: 'code-number' }, `@${number}`),
      ` ${title} `,
      element('span', { class: 'syntax-label' }, block.name),
    );
    const rows = block.instructions.map((instruction, index) => this.#row(instruction, index));
    return element('section', {}, heading, element('ol', { class: 'code' }, ...rows));
  }

  #row({ offset, name, operands }: Instruction, index: number): HTMLLIElement {
    const row = element(
      'button',
      { type: 'button', class: 'code-row' },
      element('span', { class: 'code-index' }, String(index)),
      element('span', { class: 'code-name' }, name),
      element('span', { class: 'code-operands' }, operands),
    );
    if (offset !== undefined) {
      const from = lengthOfBytes(this.#text, offset);
      const word = /^[\w'.-]+/.exec(this.#text.slice(from, from + 100))?.[0].length ?? 1;
      const span = { from, to: from + word };
      row.addEventListener('mouseenter', () => this.#links.mark(span));
      row.addEventListener('mouseleave', () => this.#links.mark(undefined));
      row.addEventListener('focus', () => this.#links.mark(span));
      row.addEventListener('blur', () => this.#links.mark(undefined));
      row.addEventListener('click', () => this.#links.select(span));
      this.#rows.push({ row, at: from });
    }
    return element('li', {}, row);
  }
}
