/**
 * `<nix-example>`: an expression that can be edited and evaluated in the page. Without scripts it is what the generator
 * wrote, the expression and its expected value:
 *
 *     <nix-example data-files='{"name": "text"}' data-features="a b">
 *       <div class="language-nix"> … <pre><code> … </code></pre></div>
 *       <div class="nix-value"><pre> … </pre></div>
 *     </nix-example>
 *
 * Nothing is loaded before somebody runs something.
 */
import { evaluateInWorker, stopEvaluation } from './evaluations.ts';

/** Registers the element; called in a browser only, when the page has been taken over by its scripts. */
export function defineNixExample(): void {
  if (customElements.get('nix-example') !== undefined) return;
  customElements.define('nix-example', NixExample);
}

class NixExample extends HTMLElement {
  #run: HTMLButtonElement | undefined;

  connectedCallback(): void {
    if (this.#run !== undefined) return;
    const code = this.querySelector<HTMLElement>('div[class*=language-] code');
    if (code === null) return;
    const original = code.innerHTML;
    makeEditable(code, () => void this.#evaluate(code));
    const reset = button('Reset', () => {
      code.innerHTML = original;
      reset.hidden = true;
      this.#show({ text: '', isValue: true });
    });
    reset.hidden = true;
    code.addEventListener('input', () => {
      reset.hidden = false;
    });
    this.#run = button('Run', () => void this.#evaluate(code));
    this.#run.classList.add('primary');
    const bar = document.createElement('div');
    bar.className = 'nix-bar';
    bar.append(this.#run, reset);
    this.insertBefore(bar, this.querySelector('.nix-value'));
  }

  disconnectedCallback(): void {
    stopEvaluation();
  }

  async #evaluate(code: HTMLElement): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    if (run.dataset['running'] === 'true') {
      stopEvaluation();
      return;
    }
    run.dataset['running'] = 'true';
    run.textContent = 'Stop';
    const result = await evaluateInWorker({
      text: (code.textContent ?? '').trimEnd(),
      files: JSON.parse(this.dataset['files'] ?? '{}') as Record<string, string>,
      features: (this.dataset['features'] ?? '').split(' ').filter((feature) => feature !== ''),
    });
    delete run.dataset['running'];
    run.textContent = 'Run';
    if (result === 'stopped') this.#show({ text: 'stopped', isValue: false });
    else this.#show({ text: [...result.messages, result.text].join('\n'), isValue: result.isValue });
  }

  #show({ text, isValue }: { text: string; isValue: boolean }): void {
    const old = this.querySelector('output');
    const output = old ?? document.createElement('output');
    output.textContent = text;
    output.hidden = text === '';
    // What was expected makes room for what has come.
    const expected = this.querySelector<HTMLElement>('.nix-value');
    if (expected !== null) expected.hidden = text !== '';
    output.classList.toggle('is-error', !isValue);
    if (old === null) this.append(output);
  }
}

function button(text: string, onClick: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.addEventListener('click', onClick);
  return made;
}

function makeEditable(code: HTMLElement, onSubmit: () => void): void {
  code.contentEditable = 'plaintext-only';
  code.spellcheck = false;
  code.setAttribute('role', 'textbox');
  code.setAttribute('aria-multiline', 'true');
  code.setAttribute('aria-label', 'Nix expression');
  code.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    onSubmit();
  });
}
