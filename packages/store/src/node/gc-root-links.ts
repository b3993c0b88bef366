/**
 * Roots of garbage collection as symbolic links below a folder, as Nix has them in `gcroots`:
 *
 *     <name> → <store directory>/<base name>[/…]                       a root; `StoreView.path` as well
 *     <name> → <absolute path>, which is a link into the store         an indirect root: a user's `result`
 *
 * Indirect roots are made in the folder `auto`, named by the SHA-1 of the user's path in nixbase32. When the user's link is
 * gone or leads elsewhere, the indirect root is stale and removed; other links that lead to no store path are left alone.
 */
import { lstat, mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { NixCompatError, parseStorePath } from '@neve/nix-compat';
import type { StoreDirectory, StorePath } from '@neve/nix-compat';
import { StoreError } from '../store-error.ts';

export type LinkRoot = {
  /** The link that leads into the store: below the folder, or a user's. */
  readonly link: string;
  readonly storePath: StorePath;
};

export type LinkRoots = {
  readonly roots: readonly LinkRoot[];
  /** Indirect roots that were removed, or in a dry run would be. */
  readonly stale: readonly string[];
};

export type LinkRootsOptions = {
  readonly folder: string;
  readonly store: StoreDirectory;
  /** The folder of a `StoreView`, whose links lead there. */
  readonly view?: string;
  /** Leaves stale indirect roots where they are. */
  readonly dryRun?: boolean;
};

/** All roots below the folder; none when there is no such folder. Throws `StoreError` (`io`). */
export async function readLinkRoots(options: LinkRootsOptions): Promise<LinkRoots> {
  const { folder, dryRun = false } = options;
  const roots: LinkRoot[] = [];
  const stale: string[] = [];
  try {
    for (const link of await findLinks(folder)) {
      const target = await linkTarget(link);
      if (target === undefined) continue;
      const direct = locate(options, target);
      const indirectTarget = direct === undefined ? await linkTarget(target) : undefined;
      const indirect = indirectTarget === undefined ? undefined : locate(options, indirectTarget);
      if (direct !== undefined) roots.push({ link, storePath: direct });
      else if (indirect !== undefined) roots.push({ link: target, storePath: indirect });
      else if (dirname(link) === join(folder, 'auto')) stale.push(link);
    }
    if (!dryRun) for (const link of stale) await rm(link, { force: true });
  } catch (cause) {
    throw failure(`the roots below '${folder}' cannot be read`, cause);
  }
  return { roots, stale };
}

export type IndirectRootOptions = Pick<LinkRootsOptions, 'folder' | 'store'> & {
  readonly link: string;
  /** Where the files are, if not in the store directory. */
  readonly target?: string;
};

/**
 * Makes `link` lead to the store path and registers it as an indirect root, in the order in which nothing is lost. An
 * existing link is replaced; anything else there is refused. Throws `StoreError` (`io`).
 */
export async function addIndirectRoot(
  storePath: StorePath,
  { folder, store, link, target = store.print(storePath) }: IndirectRootOptions,
): Promise<void> {
  const path = resolve(link);
  try {
    const existing = await lstat(path).catch(ifMissing);
    if (existing !== undefined && !existing.isSymbolicLink()) {
      throw new Error('there is something else than a symbolic link');
    }
    await mkdir(join(folder, 'auto'), { recursive: true });
    await replaceLink(target, path);
    await registerIndirectRoot(path, folder);
  } catch (cause) {
    throw failure(`'${path}' cannot be made a root`, cause);
  }
}

/**
 * Registers a link as an indirect root, which it is whenever it leads into the store. The path is absolute. Throws
 * `StoreError` (`io`).
 */
export async function registerIndirectRoot(link: string, folder: string): Promise<void> {
  try {
    const name = nodeHashes.hash('sha1', encodeUtf8(link)).format('nix32');
    await mkdir(join(folder, 'auto'), { recursive: true });
    await replaceLink(link, join(folder, 'auto', name));
  } catch (cause) {
    throw failure(`'${link}' cannot be made a root`, cause);
  }
}

async function findLinks(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(ifMissing);
  const found = await Promise.all(
    (entries ?? []).map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink()) return [path];
      return entry.isDirectory() ? findLinks(path) : [];
    }),
  );
  return found.flat();
}

/** Absolute; `undefined` when there is no link. */
async function linkTarget(link: string): Promise<string | undefined> {
  const target = await readlink(link).catch((cause: unknown) =>
    hasCode(cause, 'EINVAL') ? undefined : ifMissing(cause),
  );
  if (target === undefined) return undefined;
  return isAbsolute(target) ? target : resolve(dirname(link), target);
}

function locate({ store, view }: LinkRootsOptions, path: string): StorePath | undefined {
  try {
    if (view === undefined || !path.startsWith(`${view}/`)) return store.locate(path).storePath;
    return parseStorePath(
      path
        .slice(view.length + 1)
        .split('/', 1)
        .join(),
    );
  } catch (error) {
    if (error instanceof NixCompatError) return undefined;
    throw error;
  }
}

async function replaceLink(target: string, link: string): Promise<void> {
  const temporary = `${link}.${randomUUID()}`;
  await symlink(target, temporary);
  await rename(temporary, link);
}

function ifMissing(cause: unknown): undefined {
  if (hasCode(cause, 'ENOENT') || hasCode(cause, 'ENOTDIR')) return undefined;
  throw cause;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function failure(what: string, cause: unknown): StoreError {
  return new StoreError('io', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  });
}
