/** Whether what an entry has read still holds, asked from outside of an evaluation. */
import { decodeReadSet } from '@neve/eval-images';
import { type EntryName, FileWorld, type ImageFolder, checkReads } from '@neve/eval-images/node';
import { createFileSystemIO } from '@neve/eval-store/node';
import { parseKey } from './command-line.ts';

/** What has changed; undefined when nothing has. */
export async function checkEntry(folder: ImageFolder, name: EntryName): Promise<string | undefined> {
  using entry = folder.find(name);
  if (entry === undefined) return 'it cannot be read';
  const reads = decodeReadSet(entry.reads);
  if (reads === undefined) return 'what was read is damaged';
  const places = storePlaces(parseKey(name.key));
  const world = createFileSystemIO({
    ...{ ...places, readOnly: true, environment: process.env, onMessage: () => undefined },
  });
  const checked = await checkReads(reads, { files: new FileWorld(places), world, nowMs: Date.now() });
  return checked.holds ? undefined : checked.change;
}

type StorePlaces = { readonly storeDir: string; readonly physicalStoreDir: string | undefined };

function storePlaces(key: unknown): StorePlaces {
  const { evaluator, store } = (key ?? {}) as {
    readonly evaluator?: { readonly storeDir?: string };
    readonly store?: readonly unknown[];
  };
  const physical = store?.[1];
  return {
    storeDir: evaluator?.storeDir ?? '/nix/store',
    physicalStoreDir: typeof physical === 'string' ? physical : undefined,
  };
}
