/**
 * netrc files: user names and passwords by host, as ftp, curl and Nix read them.
 *
 *     machine <host> [login <name>] [password <text>] [account <text>]
 *     default [login <name>] [password <text>]          for every host that no machine before it names
 *     macdef <name>                                     and all lines up to an empty one, which are passed over
 *
 * Tokens are separated by white space; one in double quotes may have some, with `\"`, `\\`, `\n`, `\r` and `\t` in it. A
 * token that begins with `#` where an entry or a key could stand makes the rest of its line a comment.
 */
import { HttpError } from './http-error.ts';

export type NetrcEntry = {
  /** In lower case; `undefined` for `default`. */
  readonly machine: string | undefined;
  readonly login: string | undefined;
  readonly password: string | undefined;
};

export type Credentials = { readonly user: string; readonly password: string };

/** The entries in their order. Throws `HttpError` (`bad-setting`), which shows no token but a line number. */
export function parseNetrc(text: string): readonly NetrcEntry[] {
  const reader = new TokenReader(text);
  const entries: { machine: string | undefined; login?: string; password?: string }[] = [];
  for (let token = reader.next(); token !== undefined; token = reader.next()) {
    const entry = entries.at(-1);
    if (token.startsWith('#')) reader.skipLine();
    else if (token === 'machine') entries.push({ machine: reader.value('machine').toLowerCase() });
    else if (token === 'default') entries.push({ machine: undefined });
    else if (token === 'macdef') reader.skipMacro();
    else if (entry === undefined) throw reader.error("the file does not begin with 'machine' or 'default'");
    else if (token === 'login') entry.login = reader.value('login');
    else if (token === 'password') entry.password = reader.value('password');
    else if (token === 'account') reader.value('account');
    else throw reader.error('there is an unknown keyword');
  }
  return entries.map(({ machine, login, password }) => ({ machine, login, password }));
}

/** Those of the first entry for the host; of `default` only when it is allowed. */
export function findCredentials(
  entries: readonly NetrcEntry[],
  { host, allowDefault }: { readonly host: string; readonly allowDefault: boolean },
): Credentials | undefined {
  const entry = entries.find(({ machine }) =>
    machine === undefined ? allowDefault : machine === host.toLowerCase(),
  );
  if (entry === undefined || (entry.login === undefined && entry.password === undefined)) return undefined;
  return { user: entry.login ?? '', password: entry.password ?? '' };
}

class TokenReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): string | undefined {
    const start = /\S/.exec(this.#text.slice(this.#at));
    if (start === null) return undefined;
    this.#at += start.index;
    return this.#text[this.#at] === '"' ? this.#quoted() : this.#plain();
  }

  value(key: string): string {
    const token = this.next();
    if (token === undefined) throw this.error(`nothing follows '${key}'`);
    return token;
  }

  skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#text.length : end + 1;
  }

  /** Up to an empty line or the end. */
  skipMacro(): void {
    const end = /\n[ \t\r]*\n/.exec(this.#text.slice(this.#at));
    this.#at = end === null ? this.#text.length : this.#at + end.index + end[0].length;
  }

  error(problem: string): HttpError {
    const line = this.#text.slice(0, this.#at).split('\n').length;
    return new HttpError('bad-setting', `the netrc file cannot be used: line ${line}: ${problem}`);
  }

  #plain(): string {
    const token = /^\S+/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    this.#at += token.length;
    return token;
  }

  #quoted(): string {
    const match = /^"((?:[^"\\\n]|\\.)*)"/.exec(this.#text.slice(this.#at));
    if (match === null) throw this.error('a quoted token does not end');
    this.#at += match[0].length;
    const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
    return (match[1] ?? '').replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
  }
}
