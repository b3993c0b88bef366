/** What is realised before its contents are looked at: import from derivation. */
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { EvalIO } from './eval-io.ts';
import { buildingWorld, importingPrelude } from './testing/building-world.ts';
import { emptyWorld } from './testing/empty-world.ts';
import { evaluateToJson, newEvaluator } from './testing/evaluate.ts';

const core = new WebAssembly.Module(readFileSync(coreUrl));
const debugCore = new WebAssembly.Module(readFileSync(debugCoreUrl));

const program = (body: string): string => `let ${importingPrelude} in ${body}`;

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Each builtin that looks at contents, and what it finds in the output "x", which says `{ a = 1; }`. */
const readers: [expression: string, value: unknown][] = [
  ['import (drv "x")', { a: 1 }],
  ['import "${drv "x"}"', { a: 1 }],
  ['builtins.scopedImport { } (drv "x")', { a: 1 }],
  ['builtins.readFile (drv "x")', '{ a = 1; }'],
  ['builtins.readFileType (drv "x")', 'regular'],
  ['builtins.pathExists (drv "x")', true],
  [
    'builtins.findFile [ { path = drv "x"; prefix = "p"; } ] "p" == /. + builtins.unsafeDiscardStringContext "${drv "x"}"',
    true,
  ],
];

describe.each([
  ['release', core],
  ['debug', debugCore],
])('%s core', (_, testedCore) => {
  for (const build of [() => {}, soon]) {
    test.each(readers)(`%s, built ${build === soon ? 'later' : 'at once'}`, async (expression, value) => {
      const { io, asked } = buildingWorld({ contents: () => '{ a = 1; }', build });
      const evaluator = newEvaluator(io, { core: testedCore });
      expect(await evaluateToJson(evaluator, program(expression))).toEqual(value);
      expect(asked).toEqual([
        [{ kind: 'output', drvPath: expect.stringMatching(/-x\.drv$/), outputName: 'out' }],
      ]);
    });
  }
});

test('all that a string refers to is realised at once', async () => {
  const { io, asked } = buildingWorld({ contents: () => '1' });
  const expression =
    'builtins.pathExists (builtins.concatStringsSep "" [ "/." (drv "x") (drv "y") (builtins.storePath ' +
    `"/nix/store/${'0'.repeat(32)}-z") (drv "w").drvPath ])`;
  expect(await evaluateToJson(newEvaluator(io, { core }), program(expression))).toBe(false);
  const kinds = asked.map((context) =>
    context
      .map(
        (element) =>
          `${element.kind} ${(element.kind === 'path' ? element.storePath : element.drvPath).slice(44)}`,
      )
      .sort(),
  );
  expect(kinds).toEqual([['derivation w.drv', 'output x.drv', 'output y.drv', 'path z']]);
});

test('where an output without a path was built is what is read', async () => {
  const outputOf = (): string => `/nix/store/${'1'.repeat(32)}-x`;
  const { io } = buildingWorld({ contents: () => '"built"', outputOf });
  const expression =
    'import (derivation { name = "x"; system = "x"; builder = "/b"; __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; })';
  const settings = { experimentalFeatures: new Set(['ca-derivations']) };
  expect(await evaluateToJson(newEvaluator(io, { core, settings }), expression)).toBe('built');
});

test('what a file in the store refers to is the context of its contents', async () => {
  const dependency = `/nix/store/${'1'.repeat(32)}-d`;
  const other = `/nix/store/${'2'.repeat(32)}-o`;
  const { io } = buildingWorld({ contents: () => dependency });
  const world: EvalIO = { ...io, storePathReferences: () => [dependency, other] };
  const evaluator = newEvaluator(world, { core });
  expect(
    await evaluateToJson(evaluator, program('builtins.getContext (builtins.readFile (drv "x"))')),
  ).toEqual({
    [dependency]: { path: true },
  });
});

const drvOfX = expect.stringMatching(
  /^cannot build '\/nix\/store\/[^-]+-x\.drv\^out' during evaluation because the option 'allow-import-from-derivation' is disabled$/,
);

test('nothing is built when import from derivation is not allowed', async () => {
  const { io, asked } = buildingWorld({ contents: () => '1' });
  const evaluator = newEvaluator(io, { core, settings: { allowImportFromDerivation: false } });
  await expect(evaluateToJson(evaluator, program('ifd "x"'))).rejects.toMatchObject({
    diagnostic: { message: drvOfX },
  });
  expect(asked).toEqual([]);
});

test('what is not valid is named before what must not be built', async () => {
  const io: EvalIO = { ...emptyWorld, isValidStorePath: () => Promise.resolve(false) };
  const evaluator = newEvaluator(io, { core, settings: { allowImportFromDerivation: false } });
  await expect(evaluateToJson(evaluator, program('ifd "x"'))).rejects.toThrow(
    /^path '.*-x\.drv' is not valid$/,
  );
});

test('a pure evaluation may read what it had built, and what that refers to', async () => {
  const dependency = `/nix/store/${'1'.repeat(32)}-d`;
  const stranger = `/nix/store/${'2'.repeat(32)}-s`;
  const { io } = buildingWorld({
    contents: (name) => (name === 'x' ? `"${dependency}"` : '"read"'),
    build: soon,
  });
  const world: EvalIO = {
    ...io,
    fileType: (path) => io.fileType(path) ?? 'regular',
    readFile: (path) => (String.fromCharCode(...path).endsWith('-d') ? path : io.readFile(path)),
    realise: async (context) => {
      const paths = await io.realise?.(context);
      return paths?.map(() => `/nix/store/${'3'.repeat(32)}-x`) ?? [];
    },
    storePathReferences: (path) => (path.endsWith('-x') ? [dependency] : []),
  };
  const evaluator = newEvaluator(world, {
    core,
    settings: { pureEval: true, experimentalFeatures: new Set(['ca-derivations']) },
  });
  const body = (path: string): string =>
    `builtins.seq (import (derivation { name = "x"; system = "x"; builder = "/b"; __contentAddressed = true; outputHashMode = "recursive"; outputHashAlgo = "sha256"; })) (builtins.readFile ${path})`;
  expect(await evaluateToJson(evaluator, body(dependency))).toBe(dependency);
  await expect(evaluateToJson(evaluator, body(stranger))).rejects.toThrow(
    `access to absolute path '${stranger}' is forbidden in pure evaluation mode (use '--impure' to override)`,
  );
});
