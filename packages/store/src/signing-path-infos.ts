/** Signs every path info that is put, by one or more keys, and puts it into another service. Reads are those of that one. */
import { fingerprintPathInfo, signFingerprint } from '@neve/nix-compat';
import type { Ed25519, SecretKey, StoreDirectory } from '@neve/nix-compat';
import { addSignatures } from './merge-signatures.ts';
import type { PathInfo } from './path-info.ts';
import type { PathInfoService } from './path-info-service.ts';

export type Signer = {
  readonly keys: readonly SecretKey[];
  /** Signatures are over absolute paths. */
  readonly store: StoreDirectory;
  readonly ed25519: Ed25519;
};

/** The same path info with a signature by each key; earlier ones by keys of these names are replaced. */
export function signPathInfo(pathInfo: PathInfo, { keys, store, ed25519 }: Signer): PathInfo {
  const fingerprint = fingerprintPathInfo(store, pathInfo);
  const made = keys.map((key) => signFingerprint(fingerprint, key, ed25519));
  return { ...pathInfo, signatures: addSignatures(made, pathInfo.signatures) };
}

/** Disposing of it leaves `inner` open. */
export function signingPathInfos(inner: PathInfoService, signer: Signer): PathInfoService {
  const putAll = inner.putAll?.bind(inner);
  return {
    get: (hashPart, signal) => inner.get(hashPart, signal),
    has: (hashPart, signal) => inner.has(hashPart, signal),
    put: async (pathInfo, signal) => inner.put(signPathInfo(pathInfo, signer), signal),
    ...(putAll !== undefined && {
      putAll: (pathInfos: readonly PathInfo[], signal?: AbortSignal) =>
        putAll(
          pathInfos.map((it) => signPathInfo(it, signer)),
          signal,
        ),
    }),
    list: (signal) => inner.list(signal),
    ...(inner.narCalculation === undefined ? {} : { narCalculation: inner.narCalculation }),
    ...(inner.inventory === undefined ? {} : { inventory: inner.inventory }),
    [Symbol.asyncDispose]: async () => {},
  };
}
