/** Sets with many attributes, of which several have the same names: what is made of these shares its names with the others. */
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createMemoryIO } from './memory-io.ts';
import { emptyWorld } from './testing/empty-world.ts';
import { evaluateToJson, newEvaluator } from './testing/evaluate.ts';

/** Two kinds of names, 900 `a` and 600 `b` of which a third is among the `a`, and what four sets over them come to. */
const program = `
  let
    make = count: name: value: builtins.listToAttrs (builtins.genList (i: { name = name i; value = value i; }) count);
    left = make 900 (i: "n\${toString i}") (i: i);
    right = make 600 (i: "n\${toString (700 + i)}") (i: 1000 + i);
    add = more: builtins.mapAttrs (_: value: value + more);
    merged = more: add more left // add (2 * more) right;
    garbage = builtins.foldl' (sum: i: sum + builtins.length (builtins.genList (x: x) 100)) 0 (builtins.genList (i: i) 200);
    sum = set: builtins.foldl' (a: b: a + b) 0 (builtins.attrValues set);
  in
  map
    (more: let set = merged more; in builtins.seq garbage
      [ (sum set) set.n0 set.n699 set.n700 set.n1299 (builtins.length (builtins.attrNames set)) (set ? n1300) ])
    [ 0 1 2 3 ]`;

/** By the definition of `//`: 700 names of the left set alone, and the 600 of the right one. */
const expected = [0, 1, 2, 3].map((more) => {
  const left = (699 * 700) / 2 + 700 * more;
  const right = 600 * 1000 + (599 * 600) / 2 + 600 * 2 * more;
  return [left + right, more, 699 + more, 1000 + 2 * more, 1599 + 2 * more, 1300, false];
});

const cores = { release: coreUrl, debug: debugCoreUrl };

test.each([
  ['release', 0],
  ['release', 50],
  ['debug', 0],
  ['debug', 50],
] as const)('%s core, a collection each %i steps', async (name, collectionInterval) => {
  const core = new WebAssembly.Module(readFileSync(cores[name]));
  const evaluator = newEvaluator(emptyWorld, { core, settings: { collectionInterval } });
  expect(await evaluateToJson(evaluator, program)).toEqual(expected);
});

test('positions are those of the set that has the value', async () => {
  const core = new WebAssembly.Module(readFileSync(coreUrl));
  const names = (count: number, start: number): string =>
    Array.from({ length: count }, (_, index) => `n${start + index} = ${index};`).join('\n');
  // The same functions twice make sets of the same names.
  const text = `let left = _: {\n${names(400, 0)}\n}; right = _: {\n${names(300, 300)}\n};
    lineOf = set: name: (builtins.unsafeGetAttrPos name set).line;
    in map (i: map (lineOf (left i // right i)) [ "n0" "n299" "n300" "n599" ]) [ 1 2 ]`;
  const io = createMemoryIO({ core, files: { '/sets.nix': text } });
  const lines = [2, 301, 403, 702];
  expect(await evaluateToJson(newEvaluator(io, { core }), 'import /sets.nix')).toEqual([lines, lines]);
});
