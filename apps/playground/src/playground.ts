/**
 * What happens on the page: the project changes, is evaluated, and the panes show what came of it. One evaluation runs at
 * a time; a change while it runs ends it, so that the page never waits for what nobody wants any more.
 */
import { byId, element } from './dom.ts';
import { Editor } from './editor.ts';
import { type EvaluationClient, StoppedError } from './evaluation-client.ts';
import { showFileTabs } from './file-tabs.ts';
import type { BuiltinHelp } from './nix-language/completion.ts';
import { CodePane } from './panes/code-pane.ts';
import { DerivationPane } from './panes/derivation-pane.ts';
import { showProblems } from './panes/problem-list.ts';
import { SyntaxPane } from './panes/syntax-pane.ts';
import { startTabs } from './panes/tabs.ts';
import { TimingPane } from './panes/timing-pane.ts';
import { ValueTree } from './panes/value-tree.ts';
import { SourceLines, diagnosticsIn, unusedIn } from './problems.ts';
import { type Project, isFileName, projectFromHash, projectToHash, singleFile } from './project.ts';
import type { Effects, Evaluation, Files, Forced, Place, Problem } from './protocol.ts';
import { samples } from './samples.ts';
import { TourPanel } from './tour-panel.ts';

/** After so long without a key, what is in the editor is evaluated. */
const pauseMs = 250;
/** After so long, an evaluation is said to take long. */
const longMs = 2000;
/** What takes less is profiled call by call, the rest by so many looks a second. */
const shortMs = 100;
const profileFrequency = 2000;

export class Playground {
  readonly #client: EvaluationClient;
  readonly #editor: Editor;
  readonly #tour: TourPanel;
  readonly #value = byId('value', HTMLElement);
  readonly #status = byId('status', HTMLElement);
  readonly #stopButton = byId('stop', HTMLButtonElement);
  readonly #strict = byId('strict', HTMLInputElement);
  readonly #derivations = new DerivationPane(byId('derivations', HTMLElement));
  readonly #timing = new TimingPane(byId('timing', HTMLElement), (place) => this.#goTo(place));
  readonly #syntax: SyntaxPane;
  readonly #code: CodePane;
  #project: Project = singleFile('');
  #panel = 'value';
  #builtins: readonly BuiltinHelp[] = [];
  #problems: readonly Problem[] = [];
  /** The text and file whose tree and code are shown. */
  #outlined = '';
  #pause: ReturnType<typeof setTimeout> | undefined;
  /** Which evaluation is the last one: what comes of another is not shown. */
  #turn = 0;
  /** How long the last evaluation took, and which one was profiled. */
  #lastMs: number | undefined;
  #profiled = 0;
  /** The part of the link that this page has written. */
  #ownHash = '';

