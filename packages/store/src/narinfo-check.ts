/**
 * What a narinfo must be before anything is downloaded for it: an answer to what was asked, and trusted. It is trusted
 * when it has a signature by a trusted key, or when its path follows from its content address, in a way that the contents
 * can be compared with (`provesContents`): then whoever downloads compares them.
 */
import { NixCompatError, fingerprintPathInfo, parseNarInfo, verifyFingerprint } from '@neve/nix-compat';
import type { Ed25519, NarInfo, PublicKey, Signature, StoreDirectory } from '@neve/nix-compat';
import { followsFromContentAddress, provesContents } from './content-address-match.ts';
import { StoreError } from './store-error.ts';

export type NarInfoRules = {
  readonly store: StoreDirectory;
  readonly ed25519: Ed25519;
  readonly keys: readonly PublicKey[];
  /** Nobody has to vouch for it. */
  readonly acceptUnsigned: boolean;
};

export type NarInfoSource = {
  readonly hashPart: string;
  /** The name of the cache, for messages. */
  readonly cache: string;
};

/**
 * Reads and checks a narinfo; of its signatures those remain that are not known to be wrong. Throws `StoreError`:
 * `corrupt` for one that is malformed, of another path, or whose content address gives another path; `untrusted`.
 */
export function checkNarInfo(text: string, { hashPart, cache }: NarInfoSource, rules: NarInfoRules): NarInfo {
  return checkReadNarInfo(readNarInfo(text, { hashPart, cache }, rules.store), { hashPart, cache }, rules);
}

/** The same of one that came in another form than a text. */
export function checkReadNarInfo(
  narInfo: NarInfo,
  { hashPart, cache }: NarInfoSource,
  rules: NarInfoRules,
): NarInfo {
  const { storePath, contentAddress } = narInfo;
  if (storePath.hashPart !== hashPart) {
    const problem = `the narinfo for '${hashPart}' is that of '${storePath.baseName}'`;
    throw new StoreError('corrupt', `${cache}: ${problem}; tell whoever runs the cache`);
  }
  if (contentAddress !== undefined && !followsFromContentAddress(narInfo, rules.store)) {
    const problem = `the path '${storePath.baseName}' does not follow from its content address`;
    throw new StoreError('corrupt', `${cache}: ${problem}; tell whoever runs the cache`);
  }
  const { signatures, hasTrusted } = checkSignatures(narInfo, rules);
  if (!hasTrusted && !rules.acceptUnsigned && !provesContents(narInfo)) throw untrusted(narInfo, cache);
  return { ...narInfo, signatures };
}

function readNarInfo(text: string, { hashPart, cache }: NarInfoSource, store: StoreDirectory): NarInfo {
  try {
    return parseNarInfo(text, store);
  } catch (cause) {
    if (!(cause instanceof NixCompatError)) throw cause;
    const message = `${cache}: ${hashPart}.narinfo: ${cause.message}; tell whoever runs the cache`;
    throw new StoreError('corrupt', message, { cause });
  }
}

type CheckedSignatures = { readonly signatures: readonly Signature[]; readonly hasTrusted: boolean };

function checkSignatures(narInfo: NarInfo, { store, ed25519, keys }: NarInfoRules): CheckedSignatures {
  const fingerprint = fingerprintPathInfo(store, narInfo);
  const byKey = new Map<string, Signature>();
  let hasTrusted = false;
  for (const signature of narInfo.signatures) {
    const candidates = keys.filter(({ name }) => name === signature.keyName);
    const isRight = verifyFingerprint(fingerprint, { signature, keys: candidates }, ed25519);
    hasTrusted ||= isRight;
    const isWrong = candidates.length > 0 && !isRight;
    if (!isWrong && !byKey.has(signature.keyName)) byKey.set(signature.keyName, signature);
  }
  return { signatures: [...byKey.values()], hasTrusted };
}

function untrusted({ storePath, signatures }: NarInfo, cache: string): StoreError {
  const names = [...new Set(signatures.map(({ keyName }) => `'${keyName}'`))].join(', ');
  const problem = names === '' ? 'it is not signed' : `its signatures are by ${names}`;
  return new StoreError(
    'untrusted',
    `${cache}: '${storePath.baseName}' has no valid signature by a trusted key: ${problem}. ` +
      'Add the public key of the cache to the trusted ones if you trust it',
  );
}
