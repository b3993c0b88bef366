/**
 * Names of caches, which stand in URLs and host names, and the patterns by which tokens name several of them.
 *
 *     name      a lower-case letter or digit, then up to 62 of those, `-` and `_`
 *     pattern   the same with `*`, which stands for any number of characters
 *
 * What begins with `_` is no name, so that the server has paths of its own.
 */
import { NarBridgeError } from '../nar-bridge-error.ts';

const namePattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const globPattern = /^[a-z0-9*][a-z0-9_*-]{0,62}$/;

export function isCacheName(text: string): boolean {
  return namePattern.test(text);
}

/** Throws `NarBridgeError` (`bad-option`). */
export function checkCacheName(text: string): string {
  if (isCacheName(text)) return text;
  const rule =
    'a name has 1 to 63 lower-case letters, digits, `-` and `_`, and begins with a letter or digit';
  throw new NarBridgeError('bad-option', `'${text}' cannot be the name of a cache: ${rule}`);
}

/** Throws `NarBridgeError` (`bad-option`). */
export function checkCacheGlob(text: string): string {
  if (globPattern.test(text)) return text;
  throw new NarBridgeError(
    'bad-option',
    `'${text}' is no pattern of cache names; write a name, or one with '*'`,
  );
}

/** In time proportional to the product of the lengths, at worst. */
export function matchesGlob(glob: string, name: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return glob === name;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last))
    return false;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= name.length - last.length;
}
