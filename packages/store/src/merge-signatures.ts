/**
 * What a path info keeps of an earlier one with the same hash part: signatures that say the same of it. A signature is
 * over path, NAR and references; when none of these differ it holds for the new one too. There is one signature for each
 * key, and the new one counts.
 */
import type { Signature } from '@neve/nix-compat';
import { storePathSet } from '@neve/nix-compat';
import type { PathInfo } from './path-info.ts';

export function mergeSignatures(earlier: PathInfo | undefined, next: PathInfo): PathInfo {
  if (earlier === undefined || !haveSameFingerprint(earlier, next)) return next;
  return { ...next, signatures: addSignatures(next.signatures, earlier.signatures) };
}

/** All of `signatures`, and of `more` those by other keys. */
export function addSignatures(
  signatures: readonly Signature[],
  more: readonly Signature[],
): readonly Signature[] {
  const known = new Set(signatures.map(({ keyName }) => keyName));
  return [...signatures, ...more.filter(({ keyName }) => !known.has(keyName))];
}

function haveSameFingerprint(a: PathInfo, b: PathInfo): boolean {
  return (
    a.storePath.baseName === b.storePath.baseName &&
    a.narSize === b.narSize &&
    a.narHash.equals(b.narHash) &&
    printReferences(a) === printReferences(b)
  );
}

function printReferences({ references }: PathInfo): string {
  return storePathSet(references)
    .map(({ baseName }) => baseName)
    .join(' ');
}
