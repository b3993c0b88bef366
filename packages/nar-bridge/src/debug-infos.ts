/**
 * `debuginfo/<build id>`: where the debug information of a program is, as Nix writes it with `index-debug-info`:
 *
 *     { "archive": "../<URL of the NAR>", "member": "lib/debug/.build-id/<2 digits>/<38 digits>.debug" }
 *
 * A path is looked through when it is put, or first asked for; what is found is a document `debuginfo/<build id>` with the hash
 * part of the path. Whatever a client puts here is so found anyway.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import {
  CastoreError,
  type Directory,
  type DirectoryService,
  type Node,
  descend,
  parsePath,
} from '@neve/castore';
import type { NarInfo } from '@neve/nix-compat';
import type { PathInfo, PathInfoService } from '@neve/store';
import type { CacheDocuments } from './cache-documents.ts';
import type { CacheRoute, RouteAnswer } from './cache-route.ts';
import { RecentMap } from './recent-map.ts';
import { bytesResponse, notFound } from './text-response.ts';

export type DebugInfoOptions = {
  readonly documents: CacheDocuments;
  readonly directories: DirectoryService;
  readonly pathInfos: PathInfoService;
  /** What the cache says of a path. */
  readonly narInfo: (pathInfo: PathInfo, signal: AbortSignal) => Promise<NarInfo>;
};

const folder = parsePath('lib/debug/.build-id');
const pattern = /^([0-9a-f]{40})(?:\.debug)?$/;

/** How many paths are known to have been looked through. */
const maxSeen = 100_000;

export class DebugInfos {
  readonly #options: DebugInfoOptions;
  readonly #seen = new RecentMap<true>({ maxCost: maxSeen });

  constructor(options: DebugInfoOptions) {
    this.#options = options;
  }

  /** Notes what debug information a path has. */
  async record({ storePath: { hashPart }, node }: PathInfo, signal: AbortSignal): Promise<void> {
    if (this.#seen.get(hashPart) !== undefined) return;
    const { documents } = this.#options;
    const found = new Map<string, Uint8Array>();
    for (const buildId of await this.#buildIds(node, signal)) {
      const name = `debuginfo/${buildId}`;
      if ((await documents.get(name)) === undefined) found.set(name, encodeUtf8(hashPart));
    }
    if (found.size > 0) await documents.put(found);
    this.#seen.set(hashPart, true);
  }

  route(put: RouteAnswer | undefined): CacheRoute {
    return {
      matches: (path) => path.length === 2 && path[0] === 'debuginfo' && pattern.test(path[1] ?? ''),
      get: async ({ signal }, [, name = '']) => {
        const text = await this.#find(pattern.exec(name)?.[1] ?? '', signal);
        if (text === undefined) return notFound(`debuginfo/${name}`);
        const headers = { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' };
        return bytesResponse(encodeUtf8(text), { headers });
      },
      put,
    };
  }

  async #find(buildId: string, signal: AbortSignal): Promise<string | undefined> {
    const { documents, pathInfos, directories, narInfo } = this.#options;
    const document = await documents.get(`debuginfo/${buildId}`);
    const pathInfo = document === undefined ? undefined : await pathInfos.get(decodeUtf8(document), signal);
    if (pathInfo === undefined) return undefined;
    const member = `lib/debug/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`;
    // The path may have come again with other contents.
    const node = await descend(directories, pathInfo.node, parsePath(member), signal);
    if (node?.kind !== 'file') return undefined;
    const { url } = await narInfo(pathInfo, signal);
    return JSON.stringify({ archive: `../${url}`, member });
  }

  async #buildIds(root: Node, signal: AbortSignal): Promise<readonly string[]> {
    const node = await this.#enter(root, signal);
    const ids: string[] = [];
    for (const { name, node: inner } of (await this.#open(node, signal))?.entries ?? []) {
      if (!/^[0-9a-f]{2}$/.test(name.toString())) continue;
      for (const file of (await this.#open(inner, signal))?.entries ?? []) {
        const rest = /^([0-9a-f]{38})\.debug$/.exec(file.name.toString())?.[1];
        if (rest !== undefined && file.node.kind === 'file') ids.push(`${name.toString()}${rest}`);
      }
    }
    return ids;
  }

  /** What is missing from the castore has no debug information to be found. */
  async #enter(root: Node, signal: AbortSignal): Promise<Node | undefined> {
    try {
      return await descend(this.#options.directories, root, folder, signal);
    } catch (error) {
      if (error instanceof CastoreError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  async #open(node: Node | undefined, signal: AbortSignal): Promise<Directory | undefined> {
    return node?.kind === 'directory' ? this.#options.directories.get(node.digest, signal) : undefined;
  }
}
