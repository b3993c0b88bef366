// A closure of texts and builds that refer to each other, 15 MB of which compress badly.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const expression = `
  let
    inherit (builtins) elemAt genList toFile toString;
    texts = genList (n: toFile "text-\${toString n}" "snow \${toString n} \${if n == 0 then "" else elemAt texts (n - 1)}") 30;
    built = genList (n: derivation {
      name = "built-\${toString n}";
      system = builtins.currentSystem;
      builder = "/bin/sh";
      PATH = "/bin:/usr/bin";
      args = [ "-c" ''
        mkdir -p $out/share
        echo \${elemAt texts (29 - n)} \${if n == 0 then "" else elemAt built (n - 1)} $out > $out/share/references
        head -c \${toString (n * 700000)} /dev/urandom > $out/share/noise
      '' ];
    }) 6;
  in elemAt built 5
`;

/**
 * @param {import('../lib/nix-machine.mjs').NixMachine} nix
 * @returns {Promise<{ root: string, paths: string[] }>}
 */
export async function makeClosure(nix) {
  const file = join(nix.folder, 'sample.nix');
  writeFileSync(file, expression);
  const store = ['--store', nix.store];
  const root = (await nix.run(['nix-build', file, '--no-out-link', ...store])).trim();
  const paths = (await nix.run(['nix-store', '-qR', root, ...store])).trim().split('\n');
  return { root, paths };
}
