/**
 * Where a push comes from: a store of Neve, or with `--from` a binary cache (`file:///folder`, `https://…`) or a Nix (`daemon`),
 * whose paths are downloaded into that store as far as they are pushed. Paths are named as elsewhere, or by a link to one, as the
 * `result` of a build.
 */
import { readlinkSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentsFirst } from '@neve/castore';
import { type StoreDirectory, type StorePath, hashPartLength } from '@neve/nix-compat';
import { type PathInfo, StoreError, type StoreServices, type Substituter } from '@neve/store';
import { UsageError } from '../usage-error.ts';

export type PushSource = {
  readonly store: StoreServices;
  /** Whose paths these are, if they have to be downloaded first. */
  readonly substituter: Substituter | undefined;
};

export type NamingOptions = {
  readonly storeDirectory: StoreDirectory;
  /** Where results of builds are as files. */
  readonly viewFolder: string;
};

/** The hash part of the store path that is called so. Throws `UsageError`. */
export function namedHashPart(text: string, { storeDirectory, viewFolder }: NamingOptions): string {
  const isBaseName = /^[0-9a-df-np-sv-z]{32}(-|$)/.test(text);
  const path = isBaseName || dirname(text) === storeDirectory.path ? text : targetOf(text);
  const folder = [storeDirectory.path, viewFolder, realOf(viewFolder)].find((it) =>
    path.startsWith(`${it}/`),
  );
  const baseName = folder === undefined ? path : path.slice(folder.length + 1);
  if (/^[0-9a-df-np-sv-z]{32}(-[^/]*)?$/.test(baseName)) return baseName.slice(0, hashPartLength);
  throw new UsageError(`'${text}' is no store path, and no link to one`);
}

type Known = { readonly storePath: StorePath; readonly references: readonly StorePath[] };

const maxRequests = 16;

/** The paths with all that they refer to. Throws `StoreError` (`not-found`). */
export async function readClosure(
  hashParts: readonly string[],
  { store, substituter }: PushSource,
  signal: AbortSignal,
): Promise<readonly StorePath[]> {
  const find = (hashPart: string): Promise<Known | undefined> =>
    substituter === undefined ? store.pathInfos.get(hashPart, signal) : substituter.narInfo(hashPart, signal);
  const found = new Map<string, StorePath>();
  let wanted = new Map(hashParts.map((it) => [it, it]));
  while (wanted.size > 0) {
    const next = new Map<string, string>();
    const queue = [...wanted];
    const ask = async (): Promise<void> => {
      for (let it = queue.pop(); it !== undefined; it = queue.pop()) {
        const [hashPart, name] = it;
        const known = await find(hashPart);
        if (known === undefined)
          throw new StoreError('not-found', `'${name}' is not there, so that it cannot be pushed`);
        found.set(hashPart, known.storePath);
        for (const reference of known.references) next.set(reference.hashPart, reference.baseName);
      }
    };
    await Promise.all(Array.from({ length: maxRequests }, ask));
    for (const hashPart of found.keys()) next.delete(hashPart);
    wanted = next;
  }
  return [...found.values()];
}

/** What is known of the paths, each after those that it refers to. Throws `StoreError`. */
export async function readPathInfos(
  storePaths: readonly StorePath[],
  { store, substituter }: PushSource,
  signal: AbortSignal,
): Promise<readonly PathInfo[]> {
  const found = new Map<string, PathInfo>();
  const queue = [...storePaths];
  const get = async (): Promise<void> => {
    for (let it = queue.pop(); it !== undefined; it = queue.pop()) {
      const pathInfo = await (substituter ?? store.pathInfos).get(it.hashPart, signal);
      if (pathInfo === undefined) throw new StoreError('not-found', `'${it.baseName}' is not there any more`);
      found.set(it.hashPart, pathInfo);
    }
  };
  await Promise.all(Array.from({ length: maxRequests }, get));
  const others = (hashPart: string): string[] =>
    (found.get(hashPart)?.references ?? []).map((it) => it.hashPart).filter((it) => it !== hashPart);
  const order = parentsFirst(found.keys(), others).toReversed();
  return order.flatMap((hashPart) => found.get(hashPart) ?? []);
}

/** Where a link leads; the text itself for what is none. */
function targetOf(text: string): string {
  try {
    return realpathSync(text);
  } catch {
    // It may lead to a path that is in the store only.
  }
  try {
    return readlinkSync(text);
  } catch {
    return text;
  }
}

function realOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder;
  }
}
