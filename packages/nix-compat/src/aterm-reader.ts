/**
 * Strings and lists of the text of a derivation (derivation-aterm.ts has the grammar). A string without escapes is a part of
 * the text's memory.
 */
import { decodeUtf8 } from '@neve/bytes';
import { NixCompatError } from './nix-compat-error.ts';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const closeBracket = 0x5d;

/** What a letter after a backslash stands for; every other byte stands for itself. */
const unescaped: ReadonlyMap<number, number> = new Map([
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

const errorPrefix = 'error parsing derivation';

/** Reads the text of a derivation from its beginning to its end. Methods throw `NixCompatError`, which says at what byte. */
export class ATermReader {
  readonly #bytes: Uint8Array;
  readonly #name: string;
  #at = 0;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  /** Reads up to the first list. */
  start(): void {
    if (this.#skip('Derive(')) return;
    if (!this.#skip('DrvWithVersion(')) {
      throw this.#problem("derivation does not start with 'Derive' or 'DrvWithVersion'");
    }
    const version = this.text();
    if (version !== 'xp-dyn-drv') {
      throw this.#problem(`Unknown derivation ATerm format version '${version}'`);
    }
    throw new NixCompatError(
      'unsupported-derivation',
      `derivation '${this.#name}' has the ATerm format version 'xp-dyn-drv': ` +
        'it needs outputs of derivations that are outputs themselves (dynamic derivations), which are not supported',
    );
  }

  end(): void {
    if (this.#at < this.#bytes.length) throw this.#problem('there is something after the derivation');
  }

  /** Runs `read`, and says where it was when that throws. */
  at<T>(read: () => T): T {
    const start = this.#at;
    try {
      return read();
    } catch (cause) {
      if (!(cause instanceof NixCompatError) || cause.message.startsWith(errorPrefix)) throw cause;
      this.#at = start;
      throw this.#problem(cause.message, { cause });
    }
  }

  expect(text: string): void {
    if (!this.#skip(text)) throw this.#problem(`expected string '${text}'`);
  }

  /** Items between brackets. */
  list<T>(item: () => T): T[] {
    this.expect('[');
    const items: T[] = [];
    if (this.#bytes[this.#at] === closeBracket) {
      this.#at++;
      return items;
    }
    while (true) {
      items.push(item());
      const byte = this.#bytes[this.#at];
      if (byte !== comma && byte !== closeBracket) throw this.#problem("expected string ',' or ']'");
      this.#at++;
      if (byte === closeBracket) return items;
    }
  }

  /** A string that is text. */
  text(): string {
    return decodeUtf8(this.string());
  }

  string(): Uint8Array {
    this.expect('"');
    const start = this.#at;
    let end = this.#bytes.indexOf(quote, start);
    const firstBackslash = this.#bytes.subarray(start, end === -1 ? undefined : end).indexOf(backslash);
    if (firstBackslash === -1) {
      if (end === -1) throw this.#problem('unterminated string in derivation');
      this.#at = end + 1;
      return this.#bytes.subarray(start, end);
    }
    end = this.#closingQuote(start + firstBackslash);
    this.#at = end + 1;
    return unescape(this.#bytes.subarray(start, end));
  }

  /** Where the string ends that has a backslash at `at`. */
  #closingQuote(at: number): number {
    for (let i = at; i < this.#bytes.length; i++) {
      const byte = this.#bytes[i];
      if (byte === quote) return i;
      if (byte === backslash) i++;
    }
    throw this.#problem('unterminated string in derivation');
  }

  #skip(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      if (this.#bytes[this.#at + i] !== text.charCodeAt(i)) return false;
    }
    this.#at += text.length;
    return true;
  }

  #problem(problem: string, options?: ErrorOptions): NixCompatError {
    return new NixCompatError(
      'bad-derivation',
      `${errorPrefix} '${this.#name}': ${problem} (at byte ${this.#at})`,
      options,
    );
  }
}

function unescape(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i] as number;
    if (byte === backslash) {
      byte = bytes[++i] as number;
      byte = unescaped.get(byte) ?? byte;
    }
    result[length++] = byte;
  }
  return result.subarray(0, length);
}
