/** What is wrong with the shown file, as the editor underlines it: what evaluation says, and names that nobody uses. */
import type { Diagnostic } from '@codemirror/lint';
import type { Tree } from '@lezer/common';
import { type BindingKind, unusedBindings } from './nix-language/scopes.ts';
import type { Place, Problem } from './protocol.ts';

/** The problems that have a place in `file`. An error elsewhere is shown where this file led to it. */
export function diagnosticsIn(
  file: string,
  { text, tree, problems }: { text: string; tree: Tree; problems: readonly Problem[] },
): Diagnostic[] {
  const lines = new SourceLines(text);
  return problems.flatMap((problem) => {
    const place = placeIn(file, problem);
    if (place === undefined) return [];
    const from = lines.offset(place);
    const severity = problem.severity === 'trace' ? 'info' : problem.severity;
    return [{ from, to: endOfThing(tree, text, from), severity, message: problem.message, source: 'neve' }];
  });
}

/** Names that nothing refers to, as hints. */
export function unusedIn(text: string, tree: Tree): Diagnostic[] {
  return unusedBindings(tree, text).map(({ name, kind, from, to }) => ({
    from,
    to,
    severity: 'hint',
    message: `${nameOfKind(kind)} '${name}' is not used`,
    markClass: 'nix-unused',
  }));
}

/** Offsets of the texts of JavaScript from lines and columns that count bytes. */
export class SourceLines {
  readonly #lines: readonly { readonly start: number; readonly text: string }[];

  constructor(text: string) {
    let start = 0;
    this.#lines = text.split('\n').map((line) => {
      const entry = { start, text: line };
      start += line.length + 1;
      return entry;
    });
  }

  offset({ line, column }: Pick<Place, 'line' | 'column'>): number {
    const found = this.#lines[Math.min(line, this.#lines.length) - 1];
    if (found === undefined) return 0;
    return found.start + lengthOfBytes(found.text, column - 1);
  }
}

/** How many UTF-16 units the first bytes of a text have. */
export function lengthOfBytes(text: string, bytes: number): number {
  let units = 0;
  let passed = 0;
  for (const character of text) {
    if (passed >= bytes) break;
    const code = character.codePointAt(0) ?? 0;
    passed += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    units += character.length;
  }
  return units;
}

function placeIn(file: string, { place, traces }: Problem): Place | undefined {
  if (place?.file === file) return place;
  return traces.findLast((trace) => trace.place?.file === file)?.place;
}

const whole: ReadonlySet<string> = new Set(['String', 'IndentedString', 'Select', 'Path', 'SearchPath']);

/**
 * The end of what begins at a place: a selection or a string as a whole, otherwise the token. At the end of a line or of
 * the text it is one character.
 */
function endOfThing(tree: Tree, text: string, from: number): number {
  const token = tree.resolveInner(from, 1);
  let end = token.from === from ? token.to : from;
  for (let node = token.parent; node !== null && node.from === from; node = node.parent) {
    if (whole.has(node.name)) end = node.to;
  }
  if (end > from && !text.slice(from, end).includes('\n')) return end;
  const word = /^[\w'-]+/.exec(text.slice(from, from + 200));
  return Math.min(text.length, from + (word?.[0].length ?? 1));
}

function nameOfKind(kind: BindingKind): string {
  return kind === 'argument' ? 'argument' : 'name';
}
