/**
 * The URL that a server recommends to keep, since what it names never changes (the lockable tarballs of Nix):
 *
 *     Link: <https://host/x/0123.tar.gz>; rel="immutable"
 */

/** `undefined` when there is none. `base` is what answered. */
export function parseImmutableLink(header: string | undefined, base: string): string | undefined {
  for (const [, target = '', parameters = ''] of (header ?? '').matchAll(/<([^>]*)>((?:\s*;[^,<]*)*)/g)) {
    const isImmutable = /;\s*rel\s*=\s*(?:"(?:[^"]*\s)?immutable(?:\s[^"]*)?"|immutable\s*(?:;|$))/i.test(
      parameters,
    );
    if (isImmutable && URL.canParse(target, base)) return new URL(target, base).href;
  }
  return undefined;
}
