/**
 * From the core's positions (numbers) to places in sources that people can find.
 *
 * The core knows only where each source begins in the space of positions. Texts given as such are kept here; files are
 * read again when a line is asked for, which happens for few of them.
 */
import { LineTable, type Origin, type Position } from '@neve/diagnostics';
import { byteKey, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { Core } from './core.ts';
import type { EvalIO } from './eval-io.ts';

const originFile = 0;
const originStdin = 2;
const originInternal = 3;

export class SourceMap {
  readonly #core: Core;
  readonly #io: EvalIO;
  /** Texts of sources that are no files, by number; texts of files once they are read. */
  readonly #texts = new Map<number, Uint8Array>();
  readonly #lines = new Map<number, LineTable>();
  /** Texts of files that cannot be had at once, by path. */
  readonly #lateFiles = new Map<string, Uint8Array>();

  constructor(core: Core, io: EvalIO) {
    this.#core = core;
    this.#io = io;
  }

  /** Remembers the text of the source that was loaded last. */
  keepNewest(text: Uint8Array): void {
    this.#texts.set(this.#core.exports.sourceCount() - 1, text);
  }

  /** Remembers the text of a file which the world did not show at once. */
  keepFile(path: Uint8Array, text: Uint8Array): void {
    this.#lateFiles.set(byteKey(path), text);
  }

  /** The place of a position; `undefined` for "nowhere". */
  locate(position: number): Position | undefined {
    if (position === 0) return undefined;
    const { exports } = this.#core;
    const index = this.#sourceOf(position);
    const lines = this.#linesOf(index);
    const place = lines?.locate(position - exports.sourceStart(index));
    return {
      origin: this.#originOf(index),
      line: place?.line ?? 0,
      column: place?.column ?? 0,
      source: () => this.#textOf(index),
    };
  }

  #originOf(index: number): Origin {
    const { exports } = this.#core;
    switch (exports.sourceOrigin(index)) {
      case originFile:
        return { kind: 'file', path: decodeUtf8(this.#core.read(exports.sourcePath(index))) };
      case originStdin:
        return { kind: 'stdin' };
      case originInternal:
        return { kind: 'internal' };
      default:
        return { kind: 'string' };
    }
  }

  #sourceOf(position: number): number {
    const { exports } = this.#core;
    let low = 0;
    let high = exports.sourceCount();
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (exports.sourceStart(middle) <= position) low = middle;
      else high = middle;
    }
    return low;
  }

  #linesOf(index: number): LineTable | undefined {
    const known = this.#lines.get(index);
    if (known !== undefined) return known;
    const text = this.#textOf(index);
    if (text === undefined) return undefined;
    const lines = new LineTable(text);
    this.#lines.set(index, lines);
    return lines;
  }

  #textOf(index: number): Uint8Array | undefined {
    const known = this.#texts.get(index);
    if (known !== undefined) return known;
    const { exports } = this.#core;
    const origin = exports.sourceOrigin(index);
    if (origin !== originFile && origin !== originInternal) return undefined;
    const kept = this.#core.read(exports.sourcePath(index));
    const text = origin === originInternal ? kept : this.#readNow(kept);
    if (text !== undefined) this.#texts.set(index, text);
    return text;
  }

  /** A file, if it is still there and can be had at once: a position is no reason to wait or to fail. */
  #readNow(path: Uint8Array): Uint8Array | undefined {
    const late = this.#lateFiles.get(byteKey(path));
    if (late !== undefined) return late;
    try {
      const text = this.#io.readFile(path);
      if (!(text instanceof Promise)) return text;
      // Nobody waits for it, and a failure is nobody's.
      text.catch(() => {});
      return undefined;
    } catch {
      return undefined;
    }
  }
}

const markerStart = 0x01;
const markerEnd = 0x02;
const markerPattern = /^(pos|line|column):(\d+)$/;

/** What the core asks for in a marker: `file:line:column`, or one of the numbers alone. */
export type PositionPart = 'pos' | 'line' | 'column';

/** Replaces the markers that the core leaves for positions (`values/print-position.ts`) by what they ask for. */
export function replacePositionMarkers(
  text: Uint8Array,
  print: (position: number, part: PositionPart) => string,
): Uint8Array {
  if (!text.includes(markerStart)) return text;
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < text.length) {
    const start = text.indexOf(markerStart, at);
    const end = start < 0 ? -1 : text.indexOf(markerEnd, start);
    const marker = end < 0 ? undefined : markerPattern.exec(decodeUtf8(text.subarray(start + 1, end)));
    if (marker === undefined || marker === null) {
      const rest = start < 0 ? text.length : start + 1;
      parts.push(text.subarray(at, rest));
      at = rest;
      continue;
    }
    const shown = print(Number(marker[2]), marker[1] as PositionPart);
    parts.push(text.subarray(at, start), encodeUtf8(shown));
    at = end + 1;
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
