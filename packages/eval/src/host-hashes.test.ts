/** Derivations whose texts the host hashes: their paths are those that the core finds by itself. */
import { decodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { EvalIO } from './eval-io.ts';
import { emptyWorld } from './testing/empty-world.ts';
import { evaluateToJson, newEvaluator } from './testing/evaluate.ts';

/** Each needs the one before, and all together are some MiB: several outputs, fixed and floating ones, structured attributes. */
const chain = `
  let
    text = builtins.concatStringsSep "\\n" (builtins.genList (i: "line \${toString i} \\"quoted\\"") 300);
    make = i: { previous, paths }:
      let
        drv = derivation ({
          name = "link-\${toString i}"; system = "x86_64-linux"; builder = "/bin/sh";
          inherit text previous;
        } // kind.\${toString (i - i / 4 * 4)});
      in { previous = drv; paths = paths ++ [ drv.drvPath ] ++ map (o: drv.\${o}.outPath) drv.outputs or [ "out" ]; };
    kind = {
      "0" = { };
      "1" = { outputs = [ "out" "dev" "man" ]; };
      "2" = { outputHash = builtins.hashString "sha256" "x"; outputHashAlgo = "sha256"; };
      "3" = { __structuredAttrs = true; outputs = [ "bin" "out" ]; };
    };
    last = builtins.foldl' (it: i: make i it) { previous = null; paths = [ ]; } (builtins.genList (i: i) 400);
    floating = derivation {
      name = "floating"; system = "x86_64-linux"; builder = "/bin/sh"; inherit text;
      __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256";
    };
    deferred = derivation { name = "deferred"; system = "x86_64-linux"; builder = "/bin/sh"; inherit floating text; };
  in last.paths ++ [ floating.drvPath deferred.drvPath deferred.outPath ]`;

const settings = { experimentalFeatures: new Set(['ca-derivations']) };

describe.each([
  ['release', coreUrl],
  ['debug', debugCoreUrl],
])('%s build', (_, url) => {
  const core = new WebAssembly.Module(readFileSync(url));

  test.each([true, false])(
    'derivations that the host hashes have the same paths (written: %s)',
    async (writesStore) => {
      let calls = 0;
      const written = new Map<string, string>();
      const world = (hashBytes?: NonNullable<EvalIO['hashBytes']>): EvalIO => ({
        ...emptyWorld,
        writeDerivation: ({ storePath, contents }) => void written.set(storePath, decodeUtf8(contents)),
        ...(hashBytes && { hashBytes }),
      });
      const options = { core, settings: { ...settings, writesStore } };
      const own = await evaluateToJson(newEvaluator(world(), options), chain);
      const ownWritten = new Map(written);
      written.clear();
      const hashing = world((bytes, algorithm) => {
        calls += 1;
        return nodeHashes.hash(algorithm, bytes).bytes;
      });
      expect(await evaluateToJson(newEvaluator(hashing, options), chain)).toEqual(own);
      expect(written).toEqual(ownWritten);
      expect(written.size).toBe(writesStore ? 402 : 0);
      // Without loading a library for the first of them.
      expect(calls).toBeGreaterThan(300);
      expect(calls).toBeLessThan(1100);
    },
  );
});
