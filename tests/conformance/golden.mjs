// Reads the golden files of a checkout's unit tests and checks each; see golden-files.mjs for what must hold.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { UsageError } from '../lib/options.mjs';
import { textTable } from '../lib/text-table.mjs';
import { checkOf, goldenFolders } from './golden-files.mjs';
import { goldenReason } from './known-golden.mjs';

/**
 * @param {{ nix: string, pattern: RegExp, tally: import('../lib/tally.mjs').Tally }} run
 */
export async function runGoldenFiles({ nix, pattern, tally }) {
  const source = join(nix, 'src');
  /** @type {Map<string, { passed: number, failed: number, known: number }>} */
  const byFolder = new Map();
  for (const path of goldenFiles(nix).filter((it) => pattern.test(it))) {
    const name = relative(source, path);
    const folder = name.split('/').slice(0, 3).join('/');
    const counts = byFolder.get(folder) ?? { passed: 0, failed: 0, known: 0 };
    byFolder.set(folder, counts);
    const problem = await problemOf({ name, source });
    const reason = goldenReason(name);
    if (problem === undefined) {
      counts.passed++;
      tally.record(name, true);
      if (reason !== undefined) console.log(`listed in known-golden.mjs but passes: ${name}`);
    } else if (reason !== undefined) {
      counts.known++;
      console.log(`known: ${name}: ${reason}`);
    } else {
      counts.failed++;
      tally.record(name, false);
      console.log(`FAIL ${name}: ${problem}`);
    }
  }
  const rows = Array.from(byFolder, ([folder, { passed, failed, known }]) => [folder, passed, failed, known]);
  console.log(`\n${textTable([['golden files', 'passed', 'failed', 'known'], ...rows])}\n`);
}

/** @param {string} nix */
function goldenFiles(nix) {
  return goldenFolders.flatMap((folder) => {
    const path = join(nix, folder);
    if (!existsSync(path))
      throw new UsageError(`${nix} has no ${folder}; --nix needs a checkout of NixOS/nix`);
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  });
}

/** @param {{ name: string, source: string }} file */
async function problemOf({ name, source }) {
  const check = checkOf(name);
  if (check === 'with another') return undefined;
  if (check === undefined) return 'no rule knows this file';
  const sibling = (/** @type {string} */ other) => {
    const path = join(source, other);
    return existsSync(path) ? readFileSync(path) : undefined;
  };
  try {
    await check({ name, bytes: readFileSync(join(source, name)), sibling });
    return undefined;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}
