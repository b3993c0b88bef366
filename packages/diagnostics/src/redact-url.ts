/**
 * URLs as people may see them: passwords, and what a query calls a secret, are `***`; the rest of the text stays.
 *
 *     https://user:pw@host/?token=x     https://user:***@host/?token=***
 *     https://token@host/               https://***@host/             a user alone is taken for a token
 *     cache:?far=s3%3A//u:pw@bucket     cache:?far=s3%3A//u%3A***%40bucket
 *     s3://u:p/w@bucket?x=y             s3://***@bucket?***           it cannot be read: all that may be secret is hidden
 */

/** Whether the name of an option or of a query key says that its value is secret. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** A text that may be a URL of any scheme; unchanged if it is none. */
export function redactUrl(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return text;
  return redactParts(text) ?? text.replace(/\/\/.*@/s, '//***@').replace(/\?.*$/s, '?***');
}

/** A text with URLs in it. Libraries like to quote URLs with their passwords. */
export function redactUrlsIn(text: string): string {
  return text.replace(/[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, redactUrl);
}

const secretName =
  /secret|passw|token|credential|private|signature|^sig$|(^|[^a-z])(account|service|access|master|api)[_-]?key$/i;

/** `undefined` for what cannot be read as a URL. */
function redactParts(text: string): string | undefined {
  // A `#` may be one of a password that should have been escaped.
  if (/[#\u0000-\u001f\u007f]/.test(text)) return undefined;
  const question = text.indexOf('?');
  if (question < 0) return redactAuthority(text);
  const beginning = redactAuthority(text.slice(0, question));
  const query = redactQuery(text.slice(question + 1));
  return beginning === undefined || query === undefined ? undefined : `${beginning}?${query}`;
}

function redactAuthority(text: string): string | undefined {
  const [, scheme, authority = '', path = ''] = /^([^:]*:\/\/)([^/]*)(.*)$/.exec(text) ?? [];
  if (scheme === undefined) return text;
  const at = authority.lastIndexOf('@');
  // With an unescaped `/` in a password, this is a part of that.
  if (!/^(?:\[[^[\]]*\]|[^[\]:\s]*)(?::[0-9]*)?$/.test(authority.slice(at + 1))) return undefined;
  if (at < 0) return text;
  const [, user = ''] = /^([^:]*:)/.exec(authority.slice(0, at)) ?? [];
  return `${scheme}${user}***${authority.slice(at)}${path}`;
}

/** `key=&name` is one pair: a reference, as `ServiceUrl` has it. */
function redactQuery(query: string): string | undefined {
  try {
    return query.replace(/([^&=]*)=(&[^&=]+(?=&|$)|[^&]*)/g, (pair: string, key: string, value: string) => {
      if (isSecretName(decodeURIComponent(key))) return `${key}=***`;
      const decoded = decodeURIComponent(value);
      const shown = redactUrl(decoded);
      // In a query, `/` needs no escape.
      return shown === decoded ? pair : `${key}=${encodeURIComponent(shown).replaceAll('%2F', '/')}`;
    });
  } catch {
    // After a `%` must come two hexadecimal digits.
    return undefined;
  }
}
