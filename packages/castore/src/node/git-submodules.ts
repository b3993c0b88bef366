/**
 * Where the submodules of a revision are on this machine. `.gitmodules` in the tree gives each a name, a path and a URL. The
 * repository is looked for in the superproject's own folder for them, in its work tree, and at the URL if that is a local
 * path; the first that has the commit is taken. Nothing is fetched.
 */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CastoreError } from '../castore-error.ts';
import { GitRepository } from './git-repository.ts';
import { hasCommit } from './git-revision.ts';

type Submodule = { readonly name: string; path?: string; url?: string };

export class GitSubmodules {
  readonly #git: GitRepository;
  readonly #byPath: ReadonlyMap<string, Submodule>;

  private constructor(git: GitRepository, byPath: ReadonlyMap<string, Submodule>) {
    this.#git = git;
    this.#byPath = byPath;
  }

  /** `gitmodules` is the id of the file `.gitmodules`, if there is one. */
  static async load(git: GitRepository, gitmodules?: string, signal?: AbortSignal): Promise<GitSubmodules> {
    const byPath = new Map<string, Submodule>();
    if (gitmodules !== undefined) {
      const text = await git.output(['config', '--blob', gitmodules, '-z', '--list'], { signal });
      for (const submodule of parseSubmodules(text.toString('latin1')).values()) {
        if (submodule.path !== undefined) byPath.set(submodule.path, submodule);
      }
    }
    return new GitSubmodules(git, byPath);
  }

  /** `undefined` where `.gitmodules` says nothing about the path. Throws `CastoreError` (`not-found`). */
  async find(path: Buffer, commit: string, signal?: AbortSignal): Promise<GitRepository | undefined> {
    const submodule = this.#byPath.get(path.toString('latin1'));
    if (submodule === undefined) return undefined;
    const places = await this.#places(submodule);
    for (const place of places) {
      const repository = await GitRepository.find(place);
      if (repository !== undefined && (await hasCommit(repository, commit, signal))) return repository;
    }
    throw new CastoreError(
      'not-found',
      `commit ${commit} of the submodule '${path.toString()}' of '${this.#git.path}' is not on this machine (looked in ${places.join(', ')}); run 'git submodule update --init' in its work tree`,
    );
  }

  async #places({ name, path = '', url }: Submodule): Promise<readonly string[]> {
    const common = await this.#git.output(['rev-parse', '--git-common-dir']);
    const modules = join(resolve(this.#git.path, common.toString().trim()), 'modules');
    const places: string[] = [];
    if (isInside(name)) places.push(join(modules, bytesToText(name)));
    if (this.#git.hasWorkTree && isInside(path)) places.push(join(this.#git.path, bytesToText(path)));
    const local = url === undefined ? undefined : await this.#localPath(bytesToText(url));
    if (local !== undefined) places.push(local);
    return places;
  }

  /** A relative URL goes from the one that the superproject was cloned from. */
  async #localPath(url: string): Promise<string | undefined> {
    if (!/^\.\.?(\/|$)/.test(url)) return pathOfUrl(url);
    const { stdout } = await this.#git.run(['config', '--get', 'remote.origin.url']);
    const origin = stdout.toString().trim();
    const base = origin === '' ? this.#git.path : pathOfUrl(origin);
    return base === undefined ? undefined : resolve(base, url);
  }
}

/** Entries of `git config -z`: the key, a newline, the value. */
function parseSubmodules(text: string): ReadonlyMap<string, Submodule> {
  const byName = new Map<string, Submodule>();
  for (const entry of text.split('\0')) {
    const [, name, field, value] = /^submodule\.([^]*)\.(path|url)\n([^]*)$/.exec(entry) ?? [];
    if (name === undefined) continue;
    const submodule: Submodule = byName.get(name) ?? { name };
    byName.set(name, submodule);
    if (field === 'path') submodule.path = value?.replace(/\/+$/, '') ?? '';
    else submodule.url = value ?? '';
  }
  return byName;
}

function pathOfUrl(url: string): string | undefined {
  if (url.startsWith('/')) return url;
  try {
    return url.startsWith('file://') ? fileURLToPath(url) : undefined;
  } catch {
    return undefined;
  }
}

/** Names come from the tree, which may be a stranger's. */
function isInside(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..');
}

function bytesToText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}
