/** How long the phases of the last evaluation took, where the time went, and what the evaluator has counted. */
import { element } from '../dom.ts';
import type { Evaluation, Place, Profile } from '../protocol.ts';
import { flameGraph } from './flame-graph.ts';

/** Counters of `NIX_SHOW_STATS` in words, in this order. */
const counters: readonly (readonly [name: string, label: string])[] = [
  ['nrThunks', 'Thunks made'],
  ['nrFunctionCalls', 'Calls of functions'],
  ['nrPrimOpCalls', 'Calls of builtins'],
  ['nrLookups', 'Attributes selected'],
  ['nrOpUpdates', 'Sets joined by //'],
  ['sets.number', 'Sets'],
  ['list.elements', 'Items of lists'],
  ['envs.number', 'Environments'],
  ['symbols.number', 'Names'],
  ['gc.cycles', 'Collections of garbage'],
];

export class TimingPane {
  readonly #node: HTMLElement;
  readonly #goTo: (place: Place) => void;
  readonly #flame: HTMLElement = element('div');

  constructor(node: HTMLElement, goTo: (place: Place) => void) {
    this.#node = node;
    this.#goTo = goTo;
  }

  showProfile(profile: Profile): void {
    const unit = profile.tickMs === 0 ? 'number of calls' : 'time';
    this.#flame.replaceChildren(
      element('h2', {}, 'Where it went'),
      element('p', { class: 'note' }, `Callers are above what they call; the width is the ${unit}.`),
      flameGraph(profile, this.#goTo),
    );
  }

  show({ phases, counters: numbers }: Evaluation): void {
    const total = phases.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const rows = phases.map(({ name, milliseconds }) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, name),
        element('td', { class: 'number' }, `${milliseconds.toFixed(2)} ms`),
        element(
          'td',
          { class: 'bar-cell', 'aria-hidden': 'true' },
          bar(total === 0 ? 0 : milliseconds / total),
        ),
      ),
    );
    const counted = counters.flatMap(([name, label]) => {
      const value = numbers[name];
      return value === undefined
        ? []
        : [
            element(
              'tr',
              {},
              element('th', { scope: 'row' }, label),
              element('td', { class: 'number' }, value.toLocaleString('en')),
            ),
          ];
    });
    this.#node.replaceChildren(
      element(
        'table',
        { class: 'figures' },
        element('caption', {}, `${total.toFixed(2)} ms in all`),
        ...rows,
      ),
      this.#flame,
      element('table', { class: 'figures' }, element('caption', {}, 'What was done'), ...counted),
    );
  }
}

function bar(part: number): HTMLElement {
  return element('div', { class: 'bar', style: `--part: ${part.toFixed(4)}` });
}
