// Which golden files of a NixOS/nix checkout there are, and how each is checked. Every file below the folders is named by a
// rule or in known-golden.mjs; one that is not fails the run, so that nothing new is passed over.

import { fileRules } from './golden-formats.mjs';
import { protocolRules } from './golden-protocols.mjs';

/** Folders of golden files, relative to the checkout. */
export const goldenFolders = ['src/libstore-tests/data', 'src/libutil-tests/data/nar-listing'];

/**
 * How a file is checked; `undefined` when nothing here knows it. JSON beside a file of a protocol is checked with that.
 *
 * @param {string} name relative to the checkout's `src`
 * @returns {import('./golden-compare.mjs').Check | 'with another' | undefined}
 */
export function checkOf(name) {
  const [, folder = '', stem = '', extension] = /\/([^/]+)\/([^/]+)\.(bin|json)$/.exec(name) ?? [];
  const rules = protocolRules[folder];
  if (rules !== undefined) {
    const check = rules.find(([its]) => its === stem)?.[1];
    return extension === 'json' && check !== undefined ? 'with another' : check;
  }
  if (name.endsWith('buildTrace.json')) return 'with another';
  return fileRules.find(([pattern]) => pattern.test(name))?.[1];
}
