/**
 * JSON as Nix reads and writes it, for formats whose bytes matter. Differences to `JSON` of the language: integers are
 * `bigint` as long as 64 bits hold them and numbers with a fraction or an exponent stay so when they are printed (`1.0`,
 * `1e+20`); objects are maps, printed in bytewise order of their keys; of equal keys the last one counts; text is UTF-8
 * and printed as it is, only control characters, quotes and backslashes are escaped.
 */
import { compareBytes, decodeUtf8, encodeUtf8, equalBytes } from '@neve/bytes';
import { NixCompatError } from './nix-compat-error.ts';

export type JsonValue =
  | null
  | boolean
  /** With a fraction or an exponent, or too large for 64 bits. */
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | JsonObject;

export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Throws `NixCompatError` (`bad-json`). */
export function parseJson(bytes: Uint8Array): JsonValue {
  const text = decodeUtf8(bytes);
  // What is not UTF-8 was replaced, so that it is another text when it is encoded again.
  if (text.includes('\uFFFD') && !equalBytes(encodeUtf8(text), bytes)) throw bad(0, 'it is not UTF-8');
  return new JsonReader(text).read();
}

/** Without white space. */
export function printJson(value: JsonValue): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return printFloat(value);
  if (typeof value === 'string') return printText(value);
  if (isJsonObject(value)) {
    return `{${sortedKeys(value)
      .map((key) => `${printText(key)}:${printJson(value.get(key) ?? null)}`)
      .join(',')}}`;
  }
  return `[${value.map(printJson).join(',')}]`;
}

export function isJsonObject(value: JsonValue): value is JsonObject {
  return value instanceof Map;
}

/** In bytewise order of their UTF-8. */
export function sortedKeys(object: JsonObject): string[] {
  const keys = [...object.keys()];
  if (keys.every((it) => /^[\0-\x7f]*$/.test(it))) return keys.sort();
  return keys.sort((a, b) => compareBytes(encodeUtf8(a), encodeUtf8(b)));
}

/** The name of a value's type in messages. */
export function jsonTypeName(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint' || typeof value === 'number') return 'number';
  if (typeof value === 'boolean' || typeof value === 'string') return typeof value;
  return isJsonObject(value) ? 'object' : 'array';
}

function printText(text: string): string {
  return `"${text.replace(/["\\\0-\x1f]/g, (it) => shortEscapes[it] ?? unicodeEscape(it))}"`;
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The shortest digits that give the number again: plain from 1e-4 up to 1e15, else with an exponent of two digits. */
function printFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [, sign = '', first = '', rest = '', exponentText = '0'] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential()) ?? [];
  const digits = first + rest;
  // The decimal point stands after so many digits.
  const point = Number(exponentText) + 1;
  if (digits.length <= point && point <= 15) return `${sign}${digits.padEnd(point, '0')}.0`;
  if (point > 0 && point <= 15) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  if (point > -4 && point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  const exponent = point - 1;
  const shown = `${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return `${sign}${first}${rest === '' ? '' : `.${rest}`}e${shown}`;
}

const maxDepth = 1000;
const numberPattern = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const plainPattern = /[^"\\\0-\x1f]*/y;
const escapePattern = /\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))/y;
const spacePattern = /[ \t\n\r]*/y;

const escapedCharacters: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonValue {
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#problem('something follows the value');
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth > maxDepth) throw this.#problem('it is nested too deeply');
    this.#skipSpace();
    switch (this.#text.charAt(this.#at)) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonObject {
    const object = new Map<string, JsonValue>();
    this.#items('}', () => {
      this.#skipSpace();
      if (this.#text.charAt(this.#at) !== '"') throw this.#problem('a key is expected');
      const key = this.#string();
      this.#skipSpace();
      if (this.#text.charAt(this.#at++) !== ':') throw this.#problem("':' is expected", this.#at - 1);
      object.set(key, this.#value(depth + 1));
    });
    return object;
  }

  #array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.#items(']', () => items.push(this.#value(depth + 1)));
    return items;
  }

  #items(close: string, readItem: () => void): void {
    this.#at++;
    this.#skipSpace();
    if (this.#text.charAt(this.#at) === close) {
      this.#at++;
      return;
    }
    while (true) {
      readItem();
      this.#skipSpace();
      const character = this.#text.charAt(this.#at);
      if (character !== close && character !== ',') throw this.#problem(`',' or '${close}' is expected`);
      this.#at++;
      if (character === close) return;
    }
  }

  #string(): string {
    this.#at++;
    let result = '';
    while (true) {
      result += this.#match(plainPattern)?.[0] ?? '';
      if (this.#text.charAt(this.#at) === '"') break;
      const start = this.#at;
      const [, letter, code] = this.#match(escapePattern) ?? [];
      if (letter !== undefined) result += escapedCharacters[letter] ?? letter;
      else if (code !== undefined) result += String.fromCharCode(Number.parseInt(code, 16));
      else throw this.#problem('a string is not ended or has a wrong escape', start);
    }
    this.#at++;
    if (/\p{Surrogate}/u.test(result)) throw this.#problem('a surrogate stands alone');
    return result;
  }

  #number(): number | bigint {
    const match = this.#match(numberPattern);
    if (match === null) throw this.#problem('a value is expected');
    const [text, fraction, exponent] = match;
    if (fraction !== undefined || exponent !== undefined) return this.#finite(Number(text));
    const integer = BigInt(text);
    const is64Bit = integer === BigInt.asIntN(64, integer) || integer === BigInt.asUintN(64, integer);
    return is64Bit ? integer : this.#finite(Number(text));
  }

  #finite(value: number): number {
    if (Number.isFinite(value)) return value;
    throw this.#problem('a number is too large');
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#problem('a value is expected');
    this.#at += word.length;
    return value;
  }

  #skipSpace(): void {
    this.#match(spacePattern);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #problem(problem: string, at = this.#at): NixCompatError {
    return bad(at, problem);
  }
}

function bad(at: number, problem: string): NixCompatError {
  return new NixCompatError('bad-json', `not JSON: ${problem} (at character ${at})`);
}
