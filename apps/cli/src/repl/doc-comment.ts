/** Doc comments as RFC 145 has them, found in the text of a source. */
import type { Position } from '@neve/diagnostics';

/** The text inside of the comment that begins at a position; `undefined` where there is none. */
export function commentAt(position: Position): string | undefined {
  const source = textOf(position);
  const rest = source?.text.slice(source.offset);
  const [, inner] = /^\/\*\*(?![*/])(.*?)\*\//s.exec(rest ?? '') ?? [];
  // The beginning of the comment counts as indentation of its first line.
  return inner === undefined ? undefined : withoutIndentation(`   ${inner}`).trim();
}

/** That of the doc comment right before a position; other comments may be between. */
export function commentBefore(position: Position): string | undefined {
  const source = textOf(position);
  if (source === undefined) return undefined;
  const before = source.text.slice(0, source.offset);
  for (let start = before.lastIndexOf('/**'); start !== -1; start = before.lastIndexOf('/**', start - 1)) {
    const inner = docAndComments.exec(before.slice(start))?.[1];
    const lineStart = before.lastIndexOf('\n', start) + 1;
    const isCommentedOut = before.slice(lineStart, start).includes('#');
    if (inner !== undefined && !isCommentedOut) return withoutIndentation(`   ${inner}`).trim();
    if (start === 0 || inner !== undefined) return undefined;
  }
  return undefined;
}

/** A doc comment, and nothing but other comments after it. */
const docAndComments =
  /^\/\*\*(?![*/])((?:[^*]|\*+[^*/])*?)\*+\/(?:\s|#[^\n]*(?:\n|$)|\/\*(?:[^*]|\*+[^*/])*\*+\/)*$/;

type Place = { readonly text: string; readonly offset: number };

/** Columns count bytes, from 1. */
function textOf(position: Position): Place | undefined {
  const bytes = position.source?.();
  if (bytes === undefined) return undefined;
  // One character a byte, until the end of what is cut out.
  const lines = Buffer.from(bytes)
    .toString('latin1')
    .split(/(?<=\r\n|\n|\r(?!\n))/);
  const above = lines.slice(0, position.line - 1).join('');
  const offset = Buffer.from(above, 'latin1').toString().length;
  const inLine = Buffer.from((lines[position.line - 1] ?? '').slice(0, position.column - 1), 'latin1');
  return { text: Buffer.from(bytes).toString(), offset: offset + inLine.toString().length };
}

/** Without what all lines that are not blank begin with. */
function withoutIndentation(text: string): string {
  const lines = text.split(/\r\n|\n|\r/);
  const depths = lines.filter((line) => line.trim() !== '').map((line) => /^ */.exec(line)?.[0].length ?? 0);
  const depth = depths.length === 0 ? 0 : Math.min(...depths);
  return lines.map((line) => line.slice(Math.min(depth, /^ */.exec(line)?.[0].length ?? 0))).join('\n');
}
