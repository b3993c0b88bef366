/** Errors, warnings and traces as texts, with links to the places in the program. */
import { element } from '../dom.ts';
import type { Place, Problem } from '../protocol.ts';

export function showProblems(problems: readonly Problem[], goTo: (place: Place) => void): HTMLElement[] {
  return problems.map((problem) => {
    const node = element('div', { class: `problem problem-${problem.severity}` });
    const places = placesOf(problem);
    node.append(
      element(
        'pre',
        { tabindex: '0', role: 'region', 'aria-label': labels[problem.severity] },
        problem.rendered.trimEnd(),
      ),
    );
    if (places.length > 0) {
      const links = places.map((place) => {
        const button = element(
          'button',
          { type: 'button', class: 'place' },
          `${place.file}:${place.line}:${place.column}`,
        );
        button.addEventListener('click', () => goTo(place));
        return button;
      });
      node.append(element('div', { class: 'places' }, 'Go to ', ...links));
    }
    return node;
  });
}

const labels = { error: 'Error', warning: 'Warning', trace: 'Trace' } as const;

/** Each place once, that of the problem itself first. */
function placesOf({ place, traces }: Problem): Place[] {
  const found = new Map<string, Place>();
  for (const at of [place, ...traces.toReversed().map((trace) => trace.place)]) {
    if (at !== undefined) found.set(`${at.file}:${at.line}:${at.column}`, at);
  }
  return [...found.values()].slice(0, 8);
}
