/** For completion: the store paths of a local store that a word could become. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defaultStoreFolder, localStoreFolder, openNamedStore, storeDirectory } from './open-store.ts';
import { storeArguments } from './store-options.ts';

export type StorePathRequest = {
  /** What there is of the word: of a path, or of a name in the store directory. */
  readonly prefix: string;
  /** As `--store` and `--store-dir`. */
  readonly store: string | undefined;
  readonly storeDir: string | undefined;
};

/** Nobody reads more. */
const maxCount = 1000;
const maxMs = 1000;

/** None for a store that is not on this machine, or not there yet. */
export async function storePathWords({
  prefix,
  store: name,
  storeDir,
}: StorePathRequest): Promise<readonly string[]> {
  const folder = name === undefined ? defaultStoreFolder() : localStoreFolder(name);
  if (folder === undefined || !existsSync(join(folder, 'db'))) return [];
  const args = storeArguments({ ...(storeDir !== undefined && { storeDir }) });
  const directory = storeDirectory(args);
  const isWhole = prefix === '' || prefix.startsWith('/');
  const words: string[] = [];
  const end = Date.now() + maxMs;
  await using store = await openNamedStore(folder, args);
  for await (const { storePath } of store.pathInfos.list()) {
    const word = isWhole ? directory.print(storePath) : storePath.baseName;
    if (word.startsWith(prefix)) words.push(word);
    if (words.length >= maxCount || Date.now() > end) break;
  }
  return words;
}
