/** The cgroups that OCI runtimes leave when they are killed. */
import { readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A runtime makes its cgroups and enters them later: until then they look like those that are left. */
const graceMilliseconds = 60_000;

/**
 * Removes the cgroups whose names begin with `prefix`, at the top of each hierarchy below `mounted`, if they have been
 * there for a minute and are empty.
 */
export function removeAbandonedCgroups(prefix: string, mounted = '/sys/fs/cgroup'): void {
  const roots = [mounted, ...foldersIn(mounted).map((it) => join(mounted, it))];
  for (const root of roots) {
    for (const name of foldersIn(root).filter((it) => it.startsWith(prefix)))
      removeIfAbandoned(join(root, name));
  }
}

function removeIfAbandoned(path: string): void {
  try {
    if (Date.now() - statSync(path).mtimeMs >= graceMilliseconds) rmdirSync(path);
  } catch {
    // Another process has removed it, or its build is in it.
  }
}

function foldersIn(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((it) => (it.isDirectory() ? [it.name] : []));
  } catch {
    return [];
  }
}
