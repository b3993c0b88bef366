/** Path infos as daemons send and take them. */
import type { UnkeyedValidPathInfo, ValidPathInfo } from '../path-info.ts';
import { record, since } from '../wire/compound-codecs.ts';
import { bool, size } from '../wire/primitive-codecs.ts';
import {
  narHash,
  optionalContentAddress,
  optionalStorePath,
  signatures,
  storePath,
  storePaths,
} from '../wire/store-codecs.ts';
import { type WireCodec, reading } from '../wire/wire-codec.ts';

/** The NAR hash is required here. */
const requiredNarHash: WireCodec<UnkeyedValidPathInfo['narHash']> = {
  read: (from, context) => narHash.read(from, context),
  write(to, digest, context) {
    if (digest === undefined) throw new Error('a daemon is told no object without its NAR hash');
    narHash.write(to, digest, context);
  },
};

export const unkeyedValidPathInfo: WireCodec<UnkeyedValidPathInfo> = record<UnkeyedValidPathInfo>({
  deriver: optionalStorePath,
  narHash: requiredNarHash,
  references: storePaths,
  registrationTime: size,
  narSize: size,
  ultimate: since(16, bool, false),
  signatures: since(16, signatures, []),
  contentAddress: since(16, optionalContentAddress, undefined),
});

export const validPathInfo: WireCodec<ValidPathInfo> = {
  *read(from, context) {
    const path = yield* reading('path', storePath.read(from, context));
    return { path, ...(yield* unkeyedValidPathInfo.read(from, context)) };
  },
  write(to, info, context) {
    storePath.write(to, info.path, context);
    unkeyedValidPathInfo.write(to, info, context);
  },
};

/** The same in `addMultipleToStore` and in the serve protocol, where it does not depend on the version. */
export const addedPathInfo: WireCodec<ValidPathInfo> = {
  read: (from, context) => validPathInfo.read(from, { ...context, minor: 16 }),
  write: (to, info, context) => validPathInfo.write(to, info, { ...context, minor: 16 }),
};
