/**
 * A bare repository of the cache, one for each URL and depth: what was fetched from there. References are kept under names of
 * their own, so that a branch `a` and a later `a/b` are not in each other's way:
 *
 *     refs/neve/ref/<sha256 of the name>    one that was asked for
 *     refs/neve/revision/<id>               a revision that was asked for
 *     refs/neve/all/…                       those of the remote, where all were
 *
 * Whoever fetches holds the lock of the repository; reading needs none, as git only ever adds.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { redactUrl } from '@neve/diagnostics';
import { FetchError } from '../fetch-error.ts';
import type { GitProgram } from './git-program.ts';

export type CacheRepositoryOptions = {
  readonly folder: string;
  readonly url: string;
  readonly shallow: boolean;
  /** By the length of a revision in hexadecimal digits. */
  readonly objectFormat: 'sha1' | 'sha256';
};

export type FetchWhat =
  | { readonly kind: 'ref'; readonly ref: string }
  | { readonly kind: 'revision'; readonly revision: string }
  | { readonly kind: 'all' };

export type TransportOptions = {
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal | undefined;
};

export class GitCacheRepository {
  readonly path: string;
  readonly #git: GitProgram;
  readonly #options: CacheRepositoryOptions;

  private constructor(git: GitProgram, path: string, options: CacheRepositoryOptions) {
    this.#git = git;
    this.path = path;
    this.#options = options;
  }

  /** Made if it is not there; the caller has its lock. Throws `FetchError` (`unsupported`, `io`). */
  static async open(git: GitProgram, options: CacheRepositoryOptions): Promise<GitCacheRepository> {
    const path = join(options.folder, cacheName(options));
    if (!(await exists(join(path, 'HEAD')))) await create(git, path, options);
    return new GitCacheRepository(git, path, options);
  }

  /** The branch that `HEAD` of the remote is; `HEAD` if it is none, `undefined` if the remote does not say. */
  async remoteHead(signal: AbortSignal | undefined): Promise<string | undefined> {
    const { code, stdout } = await this.#git.run(['ls-remote', '--symref', '--', this.#options.url, 'HEAD'], {
      gitDir: this.path,
      signal,
    });
    if (code !== 0) return undefined;
    const text = stdout.toString();
    return /^ref: (\S+)\tHEAD$/m.exec(text)?.[1] ?? (text.includes('\tHEAD') ? 'HEAD' : undefined);
  }

  /** Throws `FetchError` (`not-found`) with what git said. */
  async fetch(what: FetchWhat, { onBytes, signal }: TransportOptions): Promise<void> {
    // What a fetch that was interrupted has left behind; nobody else is at work here.
    await rm(join(this.path, 'shallow.lock'), { force: true });
    const depth = this.#options.shallow ? ['--depth=1'] : [];
    const args = ['fetch', '--progress', '--force', '--no-tags', '--no-write-fetch-head', ...depth];
    const { code, stderr } = await this.#git.run([...args, '--', this.#options.url, refspec(what)], {
      gitDir: this.path,
      onComplaint: (text) => {
        const bytes = receivedBytes(text);
        if (bytes !== undefined) onBytes(bytes);
      },
      signal,
    });
    if (code === 0) return;
    throw new FetchError(
      'not-found',
      `Failed to fetch git repository '${redactUrl(this.#options.url)}': ${stderr}`,
    );
  }

  async has(revision: string, signal: AbortSignal | undefined): Promise<boolean> {
    const args = ['cat-file', '-e', `${revision}^{commit}`];
    const { code } = await this.#git.run(args, { gitDir: this.path, signal });
    return code === 0;
  }

  /** The commit of a reference that was fetched. */
  revisionOf(ref: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    return this.#git.line(['rev-parse', '--verify', '--quiet', `${localRef(ref)}^{commit}`], {
      gitDir: this.path,
      signal,
    });
  }

  /** The same among all that were fetched. */
  revisionAmongAll(ref: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    const name = remoteRef(ref).replace(/^refs\//, '');
    return this.#git.line(['rev-parse', '--verify', '--quiet', `refs/neve/all/${name}^{commit}`], {
      gitDir: this.path,
      signal,
    });
  }
}

function cacheName({ url, shallow, objectFormat }: CacheRepositoryOptions): string {
  const digest = createHash('sha256').update(url).digest('hex');
  return `${digest}${objectFormat === 'sha256' ? '-sha256' : ''}${shallow ? '-shallow' : ''}`;
}

async function create(
  git: GitProgram,
  path: string,
  { objectFormat }: CacheRepositoryOptions,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = await mkdtemp(`${path}.new-`);
  try {
    const args = ['init', '--quiet', '--bare', '--template=', `--object-format=${objectFormat}`];
    await git.output(args, { gitDir: temporary });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

function refspec(what: FetchWhat): string {
  switch (what.kind) {
    case 'ref':
      return `+${remoteRef(what.ref)}:${localRef(what.ref)}`;
    case 'revision':
      return `+${what.revision}:refs/neve/revision/${what.revision}`;
    case 'all':
      return '+refs/*:refs/neve/all/*';
  }
}

/** A short name is a branch. */
function remoteRef(ref: string): string {
  return ref === 'HEAD' || ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
}

function localRef(ref: string): string {
  return `refs/neve/ref/${createHash('sha256').update(remoteRef(ref)).digest('hex')}`;
}

/** From `Receiving objects:  45% (450/1000), 1.20 MiB | 500.00 KiB/s`. */
function receivedBytes(progress: string): number | undefined {
  const [, amount, unit = 'bytes'] =
    /.*Receiving objects:.*?, ([0-9.]+) (bytes|KiB|MiB|GiB)/s.exec(progress) ?? [];
  if (amount === undefined) return undefined;
  return Math.round(Number(amount) * ({ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }[unit] ?? 1));
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
