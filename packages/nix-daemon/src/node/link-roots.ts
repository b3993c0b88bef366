/** Roots as links in a folder, as garbage collection of the store has them, and pins beside them. */
import { lstat, mkdir, readlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NixCompatError, type StoreDirectory } from '@neve/nix-compat';
import type { Pins } from '@neve/store';
import { addIndirectRoot, readLinkRoots, registerIndirectRoot } from '@neve/store/node';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { NamedRoot, RootKeeper } from '../server/daemon-services.ts';

export type LinkRootsOptions = {
  readonly folder: string;
  readonly store: StoreDirectory;
  /** Where store paths are files, whose links lead there. */
  readonly view: string;
  readonly pins: Pins;
};

export function linkRoots({ folder, store, view, pins }: LinkRootsOptions): RootKeeper {
  return {
    addIndirect: (link) => registerIndirectRoot(link, folder),
    async addPermanent(storePath, link) {
      if (isIn(link, store)) {
        throw new NixDaemonError(
          'invalid-request',
          `creating a garbage collector root ("${link}") in the Nix store is forbidden (are you running nix-build inside the store?)`,
        );
      }
      const existing = await lstat(link).catch(() => undefined);
      const isOurs = existing?.isSymbolicLink() === true && isIn(await readlink(link), store);
      if (existing !== undefined && !isOurs) {
        throw new NixDaemonError('invalid-request', `cannot create symlink "${link}"; already exists`);
      }
      await mkdir(dirname(link), { recursive: true });
      await addIndirectRoot(storePath, { folder, store, link });
    },
    async list() {
      const { roots } = await readLinkRoots({ folder, store, view });
      const pinned = (await pins.list()).flatMap(({ name, root }): NamedRoot[] =>
        root.kind === 'path' ? [{ link: `{pin:${name}}`, storePath: root.storePath }] : [],
      );
      return [...roots, ...pinned];
    },
    async others() {
      const all = await pins.list();
      return all.flatMap(({ root }) => (root.kind === 'node' ? [root] : []));
    },
  };
}

function isIn(path: string, store: StoreDirectory): boolean {
  try {
    store.locate(path);
    return true;
  } catch (error) {
    if (error instanceof NixCompatError) return false;
    throw error;
  }
}
