/**
 * A NAR as a stream of what is in it: the events of `NarVisitor` as data, for a consumer that waits between them.
 *
 * There is one promise for a piece of the source and none for an event: what a piece brought comes as one array. A piece
 * is asked for when the events of the last one were taken, so that nothing piles up.
 */
import { NarParser, type NarParserOptions, type NarVisitor } from './nar-parser.ts';

/** `contents` are views of the source's pieces; names and targets are copies. */
export type NarEvent =
  | { readonly kind: 'startRegular'; readonly size: number; readonly executable: boolean }
  | { readonly kind: 'contents'; readonly bytes: Uint8Array }
  | { readonly kind: 'endRegular' }
  | { readonly kind: 'symlink'; readonly target: Uint8Array }
  | { readonly kind: 'startDirectory' }
  | { readonly kind: 'entry'; readonly name: Uint8Array }
  | { readonly kind: 'endDirectory' };

/**
 * The events of the one archive that the source holds, in arrays that are not empty. Throws `NixCompatError` when it is
 * not a NAR, is cut off or is followed by something; the events before the mistake may have come already.
 */
export async function* readNar(
  source: AsyncIterable<Uint8Array>,
  options: Pick<NarParserOptions, 'maxDepth'> = {},
): AsyncGenerator<readonly NarEvent[], void, undefined> {
  let events: NarEvent[] = [];
  const parser = new NarParser(
    collectNarEvents((event) => events.push(event)),
    options,
  );
  for await (const piece of source) {
    parser.push(piece);
    if (events.length === 0) continue;
    const batch = events;
    events = [];
    yield batch;
  }
  parser.end();
}

/** A visitor that gives what it is told as data. */
export function collectNarEvents(take: (event: NarEvent) => void): NarVisitor {
  return {
    startRegular: (size, executable) => take({ kind: 'startRegular', size, executable }),
    contents: (bytes) => take({ kind: 'contents', bytes }),
    endRegular: () => take(endRegular),
    symlink: (target) => take({ kind: 'symlink', target }),
    startDirectory: () => take(startDirectory),
    entry: (name) => take({ kind: 'entry', name }),
    endDirectory: () => take(endDirectory),
  };
}

const endRegular: NarEvent = { kind: 'endRegular' };
const startDirectory: NarEvent = { kind: 'startDirectory' };
const endDirectory: NarEvent = { kind: 'endDirectory' };
