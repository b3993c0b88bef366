/**
 * `<hash part>.narinfo`: what the cache says of a path, with the signatures that it was given and those of the cache's own
 * keys. It names the compressed file of the NAR where there is one, and otherwise the NAR itself.
 */
import { type HashFunctions, encodeUtf8 } from '@neve/bytes';
import {
  type Ed25519,
  type NarInfo,
  type SecretKey,
  type StoreDirectory,
  printNarInfo,
} from '@neve/nix-compat';
import { type PathInfo, type PathInfoService, infusedNarUrl, signPathInfo } from '@neve/store';
import { compressionExtensions } from '@neve/nix-compat';
import type { CacheRoute, RouteAnswer } from './cache-route.ts';
import type { CompressedNar, CompressedNars } from './compressed-nars.ts';
import type { DebugInfos } from './debug-infos.ts';
import { type ContentEncoders, EncodedText } from './encoded-text.ts';
import type { KnownNars } from './known-nars.ts';
import type { NarInfoIndex } from './narinfo-index.ts';
import { notFound } from './text-response.ts';

export const narInfoType = 'text/x-nix-narinfo';

/** Signatures may be added, and a path may go. */
const narInfoHeaders = { 'content-type': narInfoType, 'cache-control': 'public, max-age=300' };

export type NarInfoOptions = {
  readonly pathInfos: PathInfoService;
  readonly index: NarInfoIndex;
  readonly known: KnownNars;
  readonly compressedNars: CompressedNars | undefined;
  readonly debugInfos: DebugInfos;
  readonly storeDirectory: StoreDirectory;
  readonly signingKeys: readonly SecretKey[];
  readonly ed25519: Ed25519;
  readonly hashes: HashFunctions;
  readonly encoders: ContentEncoders;
};

const pattern = /^([0-9a-df-np-sv-z]{32})\.narinfo$/;

/** The hash part in the path of a narinfo. */
export function narInfoHashPart(name: string): string | undefined {
  return pattern.exec(name)?.[1];
}

export function narInfoRoute(options: NarInfoOptions, put?: RouteAnswer): CacheRoute {
  return {
    matches: (path) => path.length === 1 && pattern.test(path[0] ?? ''),
    async get(request, [name = '']) {
      const hashPart = narInfoHashPart(name) ?? '';
      const text = options.index.get(hashPart) ?? (await readNarInfo(hashPart, options, request.signal));
      return text === undefined ? notFound(name) : text.respond(request);
    },
    put,
  };
}

async function readNarInfo(
  hashPart: string,
  options: NarInfoOptions,
  signal: AbortSignal,
): Promise<EncodedText | undefined> {
  const { changes } = options.index;
  const pathInfo = await options.pathInfos.get(hashPart, signal);
  if (pathInfo === undefined) return undefined;
  const compressed = await options.compressedNars?.find(pathInfo, signal);
  await options.known.record(pathInfo);
  await options.debugInfos.record(pathInfo, signal);
  const text = printNarInfo(narInfoOf(pathInfo, compressed, options), options.storeDirectory);
  const encoded = new EncodedText(encodeUtf8(text), { ...options, headers: narInfoHeaders });
  options.index.set(hashPart, encoded, changes);
  return encoded;
}

type Signing = Pick<NarInfoOptions, 'signingKeys' | 'storeDirectory' | 'ed25519'>;

/** What is said of a path whose NAR is rendered, or is in a file. */
export function narInfoOf(
  pathInfo: PathInfo,
  compressed: CompressedNar | undefined,
  { signingKeys: keys, storeDirectory: store, ed25519 }: Signing,
): NarInfo {
  const { storePath, references, narHash, narSize, deriver, contentAddress } = pathInfo;
  const { signatures } = keys.length === 0 ? pathInfo : signPathInfo(pathInfo, { keys, store, ed25519 });
  return {
    storePath,
    ...narFile(pathInfo, compressed),
    narHash,
    narSize,
    references,
    deriver,
    signatures,
    contentAddress,
  };
}

function narFile(
  { node, narHash, narSize }: PathInfo,
  compressed: CompressedNar | undefined,
): Pick<NarInfo, 'url' | 'compression' | 'fileHash' | 'fileSize'> {
  if (compressed === undefined) {
    const url = infusedNarUrl(node, narSize);
    return { url, compression: 'none', fileHash: narHash, fileSize: narSize };
  }
  const { fileHash, fileSize, compression } = compressed;
  const url = `nar/${fileHash.format('nix32')}.nar${compressionExtensions[compression]}`;
  return { url, compression, fileHash, fileSize };
}
