/**
 * Service URLs. They look like RFC 3986, and are read by hand, since the WHATWG rules treat unknown schemes by halves
 * (no percent-decoding, no default authority, `file:` special):
 *
 *     type["+"transport] ":" ["//" [user[":"password]"@"] host [":"port]] path ["?" query]
 *
 *     memory:   objectstore+s3://bucket/prefix?region=eu   grpc+unix:/run/neve.sock   cache:?near=&a&far=&b
 *
 * - The type is the scheme up to its first `+`; what follows is the *inner* URL, `s3://bucket/prefix?region=eu`.
 * - Host, path and query are percent-decoded, as UTF-8. The scheme is lowercased; nothing else is normalised.
 * - The query is a list of pairs in order. A `+` in it is a plus (keys of caches are base64), and `key=&name` followed by
 *   another pair or the end is a reference: the value is `&name`. Printed, it is `key=%26name`.
 * - There is no fragment: `#` must be written `%23`.
 * - What is shown to a user is `toString()`, without passwords; `text` is for who connects.
 */
import { redactUrl } from '@neve/diagnostics';
import { CompositionError } from './composition-error.ts';

export type ServiceUrlParts = {
  /** The whole scheme, in lower case: `objectstore+s3`. */
  readonly scheme: string;
  /** Whoever has only a token has it as `user`. */
  readonly credentials?: { readonly user: string; readonly password?: string };
  /** Without the brackets of an IPv6 address. Absent without `//`; empty in `file:///path`. */
  readonly host?: string;
  readonly port?: number;
  readonly path: string;
  readonly query: readonly (readonly [key: string, value: string])[];
};

export class ServiceUrl {
  readonly scheme: string;
  /** The scheme up to its first `+`. */
  readonly type: string;
  /** The scheme after its first `+`: `s3`, `unix`, `https`. */
  readonly transport: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly path: string;
  readonly query: readonly (readonly [key: string, value: string])[];
  // Private, so that no dump of an object shows them.
  readonly #credentials: ServiceUrlParts['credentials'];
  readonly #text: string;

  private constructor(parts: ServiceUrlParts, text: string) {
    const plus = parts.scheme.indexOf('+');
    this.scheme = parts.scheme;
    this.type = plus < 0 ? parts.scheme : parts.scheme.slice(0, plus);
    this.transport = plus < 0 ? undefined : parts.scheme.slice(plus + 1);
    this.host = parts.host;
    this.port = parts.port;
    this.path = parts.path;
    this.query = parts.query;
    this.#credentials = parts.credentials;
    this.#text = text;
  }

  /** Throws `CompositionError` with code `bad-url`; the message shows no password. */
  static parse(text: string): ServiceUrl {
    return new ServiceUrl(parseParts(text), text);
  }

  /** The text as it was written, passwords included. */
  get text(): string {
    return this.#text;
  }

  get credentials(): ServiceUrlParts['credentials'] {
    return this.#credentials;
  }

