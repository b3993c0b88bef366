/**
 * Fetches from git repositories, as Nix 2.34 does:
 *
 *     a work tree on this machine, no ref, no revision    the tracked files as they are on the disk, dirty or not
 *     a work tree on this machine otherwise               a commit, from its own objects
 *     everything else, bare repositories included         a commit, from a repository of the cache that it is fetched into
 *
 * A branch is fetched again when it was last longer than the time to live ago; if that fails, the one that is there is used
 * and a warning given. A revision that is there is never asked for. Submodules are fetched each on their own and put into
 * the tree.
 */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CastoreError, parsePath } from '@neve/castore';
import type { Node } from '@neve/castore';
import { ingestFiles, ingestGit, resolveRevision } from '@neve/castore/node';
import { redactUrl } from '@neve/diagnostics';
import type { GitFetch } from '../fetch.ts';
import { FetchError } from '../fetch-error.ts';
import { parseGitUrl } from '../git-url.ts';
import { graft } from '../graft.ts';
import { pathOfUrl, printNixUrl } from '../nix-url.ts';
import { type KnownContents, encodeContents, findContents } from './fetch-cache.ts';
import { type FetchCall, type FetchContext, type FetchedNode, isFresh } from './fetch-context.ts';
import { GitCacheRepository } from './git-cache-repository.ts';
import { withLfsContents } from './git-lfs.ts';
import { gitProtocols } from './git-program.ts';
import { type GitSubmodule, parseSubmodules, resolveSubmoduleUrl } from './git-submodule.ts';
import { readWorkTree } from './git-work-tree.ts';
import { hashNar } from './nar-hash.ts';

type GitRequest = Omit<GitFetch, 'kind' | 'name' | 'narHash'>;

/** Where the objects of a commit are, and what relative URLs in it go from. */
type Commit = {
  readonly repository: string;
  readonly revision: string;
  readonly ref: string;
  readonly base: string;
  /** As `git-entries.ts` has it: Nix finds them only in repositories with a work tree. */
  readonly folderPatterns: boolean;
};

/** Throws `FetchError`, `CastoreError`, and the reason of the signal. */
export function fetchGit(fetch: GitFetch, context: FetchContext, call: FetchCall): Promise<FetchedNode> {
  return new GitFetcher(context, call).fetch(fetch);
}

class GitFetcher {
  readonly #given: FetchContext & FetchCall;

  constructor(context: FetchContext, call: FetchCall) {
    this.#given = { ...context, ...call };
  }

  async fetch(request: GitRequest): Promise<FetchedNode> {
    const { path, url } = await this.#locate(request.url);
    if (path === undefined) return this.#fetchCommit(request, await this.#download(request, url), url);
    const isWorkTree = request.ref === undefined && request.revision === undefined;
    if (isWorkTree) return this.#fetchWorkTree(request, path);
    return this.#fetchCommit(request, await this.#findLocally(request, path), path);
  }

