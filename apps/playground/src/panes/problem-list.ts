/** Errors, warnings and traces: what happened, links to the places in the program, and the whole text. */
import { element } from '../dom.ts';
import type { Place, Problem } from '../protocol.ts';

const labels = { error: 'Error', warning: 'Warning', trace: 'Trace' } as const;
const maximumPlaces = 8;

export function showProblems(problems: readonly Problem[], goTo: (place: Place) => void): HTMLElement[] {
  return problems.map((problem) => {
    const label = labels[problem.severity];
    const [firstLine = ''] = problem.message.split('\n');
    const title = element('p', { class: 'problem-title' }, element('strong', {}, `${label}: `), firstLine);
    const node = element('div', { class: `problem problem-${problem.severity}` }, title);
    const links = placesOf(problem).map((place) => placeLink(place, goTo));
    if (links.length > 0) node.append(element('div', { class: 'places' }, 'Go to ', ...links));
    if (problem.rendered.includes('\n')) {
      const attributes = { tabindex: '0', role: 'region', 'aria-label': `${label} in full` };
      node.append(element('pre', attributes, problem.rendered.trimEnd()));
    }
    return node;
  });
}

function placeLink(place: Place, goTo: (place: Place) => void): HTMLElement {
  const name = `${place.file}:${place.line}:${place.column}`;
  const button = element('button', { type: 'button', class: 'place' }, name);
  button.addEventListener('click', () => goTo(place));
  return button;
}

/** Each place once, that of the problem itself first. */
function placesOf({ place, traces }: Problem): Place[] {
  const found = new Map<string, Place>();
  for (const at of [place, ...traces.toReversed().map((trace) => trace.place)]) {
    if (at !== undefined) found.set(`${at.file}:${at.line}:${at.column}`, at);
  }
  return [...found.values()].slice(0, maximumPlaces);
}
