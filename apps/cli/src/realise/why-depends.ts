/** Why a path is in the closure of another: the shortest chain of references, as `nix why-depends` draws it. */
import type { StoreDirectory, StorePath } from '@neve/nix-compat';
import type { PathInfoService } from '@neve/store';

/** From `from` to `to`, both included; `undefined` when there is no chain. */
export async function referenceChain(
  from: StorePath,
  to: StorePath,
  pathInfos: PathInfoService,
): Promise<readonly StorePath[] | undefined> {
  const cameFrom = new Map<string, StorePath | undefined>([[from.hashPart, undefined]]);
  let level: readonly StorePath[] = [from];
  while (level.length > 0 && !cameFrom.has(to.hashPart)) {
    const next: StorePath[] = [];
    for (const path of level) {
      for (const reference of (await pathInfos.get(path.hashPart))?.references ?? []) {
        if (cameFrom.has(reference.hashPart)) continue;
        cameFrom.set(reference.hashPart, path);
        next.push(reference);
      }
    }
    level = next;
  }
  if (!cameFrom.has(to.hashPart)) return undefined;
  const chain: StorePath[] = [];
  for (let path: StorePath | undefined = to; path !== undefined; path = cameFrom.get(path.hashPart)) {
    chain.unshift(path);
  }
  return chain;
}

export function drawChain(chain: readonly StorePath[], storeDirectory: StoreDirectory): string {
  return chain
    .map(
      (path, depth) =>
        `${depth === 0 ? '' : `${'    '.repeat(depth - 1)}└───`}${storeDirectory.print(path)}\n`,
    )
    .join('');
}
