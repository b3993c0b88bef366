/**
 * Text for a terminal: how many columns it takes, lines that end where the screen ends, and text of strangers made harmless.
 *
 * Widths are upper bounds where terminals differ (emoji that are put together of several), so that a line may end early but
 * never wraps.
 */

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue';

/** A part of a line. */
export type Span = { readonly text: string; readonly style?: Style | undefined };

export type Line = readonly Span[];

const sgr: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34 };

const escape = '\x1b';

/** At most `columns` wide; what is cut off is shown by an ellipsis. */
export function renderLine(
  line: Line,
  {
    columns,
    colour,
    ellipsis,
  }: { readonly columns: number; readonly colour: boolean; readonly ellipsis: string },
): string {
  const isTooLong = lineWidth(line) > columns;
  let left = isTooLong ? columns - ellipsis.length : columns;
  let rendered = '';
  for (const { text, style } of line) {
    const part = isTooLong ? clip(text, left) : text;
    left -= textWidth(part);
    rendered +=
      colour && style !== undefined && part !== '' ? `${escape}[${sgr[style]}m${part}${escape}[0m` : part;
    if (part.length < text.length) break;
  }
  return isTooLong && columns >= ellipsis.length ? rendered + ellipsis : rendered;
}

export function lineWidth(line: Line): number {
  return line.reduce((width, { text }) => width + textWidth(text), 0);
}

/** In columns; control characters must not be in it. */
export function textWidth(text: string): number {
  if (isPrintableAscii(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** As much of a text as fits; combining characters stay with theirs. */
function clip(text: string, columns: number): string {
  if (isPrintableAscii(text)) return text.slice(0, Math.max(0, columns));
  let width = 0;
  let end = 0;
  for (const character of text) {
    width += characterWidth(character);
    if (width > columns) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/**
 * A line that someone else wrote: without what moves the cursor, changes the terminal or hides text; colours stay if they are
 * wanted. A carriage return begins the line anew, as on a terminal.
 */
export function harmless(text: string, { colour }: { readonly colour: boolean }): string {
  if (isPrintableAscii(text)) return text;
  const line = text.replace(/\r+$/, '');
  const shown = line.slice(line.lastIndexOf('\r') + 1).replaceAll('\t', '    ');
  let hasColour = false;
  const clean = shown.replace(sequences, (sequence) => {
    const isColour = colour && /^\x1b\[[0-9;:]*m$/.test(sequence);
    hasColour ||= isColour;
    return isColour ? sequence : '';
  });
  return hasColour ? `${clean}${escape}[0m` : clean;
}

/** The same for several lines. */
export function harmlessLines(text: string, options: { readonly colour: boolean }): string {
  return text
    .split('\n')
    .map((line) => harmless(line, options))
    .join('\n');
}

/**
 * Sequences of ECMA-48 (CSI, strings such as OSC up to their end, two-character escapes), then single controls of C0 and C1,
 * and what changes the direction of text.
 */
const sequences =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function isPrintableAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  // The selector of emoji makes what is before it wide.
  if (code === 0xfe0f) return 1;
  if (/^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u.test(character)) return 0;
  return isWide(code) || /^\p{Emoji_Presentation}$/u.test(character) ? 2 : 1;
}

/** East Asian Width W and F, in ranges that also take in what is not assigned between them. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];

function isWide(code: number): boolean {
  return wideRanges.some(([first, last]) => code >= first && code <= last);
}
