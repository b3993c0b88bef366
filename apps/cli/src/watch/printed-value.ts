/**
 * A value as it was printed, as a tree: sets and lists with what is in them, everything else as its text. It reads what
 * `printEvaluated` and `print` of `@neve/eval` write, and JSON, which differs in a few signs.
 */

export type PrintedValue =
  | { readonly kind: 'set'; readonly attributes: ReadonlyMap<string, PrintedValue> }
  | { readonly kind: 'list'; readonly items: readonly PrintedValue[] }
  | { readonly kind: 'atom'; readonly text: string };

/** Undefined when the text is something else, such as XML or raw text of several lines. */
export function parsePrinted(text: string): PrintedValue | undefined {
  const reader = new PrintedReader(text);
  const value = reader.value();
  return value !== undefined && reader.isAtEnd() ? value : undefined;
}

/** A string; `«…»`, which may have others inside; a sign of the syntax; or all up to the next space or sign. */
const tokenPattern =
  /\s*("(?:[^"\\]|\\.)*"|«(?:[^«»]|«[^»]*»)*»|[{}[\]=;:,]|(?:[^\s{}[\]=;,"«:]|:(?!\s))+)/sy;

class PrintedReader {
  readonly #tokens: string[] = [];
  #next = 0;
  #isWhole = true;

  constructor(text: string) {
    const pattern = new RegExp(tokenPattern);
    let end = 0;
    for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
      this.#tokens.push(found[1] ?? '');
      end = pattern.lastIndex;
    }
    this.#isWhole = text.slice(end).trim() === '';
  }

  isAtEnd(): boolean {
    return this.#isWhole && this.#next === this.#tokens.length;
  }

  value(): PrintedValue | undefined {
    const token = this.#take();
    if (token === '{') return this.#set();
    if (token === '[') return this.#list();
    return token === undefined || /^[}\]=;:,]$/.test(token) ? undefined : { kind: 'atom', text: token };
  }

  #set(): PrintedValue | undefined {
    const attributes = new Map<string, PrintedValue>();
    while (this.#peek() !== '}') {
      const name = this.#take();
      const sign = this.#take();
      const value = sign === '=' || sign === ':' ? this.value() : undefined;
      if (name === undefined || value === undefined) return undefined;
      attributes.set(name, value);
      const end = this.#peek();
      if (end === ';' || end === ',') this.#take();
      else if (end !== '}') return undefined;
    }
    this.#take();
    return { kind: 'set', attributes };
  }

  #list(): PrintedValue | undefined {
    const items: PrintedValue[] = [];
    while (this.#peek() !== ']') {
      const item = this.value();
      if (item === undefined) return undefined;
      items.push(item);
      if (this.#peek() === ',') this.#take();
    }
    this.#take();
    return { kind: 'list', items };
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next];
  }

  #take(): string | undefined {
    return this.#tokens[this.#next++];
  }
}
