// The reference of commands and settings, as the command describes itself. The `neve` bundle has to be built before.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Pages by their paths.
 *
 * @param {string} root of the repository
 * @returns {Promise<[string, string][]>}
 */
export async function commandPages(root) {
  const script = join(root, 'apps/cli/scripts/command-reference.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [script], { maxBuffer: 1 << 26 });
  /** @type {Record<string, string>} */
  const pages = JSON.parse(stdout);
  return Object.entries(pages).map(([path, text]) => [`reference/${path}`, text]);
}
