// Where a harness has its trees and stores: `--folder`, or a new folder in memory where there is such a file system. It is
// removed at the end, unless `--keep` is given. With it goes the command that works there.

import { accessSync, constants, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { StoreCommand } from './store-command.mjs';
import { removeTree } from './tree-listing.mjs';

/** @type {NonNullable<import('node:util').ParseArgsConfig['options']>} */
export const storeTestOptions = {
  folder: { type: 'string' },
  keep: { type: 'boolean' },
  neve: { type: 'string' },
};

export const storeTestUsage = `  --folder DIR     where the files of the test are made (default: in memory, if possible)
  --keep           leave them there at the end
  --neve SCRIPT    the command under test (default: the project's own, bundled)`;

/**
 * @template Result
 * @param {Record<string, any>} values
 * @param {(folder: string, neve: StoreCommand) => Promise<Result>} body
 * @returns {Promise<Result>}
 */
export async function withWorkingFolder(values, body) {
  const parent = values['folder'] === undefined ? memoryFolder() : resolve(values['folder']);
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'neve-store-'));
  try {
    return await body(folder, new StoreCommand(join(folder, 'home'), values['neve']));
  } finally {
    if (values['keep'] === true) console.log(`the files are in ${folder}`);
    else removeTree(folder);
  }
}

function memoryFolder() {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}
