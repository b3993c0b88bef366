/** The URL that a place in a source links to, as terminals want it: with the name of the machine, since they may show several (OSC 8). */
import type { Position } from '@neve/diagnostics';

export type SourceLink = (position: Position) => string | undefined;

/** Only files have one. */
export function linkToFile({ origin, line }: Position): string | undefined {
  if (origin.kind !== 'file') return undefined;
  const host = process.getBuiltinModule('node:os').hostname();
  const path = origin.path.split('/').map(encodeURIComponent).join('/');
  return `file://${host}${path}${line > 0 ? `#L${line}` : ''}`;
}
