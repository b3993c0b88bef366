/** Where the characters of a prompt and a text of some lines are on a screen that wraps. */
import { textWidth } from '../../progress/screen-text.ts';

export type Layout = {
  /** What is written, with ends of lines where the screen would wrap as well. */
  readonly output: string;
  /** Rows after the first. */
  readonly lastRow: number;
  readonly cursor: { readonly row: number; readonly column: number };
  /** Columns that each row takes. */
  readonly widths: readonly number[];
};

export type LaidOut = {
  readonly prompt: string;
  /** Before every line but the first. */
  readonly continuation: string;
  readonly text: string;
  /** An index of the text. */
  readonly cursor: number;
};

export function layOut({ prompt, continuation, text, cursor }: LaidOut, columns: number): Layout {
  let output = '';
  let row = 0;
  let column = 0;
  let place = { row: 0, column: 0 };
  const put = (character: string): void => {
    const width = textWidth(character);
    if (column + width > columns) newRow();
    output += character;
    column += width;
  };
  const widths: number[] = [];
  const newRow = (): void => {
    widths.push(column);
    output += '\r\n';
    row += 1;
    column = 0;
  };
  for (const character of prompt) put(character);
  let index = 0;
  for (const character of text) {
    if (index === cursor) place = { row, column };
    if (character === '\n') {
      newRow();
      for (const it of continuation) put(it);
    } else put(character);
    index += character.length;
  }
  if (index === cursor) place = { row, column };
  // A cursor after the last column is at the beginning of the next row.
  if (column === columns) newRow();
  if (place.column === columns) place = { row: place.row + 1, column: 0 };
  return { output, lastRow: row, cursor: place, widths: [...widths, column] };
}

/** The row of the cursor when the screen has another width now, and has wrapped anew what was drawn. */
export function cursorRowAt({ cursor, widths }: Layout, columns: number): number {
  const above = widths.slice(0, cursor.row).map((width) => Math.max(1, Math.ceil(width / columns)));
  return above.reduce((sum, rows) => sum + rows, 0) + Math.floor(cursor.column / columns);
}
