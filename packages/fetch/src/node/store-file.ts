/** A single file into castore in one pass, hashed as it is and as a NAR on the way. */
import type { Digest, HashAlgorithm } from '@neve/bytes';
import type { Node } from '@neve/castore';
import { FileNar } from '../file-nar.ts';
import type { KnownContents } from './fetch-cache.ts';
import type { FetchContext } from './fetch-context.ts';
import { hashNar } from './nar-hash.ts';

export type StoreFileOptions = {
  readonly context: FetchContext;
  readonly signal: AbortSignal | undefined;
  /** In bytes, where the server says it. */
  readonly size: number | undefined;
  readonly executable: boolean;
  /** Of the bytes as they are. */
  readonly flatAlgorithm: HashAlgorithm;
  /** Throws when the file is not the one that was expected; it is not stored then. */
  readonly check: (flat: Digest) => void;
};

export type StoredFile = { readonly contents: KnownContents; readonly flat: Digest };

export async function storeFile(
  body: AsyncIterable<Uint8Array>,
  { context, signal, size: announced, executable, flatAlgorithm, check }: StoreFileOptions,
): Promise<StoredFile> {
  const { hashes } = context;
  await using writer = await context.blobs.create(signal);
  const hasher = hashes.create(flatAlgorithm);
  const nar =
    announced === undefined
      ? undefined
      : new FileNar({ hashes, algorithm: 'sha256', size: announced, executable });
  let size = 0;
  for await (const piece of body) {
    hasher.update(piece);
    nar?.update(piece);
    size += piece.length;
    await writer.write(piece);
  }
  const flat = hasher.digest();
  check(flat);
  const node: Node = { kind: 'file', digest: await writer.close(), size, executable };
  const { digest: narHash, narSize } = nar?.finish() ?? (await hashNar(node, 'sha256', { context, signal }));
  return { contents: { node, narHash, narSize }, flat };
}
