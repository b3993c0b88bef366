/**
 * The attributes that describe an input, as `fetchTree` takes them and lock files keep them: names with texts, numbers that
 * are not negative, and Booleans. Messages are those of Nix.
 */
import { BytesError, Digest, parseDigest } from '@neve/bytes';
import type { HashAlgorithm } from '@neve/bytes';
import { FetchError } from './fetch-error.ts';

export type InputAttributes = ReadonlyMap<string, string | bigint | boolean>;

/** `undefined` where it is not there. Throws `FetchError` (`invalid-fetch`), as all functions here. */
export function textAttribute(attributes: InputAttributes, name: string): string | undefined {
  const value = attributes.get(name);
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(`input attribute '${name}' is not a string ${printAttributes(attributes)}`);
}

export function requiredText(attributes: InputAttributes, name: string): string {
  const value = textAttribute(attributes, name);
  if (value === undefined) throw invalid(`input attribute '${name}' is missing`);
  return value;
}

export function numberAttribute(attributes: InputAttributes, name: string): bigint | undefined {
  const value = attributes.get(name);
  if (value === undefined || typeof value === 'bigint') return value;
  throw invalid(`input attribute '${name}' is not an integer`);
}

/** False where it is not there. */
export function booleanAttribute(attributes: InputAttributes, name: string): boolean {
  const value = attributes.get(name) ?? false;
  if (typeof value === 'boolean') return value;
  throw invalid(`input attribute '${name}' is not a Boolean`);
}

/** `narHash`; an empty text is the digest of zeroes. */
export function narHashAttribute(attributes: InputAttributes): Digest | undefined {
  const text = textAttribute(attributes, 'narHash');
  if (text === undefined) return undefined;
  if (text === '') return new Digest('sha256', new Uint8Array(32));
  const digest = parseSri(text);
  if (digest.algorithm !== 'sha256') throw invalid('narHash must use SHA-256');
  return digest;
}

/** `rev` in hexadecimal: a SHA-1, or a SHA-256 where the text says so. */
export function revisionAttribute(attributes: InputAttributes): string | undefined {
  const text = textAttribute(attributes, 'rev');
  if (text === undefined) return undefined;
  const isNamed = /^(sha1|sha256)[:-]/.test(text);
  return parseHash(isNamed ? text : text.toLowerCase(), isNamed ? undefined : 'sha1').format('hex');
}

/** The attributes as JSON, names in order, as Nix shows them in messages. */
export function printAttributes(attributes: InputAttributes): string {
  const members = [...attributes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, value]) =>
        `${JSON.stringify(name)}:${typeof value === 'string' ? JSON.stringify(value) : value}`,
    );
  return `{${members.join(',')}}`;
}

/** A hash in any form; `algorithm` is what it has to be. */
export function parseHash(text: string, algorithm: HashAlgorithm | undefined): Digest {
  const named = /^(md5|sha1|sha256|sha512|blake3)[:-]/.exec(text)?.[1];
  if (named !== undefined && algorithm !== undefined && named !== algorithm) {
    throw invalid(`hash '${text}' should have type '${algorithm}'`);
  }
  try {
    return parseDigest(text, algorithm);
  } catch (cause) {
    if (!(cause instanceof BytesError)) throw cause;
    const name = named ?? algorithm;
    const problem =
      name === undefined
        ? 'does not say its hash algorithm'
        : `has wrong length for hash algorithm '${name}'`;
    throw invalid(`hash '${text}' ${problem}`, cause);
  }
}

function parseSri(text: string): Digest {
  if (!/^[a-z0-9]+-/.test(text)) throw invalid(`hash '${text}' is not SRI`);
  // Old lock files have texts without the `=` at the end.
  const padded = text.padEnd(text.length + ((4 - ((text.length - text.indexOf('-') - 1) % 4)) % 4), '=');
  return parseHash(padded, undefined);
}

function invalid(message: string, cause?: unknown): FetchError {
  return new FetchError('invalid-fetch', message, cause === undefined ? {} : { cause });
}
