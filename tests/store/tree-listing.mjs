// What of a tree on disk counts for Nix, as lines of text: kinds, names by bytes, the executable bit, contents, targets.

import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';

/**
 * @typedef {object} TreeListing
 * @property {string} text equal for equal trees
 * @property {readonly string[]} strange objects whose modes or times are not those of a Nix store
 */

/**
 * @param {string} root
 * @returns {TreeListing}
 */
export function listTree(root) {
  /** @type {string[]} */
  const lines = [];
  /** @type {string[]} */
  const strange = [];
  const visit = (/** @type {Buffer} */ path, /** @type {string} */ name) => {
    const stats = lstatSync(path);
    const mode = stats.mode & 0o7777;
    const isExecutable = (mode & 0o100) !== 0;
    let wanted = isExecutable ? 0o555 : 0o444;
    if (stats.isSymbolicLink()) {
      lines.push(`link ${name} -> ${readlinkSync(path, { encoding: 'buffer' }).toString('latin1')}`);
      wanted = mode;
    } else if (stats.isDirectory()) {
      wanted = 0o555;
      lines.push(`directory ${name}`);
      const names = readdirSync(path, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b));
      for (const entry of names) {
        visit(Buffer.concat([path, Buffer.from('/'), entry]), `${name}/${entry.toString('latin1')}`);
      }
    } else {
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
      lines.push(`${isExecutable ? 'executable' : 'file'} ${name} ${stats.size} ${digest}`);
    }
    if (mode !== wanted || stats.mtimeMs !== 1000) strange.push(`${name} (${mode.toString(8)})`);
  };
  visit(Buffer.from(root), '');
  return { text: lines.join('\n'), strange };
}

/**
 * Removes a tree, also where folders may not be written to.
 *
 * @param {string} path
 */
export function removeTree(path) {
  makeWritable(Buffer.from(path));
  rmSync(path, { recursive: true, force: true });
}

/** @param {Buffer} path */
function makeWritable(path) {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true) return;
  chmodSync(path, 0o700);
  for (const entry of readdirSync(path, { encoding: 'buffer', withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(Buffer.concat([path, Buffer.from('/'), entry.name]));
  }
}