  /** `s3://bucket/prefix` of `objectstore+s3://bucket/prefix`. */
  get inner(): ServiceUrl | undefined {
    return this.transport === undefined
      ? undefined
      : ServiceUrl.parse(this.#text.slice(this.type.length + 1));
  }

  withoutQuery(): ServiceUrl {
    return ServiceUrl.parse(this.#text.replace(/\?.*$/s, ''));
  }

  /** For people: passwords and what looks like one in the query are `***`. */
  toString(): string {
    return redactUrl(this.#text);
  }

  toJSON(): string {
    return this.toString();
  }
}

/** The text of a URL from its parts, which may hold any characters. Throws `bad-url` if no text has these parts. */
export function formatServiceUrl(parts: ServiceUrlParts): string {
  const { scheme, host, port, path } = parts;
  if (!schemePattern.test(`${scheme}:`)) throw badUrl(`${JSON.stringify(scheme)} is no scheme`);
  if (host === undefined && (port !== undefined || parts.credentials !== undefined)) {
    throw badUrl('a port or a user needs a host');
  }
  if (host !== undefined && path !== '' && !path.startsWith('/')) {
    throw badUrl('after a host, a path starts with "/"');
  }
  const query = parts.query.map(([key, value]) => `${encodePiece(key)}=${encodePiece(value)}`).join('&');
  const printedPath = encodePath(path);
  return [
    `${scheme}:`,
    host === undefined ? '' : `//${formatCredentials(parts.credentials)}${formatHost(host)}`,
    port === undefined ? '' : `:${port}`,
    // Without a host, a leading `//` would make the first segment one.
    host === undefined && printedPath.startsWith('//') ? `/%2F${printedPath.slice(2)}` : printedPath,
    query === '' ? '' : `?${query}`,
  ].join('');
}

const schemePattern = /^([a-z][a-z0-9.-]*(?:\+[a-z][a-z0-9.-]*)*):/i;
const addressPattern = /^[0-9a-f:.]*:[0-9a-f:.]*$/i;
const forbiddenInHost = /[:/?#@[\]\s]/;

function parseParts(text: string): ServiceUrlParts {
  if (/[\u0000-\u001f\u007f]/.test(text)) throw badUrl('it contains a control character');
  const scheme = schemePattern.exec(text)?.[1];
  if (scheme === undefined) throw badUrl('it does not start with a scheme, as "memory:" does');
  if (text.includes('#')) throw badUrl('"#" must be written "%23"');
  const question = text.indexOf('?');
  const end = question < 0 ? text.length : question;
  const hierarchy = text.slice(scheme.length + 1, end);
  const query = question < 0 ? [] : parseQuery(text.slice(question + 1));
  if (!hierarchy.startsWith('//')) {
    return { scheme: scheme.toLowerCase(), path: decode(hierarchy), query };
  }
  const slash = hierarchy.indexOf('/', 2);
  const authority = hierarchy.slice(2, slash < 0 ? undefined : slash);
  return {
    scheme: scheme.toLowerCase(),
    ...parseAuthority(authority),
    path: slash < 0 ? '' : decode(hierarchy.slice(slash)),
    query,
  };
}

function parseAuthority(authority: string): Pick<ServiceUrlParts, 'credentials' | 'host' | 'port'> {
  const at = authority.lastIndexOf('@');
  const match = /^(?:\[([^[\]]*)\]|([^[\]:]*))(?::([0-9]*))?$/.exec(authority.slice(at + 1));
  // The piece is not shown: with an unescaped "/" in a password, it may be a part of that.
  if (match === null) throw badUrl('its host and port cannot be read');
  const [, address, name = '', portText = ''] = match;
  const host = address ?? decode(name);
  if (address === undefined ? forbiddenInHost.test(host) : !addressPattern.test(host)) {
    throw badUrl('its host has a forbidden character');
  }
  const port = portText === '' ? undefined : Number(portText);
  if (port !== undefined && port > 65_535) throw badUrl('its port is above 65535');
  return {
    host,
    ...(port === undefined ? {} : { port }),
    ...(at < 0 ? {} : { credentials: parseCredentials(authority.slice(0, at)) }),
  };
}

function parseCredentials(text: string): { user: string; password?: string } {
  const colon = text.indexOf(':');
  if (colon < 0) return { user: decode(text) };
  return { user: decode(text.slice(0, colon)), password: decode(text.slice(colon + 1)) };
}

function parseQuery(text: string): (readonly [string, string])[] {
  const pieces = text.split('&');
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0; i < pieces.length; i += 1) {
    const piece = pieces[i] ?? '';
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    const next = pieces[i + 1] ?? '';
    if (equals === piece.length - 1 && next !== '' && !next.includes('=')) {
      pairs.push([decode(piece.slice(0, equals)), decode(`&${next}`)]);
      i += 1;
    } else if (equals < 0) {
      pairs.push([decode(piece), '']);
    } else {
      pairs.push([decode(piece.slice(0, equals)), decode(piece.slice(equals + 1))]);
    }
  }
  return pairs;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl('after a "%" must come two hexadecimal digits, and the decoded bytes must be UTF-8');
  }
}

function formatCredentials(credentials: ServiceUrlParts['credentials']): string {
  if (credentials === undefined) return '';
  const { user, password } = credentials;
  return `${encodeURIComponent(user)}${password === undefined ? '' : `:${encodeURIComponent(password)}`}@`;
}

function formatHost(host: string): string {
  if (addressPattern.test(host)) return `[${host}]`;
  if (forbiddenInHost.test(host)) throw badUrl('its host has a forbidden character');
  return encodeURIComponent(host);
}

function encodePath(path: string): string {
  return encodeURI(path).replace(/[?#]/g, encodeURIComponent);
}

/** In a query, `/` and `,` need no escape. */
function encodePiece(text: string): string {
  return encodeURIComponent(text).replace(/%2[FC]/g, decodeURIComponent);
}

function badUrl(message: string): CompositionError {
  return new CompositionError({ code: 'bad-url', path: '', message: `not a service URL: ${message}` });
}
