/**
 * A value as a tree. What is inside of it is evaluated when it is opened, in the worker. It is a tree for the keyboard and
 * for screen readers as well (the "tree" role of ARIA): arrows move and open, Home and End go to the ends, and one item is
 * in the order of tabs.
 */
import { element } from '../dom.ts';
import type { Forced, NamedValue, Problem, ValueView } from '../protocol.ts';

/** Where a tree gets its values from. */
export interface ValueSource {
  force(handle: number): Promise<Forced>;
  parts(handle: number, from: number, count: number): Promise<readonly NamedValue[]>;
}

/** So many parts are shown at once; an item at the end shows the next. */
const pageSize = 100;

export class ValueTree {
  readonly node: HTMLElement;
  readonly #source: ValueSource;

  constructor(source: ValueSource, label: string) {
    this.#source = source;
    this.node = element('ul', { role: 'tree', 'aria-label': label, class: 'tree' });
    this.node.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /** Shows a value and opens it; with `deep`, everything that is evaluated already. */
  async show(value: ValueView, { deep }: { deep: boolean }): Promise<void> {
    const item = this.#item({ name: undefined, value }, 1);
    item.tabIndex = 0;
    this.node.replaceChildren(item);
    await this.#open(item, deep ? 3 : 1);
  }

  #item({ name, value }: NamedValue, level: number): HTMLLIElement {
    const row = element('div', { class: 'tree-row' });
    const item = element('li', { role: 'treeitem', tabindex: '-1', 'aria-level': String(level) }, row);
    const state: ItemState = { name, value, row, level };
    states.set(item, state);
    this.#describe(item, state);
    row.addEventListener('click', () => {
      this.#focus(item);
      void this.#toggle(item);
    });
    return item;
  }

