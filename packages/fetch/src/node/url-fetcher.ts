/**
 * Fetches of files, archives and NARs by URL. Each is taken into castore in one pass over what comes, in bounded memory, while
 * it is hashed; nothing refers to it before the hash was compared.
 */
import type { Digest } from '@neve/bytes';
import { CastoreError } from '@neve/castore';
import { decompress } from '@neve/castore/node';
import { redactUrl } from '@neve/diagnostics';
import { NixCompatError } from '@neve/nix-compat';
import { ingestNar } from '@neve/store';
import type { ExecutableFetch, FileFetch, NarFetch, TarballFetch, UrlFetch } from '../fetch.ts';
import { FetchError } from '../fetch-error.ts';
import { withHashedMirrors } from '../hashed-mirror.ts';
import { downloadMismatch, inputMismatch } from '../hash-mismatch.ts';
import { type Body, type DownloadRequest, type Downloaded, type Ingested, download } from './download.ts';
import type { FetchCall, FetchContext } from './fetch-context.ts';
import { hashNar } from './nar-hash.ts';
import { storeFile } from './store-file.ts';
import { unpackArchive } from './unpack-archive.ts';

export type UrlKind = UrlFetch | ExecutableFetch | FileFetch | TarballFetch | NarFetch;

/** Throws `FetchError`, and the reason of the signal. */
export function fetchByUrl(fetch: UrlKind, context: FetchContext, call: FetchCall): Promise<Downloaded> {
  const { signal } = call;
  const ingestion = ingestionOf(fetch, { context, signal });
  const isUnpacked = fetch.kind === 'tarball' || fetch.kind === 'nar';
  return download(
    {
      method: fetch.kind,
      urls: urlsOf(fetch, context),
      expected: expectedOf(fetch),
      ingest: async (body, url) => {
        if (isUnpacked) call.tell({ kind: 'unpacking', url: redactUrl(url) });
        return refusing(url, () => ingestion(body, url));
      },
    },
    context,
    call,
  );
}

function urlsOf(fetch: UrlKind, { hashedMirrors: mirrors }: FetchContext): readonly string[] {
  return fetch.kind === 'url' ? withHashedMirrors(fetch.urls, { mirrors, hash: fetch.hash }) : fetch.urls;
}

function expectedOf(fetch: UrlKind): Digest | undefined {
  return fetch.kind === 'tarball' || fetch.kind === 'file' ? fetch.narHash : fetch.hash;
}

type Options = { readonly context: FetchContext; readonly signal: AbortSignal | undefined };

function ingestionOf(fetch: UrlKind, options: Options): DownloadRequest['ingest'] {
  switch (fetch.kind) {
    case 'url':
      return (body, url) => ingestFlat(body, { ...options, url, hash: fetch.hash });
    case 'executable':
      return (body, url) => ingestExecutable(body, { ...options, url, hash: fetch.hash });
    case 'file':
      return (body, url) => ingestFile(body, { ...options, url, hash: fetch.narHash });
    case 'tarball':
      return (body, url) => ingestTarball(body, { ...options, url, hash: fetch.narHash });
    case 'nar':
      return (body, url) => ingestNarFile(body, { ...options, url, hash: fetch.hash });
  }
}

type Ingestion<Hash> = Options & { readonly url: string; readonly hash: Hash };

async function ingestFlat(
  { body, size }: Body,
  { url, hash, ...options }: Ingestion<Digest | undefined>,
): Promise<Ingested> {
  return await storeFile(body, {
    ...options,
    size,
    executable: false,
    flatAlgorithm: hash?.algorithm ?? 'sha256',
    check: (got) => {
      if (hash !== undefined && !got.equals(hash)) throw downloadMismatch(url, hash, got);
    },
  });
}

async function ingestExecutable(
  { body, size }: Body,
  { url, hash, ...options }: Ingestion<Digest>,
): Promise<Ingested> {
  const { contents } = await storeFile(body, { ...options, ...asNar, size, executable: true });
  const { algorithm } = hash;
  const got =
    algorithm === 'sha256' ? contents.narHash : (await hashNar(contents.node, algorithm, options)).digest;
  if (!got.equals(hash)) throw downloadMismatch(url, hash, got);
  return { contents };
}

async function ingestFile(
  { body, size }: Body,
  { url, hash, ...options }: Ingestion<Digest | undefined>,
): Promise<Ingested> {
  const { contents } = await storeFile(body, { ...options, ...asNar, size, executable: false });
  if (hash !== undefined && !contents.narHash.equals(hash)) throw inputMismatch(url, hash, contents.narHash);
  return { contents };
}

/** The hash of the bytes as they are is of no interest. */
const asNar = { flatAlgorithm: 'sha256', check: (): void => undefined } as const;

async function ingestTarball(
  { body }: Body,
  { url, hash, ...options }: Ingestion<Digest | undefined>,
): Promise<Ingested> {
  const { node, lastModified } = await unpackArchive(body, options);
  const { digest: narHash, narSize } = await hashNar(node, 'sha256', options);
  if (hash !== undefined && !narHash.equals(hash)) throw downloadMismatch(url, hash, narHash);
  return { contents: { node, narHash, narSize }, lastModified };
}

async function ingestNarFile(
  { body }: Body,
  { url, hash, context, signal }: Ingestion<Digest>,
): Promise<Ingested> {
  const hasher = context.hashes.create(hash.algorithm);
  const watched = async function* (): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of decompress(body, 'auto')) {
      hasher.update(piece);
      yield piece;
    }
    // The root is stored only when the archive has ended well.
    const got = hasher.digest();
    if (!got.equals(hash)) throw downloadMismatch(url, hash, got);
  };
  return { contents: await ingestNar(watched(), context, signal) };
}

/** What comes from a stranger and is broken or hostile is a failure of the fetch; everything else goes through. */
async function refusing<T>(url: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const isRefused =
      cause instanceof NixCompatError ||
      (cause instanceof CastoreError &&
        ['invalid-archive', 'invalid-name', 'unsupported', 'limit-exceeded'].includes(cause.code));
    if (!isRefused) throw cause;
    throw new FetchError('corrupt', `what '${redactUrl(url)}' gave cannot be unpacked: ${cause.message}`, {
      cause,
    });
  }
}