  constructor(client: EvaluationClient) {
    this.#client = client;
    this.#editor = new Editor({
      parent: byId('editor', HTMLElement),
      builtins: () => this.#builtins,
      onChange: (text) => this.#onEdit(text),
      onMove: (position) => this.#pointAt(position),
      onRun: () => void this.#evaluate(),
    });
    const links = {
      mark: this.#editor.mark.bind(this.#editor),
      select: this.#editor.select.bind(this.#editor),
    };
    this.#syntax = new SyntaxPane(byId('syntax', HTMLElement), links);
    this.#code = new CodePane(byId('code', HTMLElement), links);
    this.#tour = new TourPanel(byId('tour', HTMLElement), {
      onStep: ({ code }) => this.#open({ ...singleFile(code), strict: true }),
      onEnd: () => byId('tour-button', HTMLButtonElement).focus(),
    });
    startTabs(byId('views', HTMLElement), (panel) => {
      this.#panel = panel;
      void this.#lookInside();
    });
    this.#startControls();
  }

  async start(): Promise<void> {
    const linked = await projectFromHash(location.hash);
    addEventListener('hashchange', () => void this.#onHash());
    this.#open(linked ?? sampleProject(0));
    const names = await this.#client.ask({ kind: 'builtins' });
    const { describeBuiltins } = await import('./builtin-help.ts');
    this.#builtins = describeBuiltins(names);
  }

  #startControls(): void {
    const list = byId('samples', HTMLSelectElement);
    list.append(element('option', { value: '' }, 'Samples …'));
    for (const [index, { title }] of samples.entries())
      list.append(element('option', { value: String(index) }, title));
    list.addEventListener('change', () => {
      if (list.value !== '') this.#open(sampleProject(Number(list.value)));
      list.value = '';
    });
    byId('tour-button', HTMLButtonElement).addEventListener('click', () => {
      if (this.#tour.isOpen) this.#tour.close();
      else this.#tour.open();
    });
    byId('share', HTMLButtonElement).addEventListener('click', () => void this.#share());
    byId('run', HTMLButtonElement).addEventListener('click', () => void this.#evaluate());
    this.#stopButton.addEventListener('click', () => this.#stop());
    this.#strict.addEventListener('change', () => {
      this.#project = { ...this.#project, strict: this.#strict.checked };
      void this.#evaluate();
    });
    byId('add-file', HTMLButtonElement).addEventListener('click', () => this.#addFile());
  }

  // ── The project ──

  #open(project: Project): void {
    this.#project = project;
    this.#strict.checked = project.strict;
    this.#editor.reset();
    this.#showActive();
    void this.#evaluate();
  }

  #showActive(): void {
    const { files, active } = this.#project;
    showFileTabs(byId('files', HTMLElement), this.#project, {
      onShow: (name) => {
        this.#project = { ...this.#project, active: name };
        this.#showActive();
        void this.#keepLink();
      },
      onRemove: (name) => this.#removeFile(name),
    });
    this.#editor.show(active, files.find(({ name }) => name === active)?.text ?? '');
    this.#underline();
    void this.#lookInside();
  }

  #onEdit(text: string): void {
    const { files, active } = this.#project;
    this.#project = {
      ...this.#project,
      files: files.map((it) => (it.name === active ? { ...it, text } : it)),
    };
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => void this.#evaluate(), pauseMs);
  }

  #addFile(): void {
    const { files } = this.#project;
    let number = 1;
    while (files.some(({ name }) => name === `file${number}.nix`)) number += 1;
    const name = prompt('Name of the new file', `file${number}.nix`)?.trim();
    if (name === undefined || name === '') return;
    if (!isFileName(name) || files.some((file) => file.name === name)) {
      this.#say(`There cannot be a new file of the name “${name}”.`);
      return;
    }
    this.#project = { ...this.#project, files: [...files, { name, text: '' }], active: name };
    this.#showActive();
    void this.#evaluate();
  }

  #removeFile(name: string): void {
    const files = this.#project.files.filter((file) => file.name !== name);
    const active = this.#project.active === name ? (files[0]?.name ?? '') : this.#project.active;
    this.#project = { ...this.#project, files, active };
    this.#editor.forget(name);
    this.#showActive();
    void this.#evaluate();
  }

  // ── Links ──

  async #onHash(): Promise<void> {
    if (location.hash === this.#ownHash) return;
    const linked = await projectFromHash(location.hash);
    if (linked !== undefined) this.#open(linked);
  }

  async #keepLink(): Promise<void> {
    this.#ownHash = `#${await projectToHash(this.#project)}`;
    history.replaceState(null, '', this.#ownHash);
  }

  async #share(): Promise<void> {
    await this.#keepLink();
    try {
      await navigator.clipboard.writeText(location.href);
      this.#say('The link to this program is copied.');
    } catch {
      this.#say('The link to this program is in the address bar.');
    }
  }

  // ── Evaluation ──

  async #evaluate(): Promise<void> {
    clearTimeout(this.#pause);
    this.#turn += 1;
    const turn = this.#turn;
    this.#lastMs = undefined;
    if (this.#client.isBusy) this.#client.stop();
    const { files, strict } = this.#project;
    const main = files[0]?.name ?? '';
    const slow = this.#whileRunning();
    try {
      void this.#keepLink();
      const evaluation = await this.#client.ask({ kind: 'evaluate', files: this.#files(), main, strict });
      if (turn !== this.#turn) return;
      await this.#show(evaluation);
    } catch (error) {
      if (turn === this.#turn) this.#showFailure(error);
    } finally {
      slow.end();
    }
    if (turn === this.#turn) await this.#lookInside();
  }

  /** Says so when something takes long, and lets it be stopped. */
  #whileRunning(): { end: () => void } {
    const turn = this.#turn;
    this.#stopButton.disabled = false;
    document.body.classList.add('running');
    const timer = setTimeout(() => {
      this.#say('This takes long. Stop ends it; a change of the program does, too.');
      document.body.classList.add('slow');
    }, longMs);
    return {
      end: () => {
        clearTimeout(timer);
        if (turn !== this.#turn || this.#client.isBusy) return;
        this.#stopButton.disabled = true;
        document.body.classList.remove('running', 'slow');
      },
    };
  }

  #stop(): void {
    this.#client.stop();
    this.#stopButton.disabled = true;
    document.body.classList.remove('running', 'slow');
  }

  async #show(evaluation: Evaluation): Promise<void> {
    this.#timing.show(evaluation);
    this.#showEffects(evaluation.effects);
    this.#problems = [
      ...('problem' in evaluation ? [evaluation.problem] : []),
      ...evaluation.effects.messages,
    ];
    this.#underline();
    const total = evaluation.phases.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    this.#lastMs = total;
    if ('problem' in evaluation) {
      this.#value.replaceChildren(...this.#problemList());
      this.#tour.check(undefined);
      this.#say('The program has failed.');
      return;
    }
    const tree = new ValueTree(this, 'Value');
    await tree.show(evaluation.value, { deep: this.#project.strict });
    this.#value.replaceChildren(tree.node, ...this.#problemList());
    this.#say(`Evaluated in ${total.toFixed(total < 10 ? 1 : 0)} ms.`);
    this.#tour.check(evaluation.printed);
  }

  #problemList(): HTMLElement[] {
    return showProblems(this.#problems, (place) => this.#goTo(place));
  }

  #showEffects({ derivations }: Effects): void {
    this.#derivations.show(derivations);
    byId('derivation-count', HTMLElement).textContent =
      derivations.length === 0 ? '' : String(derivations.length);
  }

  #showFailure(error: unknown): void {
    if (error instanceof StoppedError) {
      const text = 'The evaluation was stopped. Change the program, or press Run to begin again.';
      this.#value.replaceChildren(element('p', { class: 'note stopped' }, text));
      this.#say('Stopped.');
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    this.#value.replaceChildren(
      element('pre', { class: 'problem problem-error' }, `Neve itself has failed: ${message}`),
    );
    this.#say('Neve itself has failed.');
  }

  // ── What the tree of the value asks for ──

  async force(handle: number): Promise<Forced> {
    const slow = this.#whileRunning();
    try {
      const forced = await this.#client.ask({ kind: 'force', handle });
      this.#showEffects(forced.effects);
      return forced;
    } catch (error) {
      this.#showFailure(error);
      throw error;
    } finally {
      slow.end();
    }
  }

  async parts(
    handle: number,
    from: number,
    count: number,
  ): ReturnType<ConstructorParameters<typeof ValueTree>[0]['parts']> {
    return await this.#client.ask({ kind: 'parts', handle, from, count });
  }

  // ── The source ──

  #files(): Files {
    return Object.fromEntries(this.#project.files.map(({ name, text }) => [name, text]));
  }

  #underline(): void {
    const { text, tree } = this.#editor;
    const problems = diagnosticsIn(this.#project.active, { text, tree, problems: this.#problems });
    this.#editor.underline([...problems, ...unusedIn(text, tree)]);
  }

  #goTo(place: Place): void {
    if (place.file !== this.#project.active) {
      this.#project = { ...this.#project, active: place.file };
      this.#showActive();
    }
    const from = new SourceLines(this.#editor.text).offset(place);
    this.#editor.select({ from, to: from });
  }

  /** Gets what the open pane shows besides the value. */
  async #lookInside(): Promise<void> {
    if (this.#panel === 'timing') await this.#profile();
    else await this.#outline();
  }

  /** Evaluates once more with a profiler. What is short is seen call by call. */
  async #profile(): Promise<void> {
    const turn = this.#turn;
    if (this.#profiled === turn || this.#client.isBusy || this.#lastMs === undefined) return;
    this.#profiled = turn;
    const { files, strict } = this.#project;
    const slow = this.#whileRunning();
    try {
      const frequency = this.#lastMs < shortMs ? 0 : profileFrequency;
      const main = files[0]?.name ?? '';
      const profile = await this.#client.ask({
        kind: 'profile',
        files: this.#files(),
        main,
        strict,
        frequency,
      });
      if (turn === this.#turn) this.#timing.showProfile(profile);
    } catch (error) {
      if (!(error instanceof StoppedError)) throw error;
    } finally {
      slow.end();
    }
  }

  /** Shows the tree and the code, if one of their panes is open and they are not of this text. */
  async #outline(): Promise<void> {
    if (this.#panel !== 'syntax' && this.#panel !== 'code') return;
    const { active } = this.#project;
    const { text, tree } = this.#editor;
    const key = `${active}\0${text}`;
    if (key === this.#outlined || this.#client.isBusy) return;
    this.#outlined = key;
    try {
      const outline = await this.#client.ask({ kind: 'outline', files: this.#files(), main: active });
      if ('problem' in outline) {
        this.#syntax.showProblem(outline.problem.rendered);
        this.#code.showProblem(outline.problem.rendered);
        return;
      }
      this.#syntax.show(outline.tree, tree, text);
      this.#code.show(outline.code, text);
      this.#pointAt(this.#editor.selection.from);
    } catch (error) {
      this.#outlined = '';
      if (!(error instanceof StoppedError)) throw error;
    }
  }

  #pointAt(position: number): void {
    if (this.#panel === 'syntax') this.#syntax.pointAt(position);
    if (this.#panel === 'code') this.#code.pointAt(position);
  }

  #say(text: string): void {
    this.#status.textContent = text;
  }
}

function sampleProject(index: number): Project {
  const { files = [] } = samples[index] ?? {};
  return { files, active: files[0]?.name ?? '', strict: false };
}
