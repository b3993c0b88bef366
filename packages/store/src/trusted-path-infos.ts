/**
 * Path infos that somebody trusted vouches for: with a valid signature by one of some keys, or content-addressed, so that
 * the path itself says what the contents must be. Everything else is refused with the code `untrusted`, when it is read
 * and when it is put; `has` and `list` know only what is trusted.
 */
import { fingerprintPathInfo, verifyFingerprint } from '@neve/nix-compat';
import type { Ed25519, PublicKey, StoreDirectory } from '@neve/nix-compat';
import { matchesContentAddress } from './content-address-match.ts';
import type { ContentAddressContext } from './content-address-match.ts';
import type { PathInfo } from './path-info.ts';
import type { PathInfoService } from './path-info-service.ts';
import { StoreError } from './store-error.ts';

export type Trust = {
  readonly keys: readonly PublicKey[];
  readonly store: StoreDirectory;
  readonly ed25519: Ed25519;
  /** How the contents of content-addressed paths are looked at. Without it only their NAR hash can stand for them. */
  readonly contents?: ContentAddressContext;
};

/** Whether one of the signatures is right by one of the keys. */
export function hasTrustedSignature(pathInfo: PathInfo, { keys, store, ed25519 }: Trust): boolean {
  if (pathInfo.signatures.length === 0 || keys.length === 0 || pathInfo.narSize === 0) return false;
  const fingerprint = fingerprintPathInfo(store, pathInfo);
  return pathInfo.signatures.some((signature) =>
    verifyFingerprint(fingerprint, { signature, keys }, ed25519),
  );
}

/** Disposing of it leaves `inner` open. */
export function trustedPathInfos(inner: PathInfoService, trust: Trust): PathInfoService {
  const isTrusted = async (pathInfo: PathInfo, signal?: AbortSignal): Promise<boolean> =>
    hasTrustedSignature(pathInfo, trust) || matchesContentAddress(pathInfo, trust, signal);
  const check = async (pathInfo: PathInfo, signal?: AbortSignal): Promise<PathInfo> => {
    if (await isTrusted(pathInfo, signal)) return pathInfo;
    throw new StoreError('untrusted', describe(pathInfo));
  };
  return {
    async get(hashPart, signal) {
      const pathInfo = await inner.get(hashPart, signal);
      return pathInfo === undefined ? undefined : check(pathInfo, signal);
    },
    async has(hashPart, signal) {
      const pathInfo = await inner.get(hashPart, signal);
      return pathInfo !== undefined && isTrusted(pathInfo, signal);
    },
    put: async (pathInfo, signal) => inner.put(await check(pathInfo, signal), signal),
    async *list(signal) {
      for await (const pathInfo of inner.list(signal)) {
        if (await isTrusted(pathInfo, signal)) yield pathInfo;
      }
    },
    ...(inner.narCalculation === undefined ? {} : { narCalculation: inner.narCalculation }),
    ...(inner.inventory === undefined ? {} : { inventory: inner.inventory }),
    [Symbol.asyncDispose]: async () => {},
  };
}

function describe({ storePath, signatures }: PathInfo): string {
  const names = signatures.map(({ keyName }) => `'${keyName}'`).join(', ');
  return `${storePath.baseName} has no valid signature by a trusted key: ${
    names === '' ? 'it is not signed' : `its signatures are by ${names}`
  }. Add the public key of who made it to the trusted ones, or take it from elsewhere`;
}
