// A closure of more than 200 paths: texts that refer to texts, and builds that refer to those, to each other and to themselves.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const expression = `
  let
    inherit (builtins) elemAt genList toFile toString length;
    texts = genList (n:
      toFile "text-\${toString n}" "snow \${toString n} \${if n == 0 then "" else elemAt texts (n - 1)} \${
        if n < 3 then "" else elemAt texts (n / 3)}") 200;
    built = genList (n: derivation {
      name = "built-\${toString n}";
      system = builtins.currentSystem;
      builder = "/bin/sh";
      PATH = "/bin:/usr/bin";
      args = [ "-c" ''
        mkdir -p $out/bin $out/share/empty $out/lib/debug/.build-id/\${if n == 0 then "ab" else "cd"}
        echo "building \${toString n}"
        echo \${elemAt texts (199 - n * 10)} \${if n == 0 then "" else elemAt built (n - 1)} > $out/share/references
        printf '#!/bin/sh\\necho %s\\n' $out > $out/bin/run
        chmod +x $out/bin/run
        ln -s run $out/bin/link
        ln -s \${if n == 0 then "$out/bin" else elemAt built (n - 1)} $out/other
        echo debug > $out/lib/debug/.build-id/\${if n == 0 then "ab" else "cd"}/\${
          builtins.substring 0 38 (builtins.hashString "sha256" (toString n))}.debug
        head -c \${toString (n * 150000)} /dev/zero | tr '\\0' 'x' > $out/share/large
      '' ];
    }) 20;
  in { all = elemAt built 19; debugName = builtins.substring 0 38 (builtins.hashString "sha256" "7"); }
`;

const addressed = `
  derivation {
    name = "addressed";
    system = builtins.currentSystem;
    builder = "/bin/sh";
    PATH = "/bin:/usr/bin";
    __contentAddressed = true;
    outputHashAlgo = "sha256";
    outputHashMode = "recursive";
    args = [ "-c" "echo by contents; mkdir $out; echo snow > $out/file" ];
  }
`;

export class SampleClosure {
  /** The path that the others are below. */
  root = '';
  /** Its derivation. */
  derivation = '';
  /** All of them, references first. @type {string[]} */
  paths = [];
  /** A path whose path follows from its contents, and what it is made of. */
  addressed = { expression: '', derivation: '', path: '' };
  /** The build id of a file of debug information. */
  buildId = '';

  /** @param {import('../lib/nix-machine.mjs').NixMachine} nix */
  static async make(nix) {
    const sample = new SampleClosure();
    const file = join(nix.folder, 'sample.nix');
    writeFileSync(file, expression);
    const store = ['--store', nix.store];
    sample.derivation =
      (await nix.run(['nix-instantiate', file, '-A', 'all', ...store])).trim().split('!')[0] ?? '';
    sample.root = (await nix.run(['nix-store', '-r', sample.derivation, ...store])).trim();
    sample.paths = (await nix.run(['nix-store', '-qR', sample.root, ...store])).trim().split('\n');
    const rest = JSON.parse(
      await nix.run(['nix-instantiate', '--eval', '--json', file, '-A', 'debugName', ...store]),
    );
    sample.buildId = `cd${rest}`;
    const other = join(nix.folder, 'addressed.nix');
    writeFileSync(other, addressed);
    const derivation = (await nix.run(['nix-instantiate', other, ...store])).trim();
    const path = (await nix.run(['nix-build', other, '--no-out-link', ...store])).trim();
    sample.addressed = { expression: other, derivation, path };
    return sample;
  }
}
