/**
 * What comes from a terminal, as keys: characters, control characters, and the sequences that xterm and its kin send. A paste
 * in brackets (mode 2004) is one key. What is not known is no key.
 */
import { StringDecoder } from 'node:string_decoder';

export type Key =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'paste'; readonly text: string }
  /** `ctrl-a`, `alt-f`, `up`, `ctrl-left`, `enter`, `tab`, `backspace`, `delete`, `home`, `end` … */
  | { readonly kind: 'name'; readonly name: string };

const pasteStart = '\x1b[200~';
const pasteEnd = '\x1b[201~';

export class KeyReader {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** The keys that are complete. */
  read(bytes: Uint8Array): readonly Key[] {
    this.#rest += this.#decoder.write(Buffer.from(bytes));
    const keys: Key[] = [];
    while (this.#rest !== '') {
      const taken = takeKey(this.#rest);
      if (taken === undefined) break;
      this.#rest = this.#rest.slice(taken.length);
      if (taken.key !== undefined) keys.push(taken.key);
    }
    return keys;
  }
}

type Taken = { readonly key: Key | undefined; readonly length: number };

/** `undefined` where more must come. */
function takeKey(text: string): Taken | undefined {
  if (text.startsWith(pasteStart)) return takePaste(text);
  if (text.startsWith('\x1b')) return takeSequence(text);
  const [character = ''] = text;
  const name = controlNames[character];
  if (name !== undefined) return { key: { kind: 'name', name }, length: 1 };
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) {
    return { key: { kind: 'name', name: `ctrl-${String.fromCharCode(code + 0x60)}` }, length: 1 };
  }
  // eslint-disable-next-line no-control-regex -- they end it
  const plain = /^[^\x00-\x1f\x7f-\x9f]+/u.exec(text)?.[0];
  return plain === undefined
    ? { key: undefined, length: character.length }
    : { key: { kind: 'text', text: plain }, length: plain.length };
}

function takePaste(text: string): Taken | undefined {
  const end = text.indexOf(pasteEnd);
  if (end === -1) return undefined;
  const pasted = text.slice(pasteStart.length, end).replace(/\r\n?/g, '\n');
  // eslint-disable-next-line no-control-regex -- they are taken away
  const clean = pasted.replaceAll('\t', '  ').replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, '');
  return { key: { kind: 'paste', text: clean }, length: end + pasteEnd.length };
}

function takeSequence(text: string): Taken | undefined {
  if (text.length === 1) return undefined;
  // eslint-disable-next-line no-control-regex -- the escape character begins it
  const csi = /^\x1b(?:\[([0-9;]*)([a-zA-Z~])|O([a-zA-Z]))/.exec(text);
  if (csi !== null) {
    const [all, numbers = '', letter = '', single = ''] = csi;
    const name = sequenceName(numbers, letter === '' ? single : letter);
    return { key: name === undefined ? undefined : { kind: 'name', name }, length: all.length };
  }
  // eslint-disable-next-line no-control-regex -- as above
  if (/^\x1b(\[[0-9;]*|O)$/.test(text)) return undefined;
  const second = String.fromCodePoint(text.codePointAt(1) ?? 0);
  const length = 1 + second.length;
  const name = second === '\r' || second === '\n' ? 'enter' : second === '\x7f' ? 'backspace' : second;
  return { key: { kind: 'name', name: `alt-${name}` }, length };
}

function sequenceName(numbers: string, letter: string): string | undefined {
  const [first = '', modifier = ''] = numbers.split(';');
  const name = letter === '~' ? tildeNames[first] : letterNames[letter];
  if (name === undefined) return undefined;
  return `${modifiers[modifier] ?? ''}${name}`;
}

const controlNames: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x1f': 'ctrl-_',
};

const letterNames: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
  Z: 'shift-tab',
};

const tildeNames: Readonly<Record<string, string>> = {
  1: 'home',
  3: 'delete',
  4: 'end',
  5: 'page-up',
  6: 'page-down',
  7: 'home',
  8: 'end',
};

const modifiers: Readonly<Record<string, string>> = { 2: 'shift-', 3: 'alt-', 5: 'ctrl-' };
