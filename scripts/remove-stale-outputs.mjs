// Removes from `dist` of the packages what came from sources that are gone: the compiler leaves it there, and it would be
// published.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = join(dirname(fileURLToPath(import.meta.url)), '../packages');

export function removeStaleOutputs() {
  for (const name of readdirSync(packages)) {
    const dist = join(packages, name, 'dist');
    if (!existsSync(dist)) continue;
    for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
      const output = join(entry.parentPath, entry.name);
      const module = /^(.*?)(\.d\.ts|\.js)(\.map)?$/.exec(relative(dist, output))?.[1];
      if (module !== undefined && !existsSync(join(packages, name, 'src', `${module}.ts`))) rmSync(output);
    }
  }
}