  /** What is in the row, for the value as it is now. */
  #describe(item: HTMLLIElement, { name, value, row }: ItemState): void {
    const canOpen = isOpenable(value);
    if (canOpen) item.setAttribute('aria-expanded', 'false');
    else item.removeAttribute('aria-expanded');
    row.replaceChildren(element('span', { class: 'tree-twist', 'aria-hidden': 'true' }));
    if (name !== undefined) row.append(element('span', { class: 'tree-name' }, name), ' = ');
    row.append(element('span', { class: `value value-${value.kind}` }, summary(value)));
  }

  async #toggle(item: HTMLLIElement): Promise<void> {
    const expanded = item.getAttribute('aria-expanded');
    if (expanded === 'false') await this.#open(item, 1);
    else if (expanded === 'true') this.#close(item);
    else await states.get(item)?.more?.();
  }

  #close(item: HTMLLIElement): void {
    item.setAttribute('aria-expanded', 'false');
    item.querySelector(':scope > ul')?.remove();
  }

  /** Evaluates an item and shows what is inside, so many levels deep as are evaluated already. */
  async #open(item: HTMLLIElement, levels: number): Promise<void> {
    const state = states.get(item);
    if (state === undefined || item.getAttribute('aria-busy') === 'true') return;
    if (state.value.kind === 'thunk') {
      item.setAttribute('aria-busy', 'true');
      try {
        const forced = await this.#source.force(state.value.handle);
        if ('problem' in forced) {
          showFailure(item, state.row, forced.problem);
          return;
        }
        state.value = forced.value;
      } catch {
        // It was stopped, which is told elsewhere: the item stays as it was.
        return;
      } finally {
        item.removeAttribute('aria-busy');
      }
      this.#describe(item, state);
    }
    if (isContainer(state.value)) await this.#showParts(item, state, levels);
  }

  async #showParts(item: HTMLLIElement, state: ItemState, levels: number): Promise<void> {
    if (!isOpenable(state.value)) return;
    const group = element('ul', { role: 'group' });
    item.querySelector(':scope > ul')?.remove();
    item.append(group);
    item.setAttribute('aria-expanded', 'true');
    await this.#addPage(group, { state, from: 0, levels });
  }

  async #addPage(
    group: HTMLElement,
    { state, from, levels }: { state: ItemState; from: number; levels: number },
  ): Promise<void> {
    const parts = await this.#source.parts(state.value.handle, from, pageSize);
    const items = parts.map((part) => this.#item(part, state.level + 1));
    group.append(...items);
    const next = from + parts.length;
    if (next < state.value.size && parts.length > 0)
      group.append(this.#moreItem(group, { state, from: next }));
    if (levels <= 1) return;
    for (const item of items) {
      const part = states.get(item)?.value;
      if (part !== undefined && isContainer(part) && part.size <= pageSize)
        await this.#open(item, levels - 1);
    }
  }

  #moreItem(group: HTMLElement, { state, from }: { state: ItemState; from: number }): HTMLLIElement {
    const left = state.value.size - from;
    const row = element('div', { class: 'tree-row tree-more' }, `${left} more …`);
    const item = element(
      'li',
      { role: 'treeitem', tabindex: '-1', 'aria-level': String(state.level + 1) },
      row,
    );
    const more = async (): Promise<void> => {
      item.remove();
      await this.#addPage(group, { state, from, levels: 1 });
      const [, ...added] = [...group.children].slice(from - 1);
      if (added[0] instanceof HTMLLIElement) this.#focus(added[0]);
    };
    states.set(item, { name: undefined, value: state.value, row, level: state.level + 1, more });
    row.addEventListener('click', () => void more());
    return item;
  }

  // ── The keyboard ──

  #onKey(event: KeyboardEvent): void {
    const item = event.target;
    if (!(item instanceof HTMLLIElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const items = [...this.node.querySelectorAll('li')];
    const at = items.indexOf(item);
    const expanded = item.getAttribute('aria-expanded');
    let handled = true;
    if (event.key === 'ArrowDown') this.#focus(items[at + 1]);
    else if (event.key === 'ArrowUp') this.#focus(items[at - 1]);
    else if (event.key === 'Home') this.#focus(items[0]);
    else if (event.key === 'End') this.#focus(items.at(-1));
    else if (event.key === 'ArrowRight' && expanded === 'true') this.#focus(items[at + 1]);
    else if (event.key === 'ArrowRight') void this.#toggle(item);
    else if (event.key === 'ArrowLeft' && expanded === 'true') this.#close(item);
    else if (event.key === 'ArrowLeft') this.#focus(item.parentElement?.closest('li') ?? undefined);
    else if (event.key === 'Enter' || event.key === ' ') void this.#toggle(item);
    else handled = false;
    if (handled) event.preventDefault();
  }

  #focus(item: HTMLLIElement | undefined): void {
    if (item === undefined) return;
    for (const other of this.node.querySelectorAll<HTMLElement>('[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
    item.focus();
  }
}

type ItemState = {
  readonly name: string | undefined;
  value: ValueView;
  readonly row: HTMLElement;
  readonly level: number;
  /** Of an item that stands for others. */
  readonly more?: () => Promise<void>;
};

const states = new WeakMap<HTMLLIElement, ItemState>();

function isContainer({ kind }: ValueView): boolean {
  return kind === 'set' || kind === 'list';
}

function isOpenable(value: ValueView): boolean {
  return value.kind === 'thunk' || (isContainer(value) && value.size > 0);
}

function showFailure(item: HTMLLIElement, row: HTMLElement, problem: Problem): void {
  item.removeAttribute('aria-expanded');
  const shown = element(
    'span',
    { class: 'value value-error', title: problem.rendered },
    `error: ${problem.message}`,
  );
  row.querySelector('.value')?.replaceWith(shown);
}

/** A value in a few words. */
function summary({ kind, text, size, isDerivation }: ValueView): string {
  switch (kind) {
    case 'thunk':
      return '…';
    case 'set':
      if (isDerivation) return 'derivation { … }';
      return size === 0 ? '{ }' : `{ ${size} ${size === 1 ? 'attribute' : 'attributes'} }`;
    case 'list':
      return size === 0 ? '[ ]' : `[ ${size} ${size === 1 ? 'item' : 'items'} ]`;
    default:
      return text;
  }
}
