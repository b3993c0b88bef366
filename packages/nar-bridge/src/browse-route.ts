/**
 * `serve/<hash part>/<path>`: the files of a store path for a browser. The base name of the path may stand in place of its hash
 * part. A directory is a page with its entries, and ends with a slash; a symbolic link is a redirection to what it leads to,
 * if that is in the store directory. Pages of a store path may run scripts, but know nothing of this cache's origin.
 */
import {
  type BlobReader,
  type BlobService,
  type DirectoryService,
  type Directory,
  type FileNode,
  type Node,
} from '@neve/castore';
import { PathComponent } from '@neve/castore';
import { encodeUtf8 } from '@neve/bytes';
import type { StoreDirectory } from '@neve/nix-compat';
import { type PathInfo, type PathInfoService, StoreError } from '@neve/store';
import type { CacheRoute } from './cache-route.ts';
import { rangedResponse } from './conditional.ts';
import { directoryPage } from './directory-page.ts';
import type { CacheRequest, CacheResponse } from './http-exchange.ts';
import { mediaType } from './media-type.ts';
import { type RequestPath, encodeSegment, segmentBytes } from './request-path.ts';
import { bytesResponse, notFound, textResponse } from './text-response.ts';

export type BrowseOptions = {
  readonly blobs: BlobService;
  readonly directories: DirectoryService;
  readonly pathInfos: PathInfoService;
  readonly storeDirectory: StoreDirectory;
};

const firstSegment = /^([0-9a-df-np-sv-z]{32})(?:-.+)?$/;

const safety = {
  'content-security-policy': 'sandbox allow-scripts allow-popups',
  'x-content-type-options': 'nosniff',
  'cache-control': 'public, max-age=300',
};

export function browseRoute(options: BrowseOptions): CacheRoute {
  return {
    matches: (path) => path.length >= 2 && path[0] === 'serve' && firstSegment.test(path[1] ?? ''),
    async get(request, path) {
      const [, name = '', ...rest] = path;
      const pathInfo = await options.pathInfos.get(firstSegment.exec(name)?.[1] ?? '', request.signal);
      const isOther = name.length > 32 && pathInfo?.storePath.baseName !== name;
      if (pathInfo === undefined || isOther) return notFound(name);
      return new Browsing(request, { path, pathInfo }, options).answer(rest);
    },
  };
}

type Place = { readonly path: RequestPath; readonly pathInfo: PathInfo };

class Browsing {
  readonly #request: CacheRequest;
  readonly #place: Place;
  readonly #options: BrowseOptions;

  constructor(request: CacheRequest, place: Place, options: BrowseOptions) {
    this.#request = request;
    this.#place = place;
    this.#options = options;
  }

  /** `names` are below the store path; the last one is empty for a directory. */
  async answer(names: readonly string[]): Promise<CacheResponse> {
    const wanted = names.filter((it) => it !== '');
    let node: Node | undefined = this.#place.pathInfo.node;
    for (const [index, name] of wanted.entries()) {
      if (node?.kind === 'symlink') return this.#redirect(node.target.bytes, wanted, index);
      if (node?.kind !== 'directory' || name.length > 255) return notFound('this file');
      const directory = await this.#open(node);
      node = directory?.get(new PathComponent(segmentBytes(name)));
    }
    if (node === undefined) return notFound('this file');
    if (node.kind === 'symlink') return this.#redirect(node.target.bytes, wanted, wanted.length);
    const hasSlash = names.at(-1) === '';
    if (node.kind === 'file') return hasSlash ? notFound('this directory') : this.#file(node, wanted.at(-1));
    if (!hasSlash) return redirection(`./${encodeName(this.#place.path.at(-1) ?? '')}/`);
    const directory = await this.#open(node);
    return directory === undefined ? notFound('this directory') : this.#page(directory, wanted);
  }

  #open(node: Node & { readonly kind: 'directory' }): Promise<Directory | undefined> {
    return this.#options.directories.get(node.digest, this.#request.signal);
  }

  #page(directory: Directory, names: readonly string[]): CacheResponse {
    const { storePath } = this.#place.pathInfo;
    const title = [
      storePath.baseName,
      ...names.map((it) => new PathComponent(segmentBytes(it)).toString()),
    ].join('/');
    const page = encodeUtf8(directoryPage(directory, { title, isRoot: names.length === 0 }));
    return bytesResponse(page, { headers: { ...safety, 'content-type': 'text/html; charset=utf-8' } });
  }

  async #file(node: FileNode, name = this.#place.pathInfo.storePath.name): Promise<CacheResponse> {
    const { signal } = this.#request;
    const reader = await this.#options.blobs.open(node.digest, signal);
    if (reader === undefined) return notFound('this file');
    const release = reader[Symbol.asyncDispose].bind(reader);
    try {
      const type = mediaType(name) ?? (await guessType(reader, signal));
      return rangedResponse(this.#request, {
        size: node.size,
        etag: `"${node.digest.hex}"`,
        headers: { ...safety, 'content-type': type },
        body: (range) => streamFile(node, { ...range, blobs: this.#options.blobs, signal }),
      });
    } finally {
      await release();
    }
  }

  /** Where the link that is met after `index` of the wanted names leads, with the names after it. */
  #redirect(target: Uint8Array, wanted: readonly string[], index: number): CacheResponse {
    const text = String.fromCharCode(...target);
    const { path: storeDir } = this.#options.storeDirectory;
    const own = this.#place.path[1] ?? '';
    const isAbsolute = text.startsWith('/');
    if (isAbsolute && !text.startsWith(`${storeDir}/`)) return leadsOut(text);
    // A link that is the store path itself lies in the store directory.
    const resolved = isAbsolute || index === 0 ? [] : [own, ...wanted.slice(0, index - 1)];
    const parts = [...(isAbsolute ? text.slice(storeDir.length) : text).split('/'), ...wanted.slice(index)];
    for (const part of parts) {
      if (part === '' || part === '.') continue;
      if (part !== '..') resolved.push(part);
      else if (resolved.pop() === undefined) return leadsOut(text);
    }
    if (!firstSegment.test(resolved[0] ?? '')) return leadsOut(text);
    const up = '../'.repeat(Math.max(0, this.#place.path.length - 2));
    return redirection(`${up === '' ? './' : up}${resolved.map(encodeName).join('/')}`);
  }
}

function encodeName(segment: string): string {
  return encodeSegment(segmentBytes(segment));
}

function redirection(location: string): CacheResponse {
  return textResponse(307, `this is at ${location}`, { location });
}

function leadsOut(target: string): CacheResponse {
  return textResponse(404, `this is a symbolic link to ${JSON.stringify(target)}, which is not in the store`);
}

type FileRange = {
  readonly start?: number;
  readonly end?: number;
  readonly blobs: BlobService;
  readonly signal: AbortSignal;
};

async function* streamFile(
  node: FileNode,
  { blobs, signal, ...range }: FileRange,
): AsyncGenerator<Uint8Array, void, void> {
  await using reader = await blobs.open(node.digest, signal);
  if (reader === undefined)
    throw new StoreError('not-found', `the blob ${node.digest.toString()} is not there`);
  yield* reader.stream(range, signal);
}

/** Text unless there is a NUL near the beginning. */
async function guessType(reader: BlobReader, signal: AbortSignal): Promise<string> {
  const head = await reader.read(0, 1024, signal);
  return head.includes(0) ? 'application/octet-stream' : 'text/plain; charset=utf-8';
}
