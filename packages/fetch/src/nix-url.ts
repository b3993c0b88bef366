/**
 * URLs as Nix reads and prints them: RFC 3986, with a path and a query that are kept decoded.
 *
 *     url = scheme ":" ["//" authority] path ["?" query] ["#" fragment]
 *
 * What is parsed and printed again need not be the same text: characters are escaped where Nix escapes them, and the
 * query is in the order of its names. Nix puts such texts into lock files and messages, and so compares them.
 */
import { FetchError } from './fetch-error.ts';

export type NixUrl = {
  readonly scheme: string;
  /** Without `//`; the user and the host are decoded. `undefined` where the URL has no `//`. */
  readonly authority: UrlAuthority | undefined;
  /** What stands between the slashes, decoded. An absolute path begins with an empty text. */
  readonly path: readonly string[];
  readonly query: ReadonlyMap<string, string>;
  readonly fragment: string;
};

export type UrlAuthority = {
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: string | undefined;
};

/** Throws `FetchError` (`invalid-fetch`). */
export function parseNixUrl(text: string): NixUrl {
  const [, scheme, rest = ''] = /^([A-Za-z][A-Za-z0-9+.-]*):([^]*)$/.exec(text) ?? [];
  if (scheme === undefined) throw invalid(`'${text}' doesn't have a scheme`);
  const parts = /^(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#([^]*))?$/.exec(rest);
  const [, authorityText, pathText = '', queryText = '', fragmentText = ''] = parts ?? [];
  if (/%(?![0-9A-Fa-f]{2})/.test(rest)) throw invalid(`'${text}' is not a valid URL: mismatch`);
  for (const [part, allowed] of [
    [pathText, pathCharacters],
    [queryText, queryCharacters],
    [fragmentText, queryCharacters],
  ] as const) {
    if (!allowed.test(part)) throw invalid(`'${text}' is not a valid URL: leftover`);
  }
  const authority = authorityText === undefined ? undefined : parseAuthority(authorityText, text);
  const isFile = transportOf(scheme) === 'file';
  if (isFile && authority !== undefined && authority.host !== '') {
    throw invalid(`file:// URL '${text}' has unexpected authority '${printAuthority(authority)}'`);
  }
  const path = isFile && pathText === '' ? '/' : pathText;
  return {
    scheme,
    authority,
    path: path.split('/').map(decode),
    query: parseQuery(queryText),
    fragment: decode(fragmentText),
  };
}

export function printNixUrl({ scheme, authority, path, query, fragment }: NixUrl): string {
  const start = `${scheme}:${authority === undefined ? '' : `//${printAuthority(authority)}`}`;
  const pathText = path.map((part) => encode(part, ':@')).join('/');
  const queryText = [...query]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encode(name, ':@/?')}=${encode(value, ':@/?')}`)
    .join('&');
  const end = fragment === '' ? '' : `#${encode(fragment, '')}`;
  return `${start}${pathText}${queryText === '' ? '' : `?${queryText}`}${end}`;
}

/** `tarball+https` has the application `tarball` and the transport `https`. */
export function splitScheme(scheme: string): { readonly application?: string; readonly transport: string } {
  const plus = scheme.indexOf('+');
  if (plus === -1) return { transport: scheme };
  return { application: scheme.slice(0, plus), transport: scheme.slice(plus + 1) };
}

export function transportOf(scheme: string): string {
  return splitScheme(scheme).transport;
}

/** The path of a `file:` URL. It is relative where the URL's is. */
export function pathOfUrl({ path }: Pick<NixUrl, 'path'>): string {
  return path.join('/');
}

/** A URL of a file; `path` is taken as it is. */
export function fileUrl(path: string): NixUrl {
  const authority = { user: undefined, password: undefined, host: '', port: undefined };
  return {
    scheme: 'file',
    authority: path.startsWith('/') ? authority : undefined,
    path: path.split('/'),
    query: new Map(),
    fragment: '',
  };
}

const pathCharacters = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*$/;
const queryCharacters = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?[\]]|%[0-9A-Fa-f]{2})*$/;
const userCharacters = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;

function parseAuthority(text: string, url: string): UrlAuthority {
  const parts =
    /^(?:([^@:]*)(?::([^@]*))?@)?(?:\[([0-9A-Fa-f:.]+(?:%25[^\]]*)?)\]|([^:@[\]]*))(?::([0-9]*))?$/;
  const [all, user, password, address, name = '', port] = parts.exec(text) ?? [];
  const isValid =
    all !== undefined &&
    [user ?? '', (password ?? '').replaceAll(':', ''), name].every((it) => userCharacters.test(it));
  if (!isValid) throw invalid(`'${url}' is not a valid URL: mismatch`);
  if (port !== undefined && Number(port) > 0xffff) throw invalid(`port '${port}' is invalid`);
  return {
    user: user === undefined ? undefined : decode(user),
    password: password === undefined ? undefined : decode(password),
    host: decode(address ?? name),
    port: port === '' ? undefined : port,
  };
}

export function printAuthority({ user, password, host, port }: UrlAuthority): string {
  const secret = password === undefined ? '' : `:${encode(password, '')}`;
  const start = user === undefined ? '' : `${encode(user, '')}${secret}@`;
  const shown = host.includes(':') ? `[${encode(host, ':')}]` : encode(host, '');
  return `${start}${shown}${port === undefined ? '' : `:${port}`}`;
}

/** The first of several values counts; what has no `=` is passed over. */
function parseQuery(text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const parameter of text.split('&')) {
    const equals = parameter.indexOf('=');
    if (equals === -1) continue;
    const name = decode(parameter.slice(0, equals));
    if (!query.has(name)) query.set(name, decode(parameter.slice(equals + 1)));
  }
  return query;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw invalid(`'${text}' in a URL does not stand for UTF-8; write it without such escapes`, cause);
  }
}

/** All but letters, digits, `-._~` and those in `keep`. */
function encode(text: string, keep: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%(3A|40|2F|3F)/g, (escape) => {
      const character = decodeURIComponent(escape);
      return keep.includes(character) ? character : escape;
    });
}

function invalid(message: string, cause?: unknown): FetchError {
  return new FetchError('invalid-fetch', message, cause === undefined ? {} : { cause });
}
