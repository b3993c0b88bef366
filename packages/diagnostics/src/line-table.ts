/**
 * The lines of a source. A line ends at LF, CR or CRLF, and the bytes after the last line end are a line too, even
 * when there are none: "a\n" has the lines "a" and "". Lines and columns count from 1, and columns count bytes.
 */

/** A place in a source as people count it. */
export type LineAndColumn = { readonly line: number; readonly column: number };

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export class LineTable {
  readonly #source: Uint8Array;
  /** Offset of the first byte of every line. */
  readonly #starts: readonly number[];

  constructor(source: Uint8Array) {
    this.#source = source;
    this.#starts = source.includes(carriageReturn) ? startsOfAllLines(source) : startsAfterLineFeeds(source);
  }

  get lineCount(): number {
    return this.#starts.length;
  }

  /** The bytes of a line without its end; `undefined` when there is no such line. */
  line(line: number): Uint8Array | undefined {
    const start = this.#starts[line - 1];
    if (start === undefined) return undefined;
    let end = this.#starts[line] ?? this.#source.length;
    if (line < this.lineCount) {
      end -=
        this.#source[end - 1] === lineFeed && end - 2 >= start && this.#source[end - 2] === carriageReturn
          ? 2
          : 1;
    }
    return this.#source.subarray(start, end);
  }

  /** Where an offset lies; one past the end is on the last line. */
  locate(offset: number): LineAndColumn {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] as number) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (this.#starts[low] as number) + 1 };
  }
}

function startsOfAllLines(source: Uint8Array): number[] {
  const starts = [0];
  for (let i = 0; i < source.length; i++) {
    const byte = source[i];
    if (byte === lineFeed || (byte === carriageReturn && source[i + 1] !== lineFeed)) starts.push(i + 1);
  }
  return starts;
}

/** The same for a source without carriage returns, which is searched several times as fast. */
function startsAfterLineFeeds(source: Uint8Array): number[] {
  const starts = [0];
  for (let at = source.indexOf(lineFeed); at >= 0; at = source.indexOf(lineFeed, at + 1)) starts.push(at + 1);
  return starts;
}
