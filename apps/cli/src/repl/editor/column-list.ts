/** A list of words in columns, as shells show what a word may become. */
import { textWidth } from '../../progress/screen-text.ts';

/** Lines that end with CR LF, `rows` of them at most: the last one says how many words are not shown. */
export function listInColumns(
  words: readonly string[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string {
  const width = Math.max(...words.map(textWidth)) + 2;
  const perRow = Math.max(1, Math.floor((columns - 1) / width));
  const needed = Math.ceil(words.length / perRow);
  const height = Math.min(needed, needed > rows ? rows - 1 : rows);
  const shown = words.slice(0, height * perRow);
  const lines = Array.from({ length: height }, (_, row) =>
    Array.from({ length: perRow }, (_unused, column) => shown[column * height + row] ?? '')
      .map((word) => word + ' '.repeat(word === '' ? 0 : width - textWidth(word)))
      .join('')
      .trimEnd(),
  );
  const left = words.length - shown.length;
  if (left > 0) lines.push(`… and ${left} more`);
  return lines.map((line) => `${line}\r\n`).join('');
}