  /** A repository with a work tree has a path; everything else is fetched by its URL. */
  async #locate(address: string): Promise<{ readonly path?: string; readonly url: string }> {
    const url = parseGitUrl(address);
    if (!gitProtocols.includes(url.scheme)) {
      throw new FetchError(
        'invalid-fetch',
        `git repositories cannot be fetched from '${redactUrl(address)}': only by ${gitProtocols.join(', ')}`,
      );
    }
    if (url.scheme !== 'file') {
      const query = new Map([...url.query].filter(([name]) => name !== 'dir'));
      return { url: printNixUrl({ ...url, query }) };
    }
    const given = pathOfUrl(url);
    const path = resolve(given);
    if (await exists(join(path, '.git'))) {
      if (!given.startsWith('/')) this.#warn(relativePathWarning(printNixUrl(url)));
      return { path, url: address };
    }
    if (!(await exists(path))) {
      throw new FetchError('not-found', `Git repository "${path}" does not exist.`);
    }
    // What follows the path would be a part of the file name for git.
    return { url: printNixUrl({ ...url, query: new Map(), fragment: '' }) };
  }

  async #fetchWorkTree(request: GitRequest, path: string): Promise<FetchedNode> {
    const { git, allowDirty, blobs, directories, signal } = this.#given;
    const tree = await readWorkTree(git, path, { exportIgnore: request.exportIgnore, signal });
    let node = await ingestFiles(path, {
      blobs,
      directories,
      filter: (entry) => entry.length === 0 || tree.includes(entry),
      ...(signal === undefined ? {} : { signal }),
    });
    let { isDirty } = tree;
    for (const submodule of request.submodules ? tree.submodules : []) {
      const below = await this.fetch({
        ...plainRequest,
        url: join(path, submodule.path),
        exportIgnore: request.exportIgnore,
        submodules: true,
      });
      if (below.git?.revision === undefined) isDirty = true;
      node = await this.#graft(node, submodule, below.node);
    }
    if (isDirty) {
      const problem = `Git tree '${path}' is dirty`;
      if (!allowDirty) throw new FetchError('invalid-fetch', problem);
      this.#warn(problem);
    }
    const { headRevision, headRef } = tree;
    const commit = headRevision === undefined ? undefined : await this.#describe(path, headRevision, false);
    const isCounted = !isDirty && !request.shallow;
    return {
      node,
      source: path,
      lastModified: commit?.commitTimeSeconds ?? 0,
      git: {
        // A repository without commits has one of zeroes.
        revision: isDirty ? undefined : (headRevision ?? '0'.repeat(40)),
        dirtyRevision: isDirty ? headRevision : undefined,
        revisionCount: isCounted ? await this.#countCommits(path, headRevision) : undefined,
        ref: isDirty ? undefined : headRef,
      },
    };
  }

  /** Those that are here, of which a shallow clone has not all: as Nix has it for work trees, and only for them. */
  async #countCommits(path: string, revision: string | undefined): Promise<number> {
    if (revision === undefined) return 0;
    const { git, signal } = this.#given;
    const args = ['rev-list', '--count', revision];
    return Number((await git.output(args, { gitDir: join(path, '.git'), signal })).toString());
  }

  async #findLocally({ ref, revision }: GitRequest, path: string): Promise<Commit> {
    const { git, signal } = this.#given;
    const place = { gitDir: join(path, '.git'), signal };
    const head = ref ?? (await git.line(['symbolic-ref', '--quiet', 'HEAD'], place));
    if (head === undefined) this.#warn(headWarning(path));
    const chosen = head ?? 'master';
    const found = await this.#describe(path, revision ?? chosen, false);
    const base = await this.#origin(path);
    return { repository: path, revision: found.commit, ref: chosen, base, folderPatterns: true };
  }

  /** What relative URLs in a local repository go from: where it was cloned from, or itself. */
  async #origin(path: string): Promise<string> {
    const { git, signal } = this.#given;
    const place = { gitDir: join(path, '.git'), signal };
    const branch = await git.line(['symbolic-ref', '--quiet', '--short', 'HEAD'], place);
    const remote = branch && (await git.line(['config', '--get', `branch.${branch}.remote`], place));
    return (await git.line(['config', '--get', `remote.${remote || 'origin'}.url`], place)) ?? path;
  }

  async #download(request: GitRequest, url: string): Promise<Commit> {
    const { git, cache, cacheFolder, signal } = this.#given;
    const { revision, shallow } = request;
    const folder = join(cacheFolder, 'git');
    const objectFormat = revision?.length === 64 ? 'sha256' : 'sha1';
    await using _lock = await cache.lock(`git ${objectFormat} ${shallow} ${url}`, signal);
    const repository = await GitCacheRepository.open(git, { folder, url, shallow, objectFormat });
    const ref = request.ref ?? (await this.#remoteHead(repository, url));
    const commit = { repository: repository.path, ref, base: url, folderPatterns: false };
    if (revision === undefined) {
      return { ...commit, revision: await this.#fetchRef(repository, { ...request, ref }, url) };
    }
    if (!(await repository.has(revision, signal))) await this.#fetchRevision(repository, request, url);
    if (await repository.has(revision, signal)) return { ...commit, revision };
    throw new FetchError(
      'not-found',
      `Cannot find Git revision '${revision}' in ref '${ref}' of repository '${redactUrl(url)}'! Please make sure that the rev exists on the ref you've specified or add allRefs = true; to fetchGit.`,
    );
  }

  async #remoteHead(repository: GitCacheRepository, url: string): Promise<string> {
    const { cache, ttlMs, signal } = this.#given;
    const known = await cache.read('git-head', url);
    const knownRef = typeof known?.['ref'] === 'string' ? known['ref'] : undefined;
    if (knownRef !== undefined && isFresh(known?.['fetchedMs'], ttlMs)) return knownRef;
    const ref = await repository.remoteHead(signal);
    if (ref !== undefined) {
      await cache.write({ ref, fetchedMs: Date.now() }, 'git-head', url);
      return ref;
    }
    this.#warn(
      knownRef === undefined
        ? headWarning(redactUrl(url))
        : `could not get HEAD ref for repository '${redactUrl(url)}'; using expired cached ref '${knownRef}'`,
    );
    return knownRef ?? 'master';
  }

  /** The revision of a branch or tag. */
  async #fetchRef(
    repository: GitCacheRepository,
    { ref, allRefs, shallow }: GitRequest & { readonly ref: string },
    url: string,
  ): Promise<string> {
    const { cache, ttlMs, signal } = this.#given;
    const key = ['git-ref', url, ref, String(allRefs), String(shallow)];
    const find = (): Promise<string | undefined> =>
      allRefs ? repository.revisionAmongAll(ref, signal) : repository.revisionOf(ref, signal);
    const known = await find();
    const isGood = !allRefs && isFresh((await cache.read(...key))?.['fetchedMs'], ttlMs);
    if (known !== undefined && isGood) return known;
    try {
      await this.#transport(repository, allRefs ? { kind: 'all' } : { kind: 'ref', ref }, url);
    } catch (error) {
      if (known === undefined || !(error instanceof FetchError)) throw error;
      this.#warn(
        `${error.message}\ncould not update local clone of Git repository '${redactUrl(url)}'; continuing with the most recent version`,
      );
      return known;
    }
    await cache.write({ fetchedMs: Date.now() }, ...key);
    const revision = await find();
    if (revision !== undefined) return revision;
    throw new FetchError(
      'not-found',
      `the git repository '${redactUrl(url)}' gave nothing for '${ref}'; if it is a shallow clone, ask for one with shallow = true`,
    );
  }

  /** Old servers give only what is on a branch or a tag. */
  async #fetchRevision(
    repository: GitCacheRepository,
    { revision = '', ref, allRefs }: GitRequest,
    url: string,
  ): Promise<void> {
    if (allRefs) return this.#transport(repository, { kind: 'all' }, url);
    try {
      await this.#transport(repository, { kind: 'revision', revision }, url);
    } catch (error) {
      if (!(error instanceof FetchError) || error.code !== 'not-found') throw error;
      await this.#transport(repository, { kind: 'ref', ref: ref ?? 'HEAD' }, url);
    }
  }

  async #transport(
    repository: GitCacheRepository,
    what: Parameters<GitCacheRepository['fetch']>[0],
    address: string,
  ): Promise<void> {
    const { tell, signal } = this.#given;
    const url = redactUrl(address);
    tell({ kind: 'download-started', url, totalBytes: undefined });
    await repository.fetch(what, { onBytes: (bytes) => tell({ kind: 'downloaded', url, bytes }), signal });
    tell({ kind: 'download-ended', url, fromCache: false });
  }

  async #fetchCommit(request: GitRequest, commit: Commit, source: string): Promise<FetchedNode> {
    const { repository, revision, ref } = commit;
    const { commitTimeSeconds, revCount } = await this.#describe(repository, revision, !request.shallow);
    const contents = await this.#contentsOf(request, commit);
    return {
      node: contents.node,
      contents,
      source: redactUrl(source),
      lastModified: commitTimeSeconds,
      git: { revision, dirtyRevision: undefined, revisionCount: revCount, ref },
    };
  }

  /** They follow from the revision, wherever it came from. */
  async #contentsOf(request: GitRequest, commit: Commit): Promise<KnownContents> {
    const { cache, signal, ...context } = this.#given;
    const { exportIgnore, submodules, lfs } = request;
    const flags = [exportIgnore && (commit.folderPatterns ? 'all' : 'files'), submodules, lfs];
    const key = ['git-tree', commit.revision, ...flags.map(String)];
    const known = await findContents(await cache.read(...key), context, signal);
    if (known !== undefined) return known;
    const node = await this.#ingest(request, commit);
    const { digest, narSize } = await hashNar(node, 'sha256', { context: this.#given, signal });
    const contents = { node, narHash: digest, narSize };
    await cache.write(encodeContents(contents), ...key);
    return contents;
  }

  async #ingest(request: GitRequest, commit: Commit): Promise<Node> {
    const { blobs, directories, signal } = this.#given;
    let node = await ingestGit(commit.repository, commit.revision, {
      blobs,
      directories,
      exportIgnore: request.exportIgnore,
      folderPatterns: commit.folderPatterns,
      ...(signal === undefined ? {} : { signal }),
    });
    if (request.lfs) node = await withLfsContents(node, commit, { context: this.#given, signal });
    return request.submodules ? await this.#withSubmodules(node, request, commit) : node;
  }

  async #withSubmodules(root: Node, request: GitRequest, commit: Commit): Promise<Node> {
    let node = root;
    for (const { submodule, revision } of await this.#submodulesOf(commit)) {
      const { branch } = submodule;
      const below = await this.fetch({
        ...plainRequest,
        url: printNixUrl(parseGitUrl(resolveSubmoduleUrl(submodule.url, commit.base))),
        ref: branch === '.' ? commit.ref : branch,
        revision,
        submodules: true,
        lfs: request.lfs,
        allRefs: true,
      });
      node = await this.#graft(node, submodule, below.node);
    }
    return node;
  }

  /** Those that `.gitmodules` of the commit describes and its tree has. */
  async #submodulesOf({
    repository,
    revision,
  }: Commit): Promise<readonly { readonly submodule: GitSubmodule; readonly revision: string }[]> {
    const { git, signal } = this.#given;
    const dotGit = join(repository, '.git');
    const place = { gitDir: (await exists(dotGit)) ? dotGit : repository, signal };
    const file = await git.line(['rev-parse', '--verify', '--quiet', `${revision}:.gitmodules`], place);
    if (file === undefined) return [];
    const listing = await git.output(['config', '--blob', file, '-z', '--list'], place);
    const tree = await git.output(['ls-tree', '-r', '-z', '--full-tree', revision], place);
    const revisions = new Map(
      [...tree.toString().matchAll(/(?:^|\0)160000 commit ([0-9a-f]+)\t([^\0]*)/g)].map(
        ([, id = '', path = '']) => [path, id],
      ),
    );
    return parseSubmodules(listing).flatMap((submodule) => {
      const id = revisions.get(submodule.path);
      return id === undefined ? [] : [{ submodule, revision: id }];
    });
  }

  #graft(root: Node, { path }: GitSubmodule, node: Node): Promise<Node> {
    return graft(this.#given.directories, root, { path: parsePath(path), node });
  }

  /** Counting takes long in a long history, so the result is kept. */
  async #describe(
    repository: string,
    revision: string,
    isCounted: boolean,
  ): ReturnType<typeof resolveRevision> {
    const { cache } = this.#given;
    const known = isCounted ? (await cache.read('git-count', revision))?.['count'] : undefined;
    const described = await this.#resolve(repository, revision, isCounted && known === undefined);
    if (typeof known === 'number') return { ...described, revCount: known };
    const { commit, revCount } = described;
    if (revCount !== undefined) await cache.write({ count: revCount }, 'git-count', commit);
    return described;
  }

  async #resolve(
    repository: string,
    revision: string,
    revCount: boolean,
  ): ReturnType<typeof resolveRevision> {
    const { signal } = this.#given;
    try {
      return await resolveRevision(repository, revision, {
        revCount,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      if (!(cause instanceof CastoreError) || cause.code !== 'unsupported' || !revCount) throw cause;
      throw new FetchError(
        'unsupported',
        `'${repository}' is a shallow Git repository, but shallow repositories are only allowed when \`shallow = true;\` is specified`,
        { cause },
      );
    }
  }

  #warn(message: string): void {
    this.#given.tell({ kind: 'warning', message });
  }
}

const plainRequest: GitRequest = {
  url: '',
  ref: undefined,
  revision: undefined,
  shallow: false,
  submodules: false,
  lfs: false,
  exportIgnore: false,
  allRefs: false,
};

function headWarning(place: string): string {
  return `could not read HEAD ref from repo at '${place}', using 'master'`;
}

function relativePathWarning(url: string): string {
  return `Fetching Git repository '${url}', which uses a path relative to the current directory. This is not supported and will stop working in a future release. See https://github.com/NixOS/nix/issues/12281 for details.`;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
