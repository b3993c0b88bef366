/**
 * The text of a diagnostic, laid out as Nix 2.34 does it:
 *
 *     error:
 *            … while calling the 'head' builtin
 *              at «string»:1:1:
 *                 1| builtins.head []
 *                  | ^
 *
 *            error: 'builtins.head' called on an empty list
 *
 * Traces come first and the message last, where the eye is after a scroll. Without `showTrace` the trace ends after
 * four points, a frame counting one and its position another; frames marked `always` are shown nevertheless. A frame
 * that was shown before is left out when more than five such follow each other. Every line is indented to the width
 * of the heading, and blanks at the end of a line are removed.
 */
import type { Diagnostic, DiagnosticKind, Origin, Position, Trace } from './diagnostic.ts';
import { LineTable } from './line-table.ts';
import { phraseSuggestions } from './suggestions.ts';
import { colours, terminalText } from './terminal-text.ts';

export type RenderOptions = {
  /** The whole trace (`--show-trace`). */
  readonly showTrace?: boolean;
  /** Colours, for a terminal that wants them. */
  readonly colour?: boolean;
  /** The URL that a place in a source links to, for a terminal that shows links (OSC 8). */
  readonly link?: ((position: Position) => string | undefined) | undefined;
};

/** Points after which a trace is truncated, and the number of repeated frames that are shown rather than counted. */
const maxPoints = 3;
const maxRepeatedFrames = 5;

/** The text without a line end after it. */
export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions = {}): string {
  const { showTrace = false, colour = false } = options;
  const links = new Links(options.link);
  const heading = `${diagnostic.kind}: `;
  const colouredHeading = `${headingColours[diagnostic.kind]}${diagnostic.kind}:${colours.normal} `;
  const traces = diagnostic.traces.filter((trace) => trace.message !== '');
  let body = '';
  if (traces.length > 0) {
    body += `${renderTraces(traces, { showTrace, links })}\n${colouredHeading}`;
  }
  body += `${diagnostic.message}\n`;
  if (diagnostic.position !== undefined) body += renderPosition(diagnostic.position, { indent: '', links });
  if (diagnostic.suggestions.length > 0) {
    const names = diagnostic.suggestions.map((name) => `${colours.magenta}${name}${colours.normal}`);
    body += `Did you mean ${phraseSuggestions(names)}?\n`;
  }
  const text = indentBlock(body, { first: colouredHeading, width: heading.length });
  return terminalText(text, { colour, kept: links.sequences });
}

const headingColours: Record<DiagnosticKind, string> = {
  error: colours.red,
  note: colours.red,
  warning: colours.magenta,
  'evaluation warning': colours.magenta,
};

/** Frames, those shown before gathered into "(N duplicate frames omitted)". */
function renderTraces(
  traces: readonly Trace[],
  { showTrace, links }: { readonly showTrace: boolean; readonly links: Links },
): string {
  let text = '';
  let points = 0;
  let truncated = false;
  const seen = new Set<string>();
  let repeated: Trace[] = [];

  for (const trace of traces) {
    truncated ||= !showTrace && points > maxPoints;
    if (truncated && trace.always !== true) continue;
    const key = traceKey(trace);
    if (seen.has(key)) {
      repeated.push(trace);
      continue;
    }
    seen.add(key);
    flushRepeated();
    points += 1;
    show(trace);
  }
  flushRepeated();
  if (truncated) {
    const hint = "(stack trace truncated; use '--show-trace' to show the full, detailed trace)";
    text += `\n${colours.magenta}${hint}${colours.normal}\n`;
  }
  return text;

  function show(trace: Trace): void {
    text += `\n… ${trace.message}\n`;
    if (trace.position === undefined) return;
    text += renderPosition(trace.position, { indent: '  ', links });
    points += 1;
  }

  function flushRepeated(): void {
    if (repeated.length > maxRepeatedFrames) {
      text += `\n${colours.magenta}(${repeated.length} duplicate frames omitted)${colours.normal}\n`;
    } else {
      for (const trace of repeated) show(trace);
    }
    repeated = [];
  }
}

/** Puts links around places, and knows which sequences are its own: those of a program do not get to the terminal. */
class Links {
  readonly sequences = new Set<string>();
  readonly #link: RenderOptions['link'];

  constructor(link: RenderOptions['link']) {
    this.#link = link;
  }

  around(text: string, position: Position): string {
    const url = this.#link?.(position);
    if (url === undefined) return text;
    const [start, end] = [`\u001B]8;;${url}\u001B\\`, '\u001B]8;;\u001B\\'];
    this.sequences.add(start).add(end);
    return `${start}${text}${end}`;
  }
}

/** Equal for frames that look the same. */
function traceKey({ message, position }: Trace): string {
  return position === undefined ? message : `${printPosition(position)}\n${message}`;
}

/** `at file:line:column:` and the lines of code around it. */
function renderPosition(
  position: Position,
  { indent, links }: { readonly indent: string; readonly links: Links },
): string {
  const name = links.around(printPosition(position), position);
  const place = `${indent}${colours.blue}at ${colours.magenta}${name}${colours.normal}:`;
  const table = position.line === 0 ? undefined : lineTable(position);
  if (table === undefined) return place;
  return `${place}${renderCode(table, position)}\n`;
}

/** `path:line:column`, with `«string»` and its like for a source that is no file. */
export function printPosition({ origin, line, column }: Position): string {
  const name = nameOf(origin);
  return column > 0 ? `${name}:${line}:${column}` : `${name}:${line}`;
}

function nameOf(origin: Origin): string {
  if (origin.kind === 'file') return origin.path;
  return origin.kind === 'internal' ? '«nix-internal»/derivation-internal.nix' : `«${origin.kind}»`;
}

/** The line before, the line itself with a caret under the column, and the line after. */
function renderCode(table: LineTable, { line, column }: Position): string {
  const caret = column > 0 ? `\n      |${' '.repeat(column)}${colours.red}^${colours.normal}` : '';
  return (
    numberedLine(table, line - 1) +
    (line <= table.lineCount ? numberedLine(table, line) + caret : '') +
    numberedLine(table, line + 1)
  );
}

function numberedLine(table: LineTable, line: number): string {
  const bytes = table.line(line);
  return bytes === undefined ? '' : `\n ${String(line).padStart(5)}| ${new TextDecoder().decode(bytes)}`;
}

/** Tables by source, so that many frames in one file split it once. */
const tables = new WeakMap<Uint8Array, LineTable>();

function lineTable(position: Position): LineTable | undefined {
  const source = position.source?.();
  if (source === undefined) return undefined;
  const known = tables.get(source);
  if (known !== undefined) return known;
  const table = new LineTable(source);
  tables.set(source, table);
  return table;
}

/** Puts `first` before the first line and blanks before the others; no line keeps blanks at its end. */
function indentBlock(text: string, { first, width }: { first: string; width: number }): string {
  const rest = ' '.repeat(width);
  return trimEnd(text)
    .split('\n')
    .map((line, i) => trimEnd((i === 0 ? first : rest) + line))
    .join('\n');
}

/** Without blanks, tabs and line ends behind. */
function trimEnd(text: string): string {
  let end = text.length;
  // A regular expression would take quadratic time on a long line of blanks with a caret after it.
  while (end > 0 && ' \t\n\r'.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
