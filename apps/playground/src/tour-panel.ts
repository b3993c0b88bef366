/** The tour beside the editor: one step at a time, with its task and whether that is done. */
import { element, prose } from './dom.ts';
import { type TourStep, tour } from './tour.ts';

export type TourOptions = {
  /** Puts the program of a step into the editor. */
  readonly onStep: (step: TourStep) => void;
  readonly onEnd: () => void;
};

export class TourPanel {
  readonly #node: HTMLElement;
  readonly #options: TourOptions;
  #at = 0;
  #status: HTMLElement = element('p');
  #next: HTMLButtonElement = element('button');

  constructor(node: HTMLElement, options: TourOptions) {
    this.#node = node;
    this.#options = options;
    node.hidden = true;
  }

  get isOpen(): boolean {
    return !this.#node.hidden;
  }

  open(): void {
    this.#node.hidden = false;
    this.#show(this.#at);
  }

  close(): void {
    this.#node.hidden = true;
    this.#options.onEnd();
  }

  /** Tells what Nix prints of the value; `undefined` when there was an error. */
  check(printed: string | undefined): void {
    const step = tour[this.#at];
    if (!this.isOpen || step === undefined) return;
    const isDone = printed === step.goal;
    this.#node.classList.toggle('tour-done', isDone);
    const isLast = this.#at === tour.length - 1;
    const done = isLast ? 'Done: this was the last step.' : 'Done!';
    const text = isDone ? done : `Task: ${step.task}`;
    if (this.#status.textContent !== text) this.#status.replaceChildren(...prose(text));
    this.#next.classList.toggle('primary', isDone);
  }

  #show(at: number): void {
    const step = tour[at];
    if (step === undefined) return;
    this.#at = at;
    this.#node.classList.remove('tour-done');
    const heading = element('h2', { tabindex: '-1' }, step.title);
    const button = (label: string, act: () => void, disabled = false): HTMLButtonElement => {
      const made = element('button', { type: 'button', disabled }, label);
      made.addEventListener('click', act);
      return made;
    };
    this.#status = element('p', { class: 'tour-task', role: 'status' }, ...prose(`Task: ${step.task}`));
    this.#next = button('Next', () => this.#show(at + 1), at === tour.length - 1);
    const end = button('End the tour', () => this.close());
    const solve = button('Show me', () => this.#options.onStep({ ...step, code: step.solution }));
    this.#node.replaceChildren(
      element('p', { class: 'tour-count' }, `Tour, step ${at + 1} of ${tour.length}`),
      heading,
      ...step.text.split('\n\n').map((paragraph) => element('p', {}, ...prose(paragraph))),
      this.#status,
      element(
        'div',
        { class: 'tour-buttons' },
        button('Back', () => this.#show(at - 1), at === 0),
        this.#next,
        solve,
        end,
      ),
    );
    this.#options.onStep(step);
    heading.focus();
  }
}
