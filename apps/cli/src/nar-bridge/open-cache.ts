/** The cache that a command line asks for: a store, and beside it what a cache remembers. */
import { join } from 'node:path';
import { parseDigest } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { compress, decompress } from '@neve/castore/node';
import {
  type BinaryCacheOptions,
  type CacheEvent,
  type KnownTraces,
  NarInfoIndex,
  type RequestHandler,
  type UploadOptions,
  binaryCache,
} from '@neve/nar-bridge';
import {
  CompressedNarFolder,
  lmdbCacheDocuments,
  lmdbUploadedNars,
  nodeContentEncoders,
} from '@neve/nar-bridge/node';
import { type PublicKey, parsePublicKey, printPublicKey, publicKeyOf } from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import type { Realisations } from '@neve/realise';
import { lmdbRealisations } from '@neve/realise/node';
import { lmdbNarTable } from '@neve/store/node';
import type { Arguments } from '../parse-words.ts';
import { isBlobFiles } from '../store/blob-files.ts';
import { openStore, storeDirectory } from '../store/open-store.ts';
import { readSecretKey } from '../store/read-secret-key.ts';
import { takeRollingLease } from '../store/rolling-lease.ts';
import { openState } from '../store/store-state.ts';
import { UsageError } from '../usage-error.ts';
import { buildLogFiles } from './build-log-files.ts';
import type { NarBridgeOptionName } from './nar-bridge-options.ts';
import { numberOf } from './number-option.ts';

export type OpenCache = AsyncDisposable & {
  readonly handler: RequestHandler;
  readonly publicKeys: readonly string[];
  /** Throws when the store does not answer. */
  readonly checkReady: (signal: AbortSignal) => Promise<void>;
};

export type CacheObservers = {
  readonly onEvent: (event: CacheEvent) => void;
  readonly onProblem: (error: unknown) => void;
  /** Whether somebody waits for an answer: what is made in advance makes way. */
  readonly isBusy: () => boolean;
};

/** Throws `UsageError`, and what the services throw. */
export async function openCache(
  args: Arguments<NarBridgeOptionName>,
  observers: CacheObservers,
): Promise<OpenCache> {
  const parts: AsyncDisposable[] = [];
  const close = async (): Promise<void> => {
    for (const part of parts.splice(0).toReversed()) await part[Symbol.asyncDispose]();
  };
  const keep: Keep = (part) => {
    parts.push(part);
    return part;
  };
  try {
    return { ...(await openParts(args, observers, keep)), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Keep = <T extends AsyncDisposable>(part: T) => T;

/** What was given to `keep` is closed by the caller, the last one first. */
async function openParts(
  args: Arguments<NarBridgeOptionName>,
  observers: CacheObservers,
  keep: Keep,
): Promise<Omit<OpenCache, typeof Symbol.asyncDispose>> {
  const store = keep(await openStore(args));
  const state = keep(await openState(args));
  // What is put, and what clients are about to take, stays when garbage is collected.
  keep(await takeRollingLease(state.leases));
  const path = state.databasePath;
  const nars = keep(await lmdbNarTable(path));
  const documents = keep(await lmdbCacheDocuments(path));
  const realisations = keep(await lmdbRealisations(path));
  const uploaded = keep(await lmdbUploadedNars(path));
  const narInfos = new NarInfoIndex();
  const compressedNars = await openCompressedNars(args, { store, narInfos, ...observers });
  if (compressedNars !== undefined) keep(compressedNars);
  const { blobs } = store;
  const signingKeys = args.all('signingKey').map(readSecretKey);
  const options: BinaryCacheOptions = {
    store,
    ...(isBlobFiles(blobs) && { fileOf: (digest) => blobs.filePath(digest, false) }),
    hashes: nodeHashes,
    ed25519: nodeEd25519,
    storeDirectory: storeDirectory(args),
    priority: numberOf(args, 'priority', process.env['PRIORITY']) ?? 39,
    signingKeys,
    narInfos,
    nars,
    documents,
    logs: buildLogFiles(join(state.folder, 'log')),
    knownTraces: tracesOf(realisations),
    encoders: nodeContentEncoders,
    ...(compressedNars !== undefined && { compressedNars }),
    ...(!args.has('readOnly') && { uploads: uploadOptions(args, uploaded) }),
    onEvent: observers.onEvent,
  };
  const handler = binaryCache(options);
  return {
    handler,
    publicKeys: signingKeys.map((key) => printPublicKey(publicKeyOf(key))),
    checkReady: async (signal) => {
      await store.pathInfos.has('0'.repeat(32), signal);
    },
  };
}

function uploadOptions(
  args: Arguments<NarBridgeOptionName>,
  uploaded: UploadOptions['uploaded'],
): UploadOptions {
  const trustedKeys = args.all('trustedKey').flatMap(parseKeys);
  const requireSignatures = args.has('requireSignatures');
  if (requireSignatures && trustedKeys.length === 0) {
    throw new UsageError('--require-signatures needs a --trusted-public-key');
  }
  const maxConcurrent = numberOf(args, 'maxUploads');
  return {
    uploaded,
    decompress,
    compress,
    trustedKeys,
    requireSignatures,
    ...(maxConcurrent !== undefined && { maxConcurrent }),
  };
}

/** As in Nix's setting of this name, there may be several with white space between them. */
function parseKeys(text: string): readonly PublicKey[] {
  return text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(parsePublicKey);
}

type Compressing = CacheObservers & {
  readonly store: BinaryCacheOptions['store'];
  readonly narInfos: NarInfoIndex;
};

async function openCompressedNars(
  args: Arguments<NarBridgeOptionName>,
  { store, narInfos, onProblem, isBusy }: Compressing,
): Promise<CompressedNarFolder | undefined> {
  const path = args.last('compressedFolder');
  if (path === undefined) return undefined;
  return CompressedNarFolder.open({
    path,
    store,
    hashes: nodeHashes,
    maxBytes: (numberOf(args, 'compressedSize') ?? 16) * 2 ** 30,
    isBusy,
    onEvent(event) {
      if (event.kind === 'failed') onProblem(event.error);
      else if (event.kind === 'made' && event.hashPart !== undefined) narInfos.forget(event.hashPart);
    },
  });
}

/** What was built on this machine. */
function tracesOf(realisations: Realisations): KnownTraces {
  return {
    async find(id) {
      const [hash = '', output = ''] = id.split('!');
      const realisation = await realisations.get({ derivationHash: parseDigest(hash), output });
      return realisation === undefined
        ? undefined
        : { outPath: realisation.path, signatures: realisation.signatures };
    },
  };
}
