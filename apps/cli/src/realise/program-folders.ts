/** Where the programs of packages are, as `nix shell` has it: theirs, and those of what they say is wanted with them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const propagated = 'nix-support/propagated-user-env-packages';

/** Absolute store paths of folders, in the order in which they are searched. `shown` says where the files of a path are. */
export function programFolders(
  storePaths: readonly string[],
  shown: (storePath: string) => string,
): readonly string[] {
  const wanted = [...storePaths];
  const seen = new Set<string>();
  for (let path = wanted.shift(); path !== undefined; path = wanted.shift()) {
    if (seen.has(path)) continue;
    seen.add(path);
    wanted.push(...wordsOf(join(shown(path), propagated)));
  }
  return [...seen].map((path) => `${path}/bin`);
}

function wordsOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8')
      .split(/\s+/)
      .filter((word) => word !== '');
  } catch {
    // Most packages have none.
    return [];
  }
}
