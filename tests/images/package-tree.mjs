// A small package set in a tree of files that images are made of.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The function of a package set. */
export const packages = (/** @type {string} */ motto) => `{ localSystem, ... }: {
  motto = "${motto}";
  text = builtins.toFile "text" "${motto}";
  tool = derivation { name = "tool"; system = localSystem; builder = "/bin/sh"; args = [ "-c" "echo ${motto} > $out" ]; };
  wrong = throw "nobody can have this";
}`;

/**
 * Writes the tree, and gives the expression for the package set.
 *
 * @param {string} folder
 * @param {string} motto
 */
export function makePackages(folder, motto) {
  const top = join(folder, 'pkgs/top-level');
  mkdirSync(top, { recursive: true });
  writeFileSync(join(top, 'default.nix'), packages(motto));
  return `import ${top} { localSystem = builtins.currentSystem; }`;
}
