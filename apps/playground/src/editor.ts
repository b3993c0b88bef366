/** The editor: one view, and a state for each file, so that every file keeps its history and its place. */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  indentOnInput,
  syntaxHighlighting,
  syntaxTree,
} from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  EditorView,
  drawSelection,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import type { Tree } from '@lezer/common';
import { type BuiltinHelp, nixCompletions } from './nix-language/completion.ts';
import { nixClasses } from './nix-language/highlighting.ts';
import { nix } from './nix-language/language.ts';

export type EditorOptions = {
  readonly parent: HTMLElement;
  readonly builtins: () => readonly BuiltinHelp[];
  /** The text of the shown file has changed. */
  readonly onChange: (text: string) => void;
  /** The cursor is somewhere else. */
  readonly onMove: (position: number) => void;
  /** The user wants an evaluation now. */
  readonly onRun: () => void;
};

/** A place to be marked, because something else that belongs to it is pointed at. */
export type Span = { readonly from: number; readonly to: number };

export class Editor {
  readonly #view: EditorView;
  readonly #options: EditorOptions;
  readonly #states = new Map<string, EditorState>();
  #shown = '';

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#view = new EditorView({ parent: options.parent, state: this.#newState('') });
  }

  /** Shows a file, with `text` if it is new. */
  show(name: string, text: string): void {
    if (this.#shown !== '') this.#states.set(this.#shown, this.#view.state);
    this.#shown = name;
    this.#view.setState(this.#states.get(name) ?? this.#newState(text));
  }

  /** Forgets all files. */
  reset(): void {
    this.#states.clear();
    this.#shown = '';
  }

  forget(name: string): void {
    this.#states.delete(name);
    if (this.#shown === name) this.#shown = '';
  }

  get tree(): Tree {
    return syntaxTree(this.#view.state);
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  get selection(): Span {
    const { from, to } = this.#view.state.selection.main;
    return { from, to };
  }

  underline(diagnostics: readonly Diagnostic[]): void {
    const end = this.#view.state.doc.length;
    const inside = diagnostics.map((it) => ({
      ...it,
      from: Math.min(it.from, end),
      to: Math.min(it.to, end),
    }));
    this.#view.dispatch(setDiagnostics(this.#view.state, inside));
  }

  /** Marks a place without moving the cursor; `undefined` marks nothing. */
  mark(span: Span | undefined): void {
    this.#view.dispatch({ effects: markSpan.of(span) });
  }

  /** Selects a place and goes there. */
  select({ from, to }: Span): void {
    const end = this.#view.state.doc.length;
    const selection = { anchor: Math.min(from, end), head: Math.min(to, end) };
    this.#view.dispatch({ selection, scrollIntoView: true });
    this.#view.focus();
  }

  #newState(text: string): EditorState {
    const { builtins, onChange, onMove, onRun } = this.#options;
    const run = (): boolean => {
      onRun();
      return true;
    };
    return EditorState.create({
      doc: text,
      extensions: [
        keymap.of([{ key: 'Mod-Enter', run }]),
        lineNumbers(),
        lintGutter(),
        foldGutter({ openText: '▾', closedText: '▸' }),
        highlightSpecialChars(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ override: [nixCompletions(builtins)], icons: false }),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        highlightSelectionMatches(),
        nix(),
        syntaxHighlighting(nixClasses),
        markedSpan,
        EditorView.lineWrapping,
        EditorState.tabSize.of(2),
        EditorView.contentAttributes.of({
          'aria-label': 'Nix source. Escape, then Tab leaves the editor.',
          tabindex: '0',
          spellcheck: 'false',
          autocapitalize: 'off',
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
          if (update.selectionSet) onMove(update.state.selection.main.head);
        }),
        keymap.of([
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...defaultKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...foldKeymap,
          ...lintKeymap,
          indentWithTab,
        ]),
      ],
    });
  }
}

const markSpan = StateEffect.define<Span | undefined>();

const markedSpan = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let now = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(markSpan)) continue;
      const span = effect.value;
      const end = transaction.newDoc.length;
      now =
        span === undefined || span.from >= Math.min(span.to, end)
          ? Decoration.none
          : Decoration.set(mark.range(span.from, Math.min(span.to, end)));
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const mark = Decoration.mark({ class: 'linked-source' });
