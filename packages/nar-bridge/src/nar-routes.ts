/**
 * NARs, under three names:
 *
 *     nar/snix-castore/<node>?narsize=<bytes>     rendered; the name says which node
 *     nar/<nixbase32 SHA-256 of the NAR>.nar      rendered, of what this cache has told of
 *     nar/<nixbase32 SHA-256 of a file>.nar.<ext> a file that was compressed before, or that somebody has put
 *
 * What such a name stands for never changes. All but what is compressed while it is sent can be had in ranges.
 */
import { Digest, decodeNixBase32 } from '@neve/bytes';
import type { BlobService, DirectoryService, FileNode, Node } from '@neve/castore';
import { type Compression, compressionExtensions } from '@neve/nix-compat';
import {
  SeekableNar,
  StoreError,
  infusedName,
  narSize,
  nodeOfInfusedName,
  renderNarPieces,
  renderNar,
} from '@neve/store';
import type { CacheRoute, RouteAnswer } from './cache-route.ts';
import type { CompressedNar, CompressedNars } from './compressed-nars.ts';
import { rangedResponse } from './conditional.ts';
import type { CacheRequest, CacheResponse, ResponseBody } from './http-exchange.ts';
import type { KnownNars } from './known-nars.ts';
import { notFound, textResponse } from './text-response.ts';

export const narType = 'application/x-nix-nar';

const narHeaders = { 'content-type': narType, 'cache-control': 'public, max-age=31536000, immutable' };

export type NarOptions = {
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  /** The file that a blob is, if it is one: large ones are sent from there. */
  readonly fileOf?: ((digest: FileNode['digest']) => Promise<string | undefined>) | undefined;
  readonly known: KnownNars;
  readonly compressedNars: CompressedNars | undefined;
  /** Only nodes that `known` knows are given; else all that castore has. */
  readonly onlyKnown: boolean;
  /** Says that the NAR of this node was asked for. */
  readonly onRendered: (node: Node) => void;
  /** A file that was put, by its hash; compressed again while it is sent. */
  readonly uploadedFile?: UploadedFile | undefined;
};

export type UploadedFile = (name: NarFileName, request: CacheRequest) => Promise<CacheResponse | undefined>;

/** `hash` is nixbase32. `extension` is one of `compressionExtensions`. */
export type NarFileName = { readonly hash: string; readonly extension: string };

const pattern = /^([0-9a-df-np-sv-z]{52})\.nar((?:\.[0-9A-Za-z]+)?)$/;

export function parseNarFileName(name: string): NarFileName | undefined {
  const [, hash, extension] = pattern.exec(name) ?? [];
  return hash === undefined || extension === undefined ? undefined : { hash, extension };
}

/** The digest of 52 characters of nixbase32; nothing for one with bits too many. */
export function sha256OfNix32(text: string): Digest | undefined {
  try {
    return new Digest('sha256', decodeNixBase32(text));
  } catch {
    return undefined;
  }
}

export function infusedNarRoute(options: NarOptions): CacheRoute {
  return {
    matches: (path) => path.length === 3 && path[0] === 'nar' && path[1] === 'snix-castore',
    async get(request, [, , name = '']) {
      const node = nodeOfInfusedName(name);
      const given = request.query.get('narsize');
      if (given === null || !/^[0-9]{1,16}$/.test(given)) {
        return textResponse(400, "the URL of such a NAR ends with '?narsize=' and its size in bytes");
      }
      if (node === undefined || !(await isOwn(node, options))) return notFound('this NAR');
      const size = await sizeOfNar(node, options, request.signal);
      if (size === undefined) return notFound('this NAR');
      if (size !== Number(given)) return textResponse(400, `this NAR has ${size} bytes, not ${given}`);
      return renderedNar({ node, size, name }, options, request);
    },
  };
}

