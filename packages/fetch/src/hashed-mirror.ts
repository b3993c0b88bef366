/**
 * Where a file is on mirrors that name files by their hash, `<mirror>/<algorithm>/<hexadecimal>`. They are asked before the
 * file's own URLs.
 */
import type { Digest } from '@neve/bytes';

/** The mirrors' URLs, then `urls`. */
export function withHashedMirrors(
  urls: readonly string[],
  { mirrors, hash }: { readonly mirrors: readonly string[]; readonly hash: Digest | undefined },
): readonly string[] {
  if (hash === undefined) return urls;
  const end = `${hash.algorithm}/${hash.format('hex')}`;
  return [...mirrors.map((mirror) => `${mirror.replace(/\/*$/, '')}/${end}`), ...urls];
}
