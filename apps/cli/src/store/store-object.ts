/**
 * The words by which commands name what is in a store:
 *
 *     /nix/store/<hash>-<name>[/path]     a store path, and something inside of it
 *     <hash>-<name>[/path]                the same without the directory
 *     <hash>[/path]                       the hash part alone
 *     blake3-<base64>[:path]              a directory by its digest
 */
import { type Node, descend, parseB3Digest, parsePath } from '@neve/castore';
import { hashPartLength } from '@neve/nix-compat';
import { type PathInfo, StoreError } from '@neve/store';
import { UsageError } from '../usage-error.ts';
import type { OpenStore } from './open-store.ts';

export type StoreObject = {
  readonly node: Node;
  /** Of the store path that was named, or that the object is in. */
  readonly pathInfo: PathInfo | undefined;
};

/** Throws `StoreError` (`not-found`) and `UsageError`. */
export async function findObject(store: OpenStore, text: string, storeDir: string): Promise<StoreObject> {
  if (text.startsWith('blake3-')) return await findDirectory(store, text);
  const { hashPart, path } = parseStoreName(text, storeDir);
  const pathInfo = await store.pathInfos.get(hashPart);
  if (pathInfo === undefined) throw new StoreError('not-found', `'${text}' is not in ${store.title}`);
  const node = await descend(store.directories, pathInfo.node, parsePath(path));
  if (node === undefined) {
    throw new StoreError('not-found', `'${text}': there is no '${path}' in ${pathInfo.storePath.baseName}`);
  }
  return { node, pathInfo };
}

/** The path info of a store path. Throws as `findObject` does. */
export async function findPathInfo(store: OpenStore, text: string, storeDir: string): Promise<PathInfo> {
  const { hashPart, path } = parseStoreName(text, storeDir);
  if (path !== '') throw new UsageError(`'${text}' is inside of a store path; name the store path itself`);
  const pathInfo = await store.pathInfos.get(hashPart);
  if (pathInfo === undefined) throw new StoreError('not-found', `'${text}' is not in ${store.title}`);
  return pathInfo;
}

async function findDirectory(store: OpenStore, text: string): Promise<StoreObject> {
  const [digestText = '', path = ''] = text.split(':', 2);
  const digest = parseB3Digest(digestText);
  const directory = await store.directories.get(digest);
  if (directory === undefined) {
    throw new StoreError('not-found', `the directory ${digestText} is not in ${store.title}`);
  }
  const node = await descend(store.directories, directory.node, parsePath(path));
  if (node === undefined) throw new StoreError('not-found', `there is no '${path}' in ${digestText}`);
  return { node, pathInfo: undefined };
}

function parseStoreName(
  text: string,
  storeDir: string,
): { readonly hashPart: string; readonly path: string } {
  const relative = text.startsWith(`${storeDir}/`) ? text.slice(storeDir.length + 1) : text;
  const [first = '', ...rest] = relative.split('/');
  const hashPart = first.slice(0, hashPartLength);
  if (!/^[0-9a-df-np-sv-z]{32}(-.*)?$/s.test(first)) {
    throw new UsageError(`'${text}' is no store path: it has to begin with ${storeDir}/<hash>-<name>`);
  }
  return { hashPart, path: rest.join('/') };
}