export function narFileRoute(options: NarOptions, put?: RouteAnswer): CacheRoute {
  return {
    matches: (path) => path.length === 2 && path[0] === 'nar' && pattern.test(path[1] ?? ''),
    async get(request, [, name = '']) {
      const file = parseNarFileName(name);
      const response = file === undefined ? undefined : await findNarFile(file, options, request);
      return response ?? notFound(`nar/${name}`);
    },
    put,
  };
}

async function findNarFile(
  file: NarFileName,
  options: NarOptions,
  request: CacheRequest,
): Promise<CacheResponse | undefined> {
  const digest = sha256OfNix32(file.hash);
  if (digest === undefined) return undefined;
  if (file.extension === '') {
    const node = await options.known.nodeOf(digest);
    const size = node === undefined ? undefined : await sizeOfNar(node, options, request.signal);
    if (node !== undefined && size !== undefined) {
      return renderedNar({ node, size, name: infusedName(node) }, options, request);
    }
  }
  const compressed = await options.compressedNars?.open(file.hash, request.signal);
  if (compressed !== undefined && hasExtension(compressed.compression, file.extension)) {
    return compressedFile(compressed, request);
  }
  return options.uploadedFile?.(file, request);
}

/** Nix gives files of some compressions no extension of their own. */
export function hasExtension(compression: Compression, extension: string): boolean {
  return extension === compressionExtensions[compression] || extension === '';
}

function compressedFile({ file, fileHash, fileSize }: CompressedNar, request: CacheRequest): CacheResponse {
  return rangedResponse(request, {
    size: fileSize,
    etag: `"${fileHash.format('nix32')}"`,
    headers: narHeaders,
    body: ({ start, end } = { start: 0, end: fileSize }) => ({ file, start, end }),
  });
}

type RenderedNar = { readonly node: Node; readonly size: number; readonly name: string };

function renderedNar(
  { node, size, name }: RenderedNar,
  options: NarOptions,
  request: CacheRequest,
): CacheResponse {
  return rangedResponse(request, {
    size,
    // The name of a long symbolic link is too long for a header.
    etag: `"${name.slice(0, 128)}${name.length > 128 ? `-${size}` : ''}"`,
    headers: narHeaders,
    body(range): ResponseBody {
      if (range !== undefined) return rangeOfNar(node, options, { ...range, signal: request.signal });
      options.onRendered(node);
      return options.fileOf === undefined
        ? renderNar(node, options, request.signal)
        : { pieces: renderNarPieces(node, options, request.signal) };
    },
  });
}

type SignalledRange = { readonly start: number; readonly end: number; readonly signal: AbortSignal };

async function* rangeOfNar(
  node: Node,
  options: NarOptions,
  { start, end, signal }: SignalledRange,
): AsyncGenerator<Uint8Array, void, void> {
  const nar = await SeekableNar.open(node, options, signal);
  yield* nar.stream({ start, end }, signal);
}

async function isOwn(node: Node, { known, onlyKnown }: NarOptions): Promise<boolean> {
  // The NAR of a link is in its name.
  return !onlyKnown || node.kind === 'symlink' || (await known.sizeOf(node)) !== undefined;
}

/** In bytes; `undefined` when the node is not here. */
async function sizeOfNar(
  node: Node,
  { known, blobs, directories }: NarOptions,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (!(await hasRoot(node, { blobs, directories }, signal))) return undefined;
  const size = await known.sizeOf(node);
  if (size !== undefined) return size;
  try {
    return await narSize(node, directories, signal);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** What is below a root is there as long as the root is: parents go first when garbage is collected. */
export async function hasRoot(
  node: Node,
  { blobs, directories }: Pick<NarOptions, 'blobs' | 'directories'>,
  signal: AbortSignal,
): Promise<boolean> {
  if (node.kind === 'symlink') return true;
  if (node.kind === 'file') return blobs.has(node.digest, signal);
  return (await directories.get(node.digest, signal)) !== undefined;
}
