/**
 * The token that comes with a request: `Authorization: Bearer <token>`, or `Basic` with the token as the password of any user,
 * which is how programs send it that know netrc files only. A user without a password is taken for the token.
 */
import { BytesError, decodeBase64, decodeUtf8 } from '@neve/bytes';

/** `undefined` for none. What cannot be a token is given as it is: it has a wrong signature like any other. */
export function presentedToken(authorization: string | undefined): string | undefined {
  const [, scheme, value] = /^([A-Za-z]+) +(\S+) *$/.exec(authorization ?? '') ?? [];
  if (scheme === undefined || value === undefined) return authorization === undefined ? undefined : '';
  if (scheme.toLowerCase() === 'bearer') return value;
  return scheme.toLowerCase() === 'basic' ? (passwordOf(value) ?? '') : '';
}

function passwordOf(encoded: string): string | undefined {
  try {
    const text = decodeUtf8(decodeBase64(encoded));
    const colon = text.indexOf(':');
    const password = colon < 0 ? '' : text.slice(colon + 1);
    return password === '' ? text.slice(0, colon < 0 ? text.length : colon) : password;
  } catch (error) {
    if (error instanceof BytesError || error instanceof TypeError) return undefined;
    throw error;
  }
}
