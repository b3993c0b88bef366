/** Path infos, options of builds and build results as `nix-store --serve` sends and takes them. */
import { type Digest } from '@neve/bytes';
import type { BuildResult, BuiltOutput } from '../build-result.ts';
import type { UnkeyedValidPathInfo } from '../path-info.ts';
import { buildStatus, builtOutputs, hashedBuiltOutputs } from '../wire/build-result-codec.ts';
import { changedIn, mapped, record, silence, since } from '../wire/compound-codecs.ts';
import { bool, size, text, uint32 } from '../wire/primitive-codecs.ts';
import {
  optionalContentAddress,
  optionalStorePath,
  readDigest,
  signatures,
  storePaths,
} from '../wire/store-codecs.ts';
import type { WireCodec } from '../wire/wire-codec.ts';

/** `sha256:<nixbase32>`, or nothing. */
const optionalNarHash: WireCodec<Digest | undefined> = mapped(text, {
  read: (printed) => (printed === '' ? undefined : readDigest(printed)),
  write: (digest: Digest | undefined) =>
    digest === undefined ? '' : `${digest.algorithm}:${digest.format('nix32')}`,
});

type Sent = Pick<
  UnkeyedValidPathInfo,
  'deriver' | 'references' | 'narSize' | 'narHash' | 'contentAddress' | 'signatures'
> & { readonly downloadSize: number };

const sent: WireCodec<Sent> = record<Sent>({
  deriver: optionalStorePath,
  references: storePaths,
  downloadSize: size,
  narSize: size,
  narHash: since(4, optionalNarHash, undefined),
  contentAddress: since(4, optionalContentAddress, undefined),
  signatures: since(4, signatures, []),
});

/** Registration time and trust are not said; nor before 2.4 the hash. */
export const servePathInfo: WireCodec<UnkeyedValidPathInfo> = mapped(sent, {
  read: ({ deriver, references, narSize, narHash, contentAddress, signatures: its }) => ({
    deriver,
    references,
    narSize,
    narHash,
    contentAddress,
    signatures: its,
    registrationTime: 0,
    ultimate: false,
  }),
  // How much there is to download nobody looks at.
  write: (info: UnkeyedValidPathInfo) => ({ ...info, downloadSize: info.narSize }),
});

export type ServeBuildOptions = {
  /** In seconds; 0 for no limit. */
  readonly maxSilentTime: number;
  readonly buildTimeout: number;
  /** In bytes; 0 for no limit. */
  readonly maxLogSize: number;
  readonly repeats: number;
  readonly enforceDeterminism: boolean;
  readonly keepFailed: boolean;
};

export const serveBuildOptions: WireCodec<ServeBuildOptions> = record<ServeBuildOptions>({
  maxSilentTime: uint32,
  buildTimeout: uint32,
  maxLogSize: since(2, size, 0),
  repeats: since(3, uint32, 0),
  enforceDeterminism: since(3, bool, false),
  keepFailed: since(7, bool, false),
});

export const serveBuildResult: WireCodec<BuildResult> = record<BuildResult>({
  status: buildStatus,
  errorMessage: text,
  timesBuilt: since(3, size, 0),
  isNonDeterministic: since(3, bool, false),
  startTime: since(3, size, 0),
  stopTime: since(3, size, 0),
  cpuUserMicroseconds: silence,
  cpuSystemMicroseconds: silence,
  builtOutputs: since<ReadonlyMap<string, BuiltOutput>>(
    6,
    changedIn(8, hashedBuiltOutputs, builtOutputs),
    new Map(),
  ),
});
