/** The hash of the NAR of something that is stored, by any algorithm. */
import type { Digest, HashAlgorithm } from '@neve/bytes';
import type { Node } from '@neve/castore';
import { renderNar } from '@neve/store';
import type { FetchContext } from './fetch-context.ts';

export async function hashNar(
  node: Node,
  algorithm: HashAlgorithm,
  { context, signal }: { readonly context: FetchContext; readonly signal: AbortSignal | undefined },
): Promise<{ readonly digest: Digest; readonly narSize: number }> {
  const hasher = context.hashes.create(algorithm);
  let narSize = 0;
  for await (const piece of renderNar(node, context, signal)) {
    hasher.update(piece);
    narSize += piece.length;
  }
  return { digest: hasher.digest(), narSize };
}
