/** Something has another hash than was expected, in Nix's words. */
import type { Digest } from '@neve/bytes';
import { redactUrl } from '@neve/diagnostics';
import { FetchError } from './fetch-error.ts';

/** Of a file, or of the tree in an archive. */
export function downloadMismatch(url: string, specified: Digest, got: Digest): FetchError {
  const shown = (digest: Digest): string => `${digest.algorithm}:${digest.format('nix32')}`;
  return new FetchError(
    'hash-mismatch',
    `hash mismatch in file downloaded from '${redactUrl(url)}':\n  specified: ${shown(specified)}\n  got:       ${shown(got)}`,
    { specified: specified.format('sri'), got: got.format('sri') },
  );
}

/** Of an input; `input` is its URL or its path. */
export function inputMismatch(input: string, specified: Digest, got: Digest): FetchError {
  const texts = { specified: specified.format('sri'), got: got.format('sri') };
  return new FetchError(
    'hash-mismatch',
    `NAR hash mismatch in input '${redactUrl(input)}', expected '${texts.specified}' but got '${texts.got}'`,
    texts,
  );
}
