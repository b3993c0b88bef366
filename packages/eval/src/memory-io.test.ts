import { encodeUtf8 } from '@neve/bytes';
import { coreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createEvaluator } from './create-evaluator.ts';
import { evaluateJson } from './evaluate-json.ts';
import { createMemoryIO, type MemoryIOOptions } from './memory-io.ts';

const core = new WebAssembly.Module(readFileSync(coreUrl));

async function evaluate(text: string, options: Omit<MemoryIOOptions, 'core'> = {}): Promise<unknown> {
  const io = createMemoryIO({ core, ...options });
  return await evaluateJson(createEvaluator({ core, io, settings: { writesStore: true } }), {
    kind: 'string',
    text,
    directory: '/example',
  });
}

const files = {
  '/example/default.nix': 'import ./numbers.nix ++ [ 3 ]',
  '/example/numbers.nix': '[ 1 2 ]',
  '/example/source/kept': 'kept',
  '/example/source/left/out': 'out',
  '/example/bytes': new Uint8Array([0x6e, 0x65]),
};

test('files are read, imported and listed', async () => {
  expect(await evaluate('import ./.', { files })).toEqual([1, 2, 3]);
  expect(await evaluate('builtins.readFile ./bytes', { files })).toBe('ne');
  expect(await evaluate('builtins.readDir ./source', { files })).toEqual({
    kept: 'regular',
    left: 'directory',
  });
});

test('what is put into the store can be read there', async () => {
  const filtered = `builtins.path { path = ./source; name = "s"; filter = path: type: baseNameOf path != "left"; }`;
  expect(await evaluate(`builtins.attrNames (builtins.readDir (${filtered}))`, { files })).toEqual(['kept']);
  expect(await evaluate('builtins.readFile (builtins.toFile "a" "text")')).toBe('text');
  expect(await evaluate('builtins.pathExists (builtins.storePath (builtins.toFile "a" "text"))')).toBe(true);
  const derivation = 'derivation { name = "x"; system = "y"; builder = "z"; }';
  expect(await evaluate(`builtins.substring 0 7 (builtins.readFile (${derivation}).drvPath)`)).toBe(
    'Derive(',
  );
});

// Paths and the hash as Nix 2.34 and sha256sum give them for the same tree.
test('store paths are those of Nix', async () => {
  expect(await evaluate('"${./source}"', { files })).toBe(
    '/nix/store/qw1n6x03w7x7z90kg6xi609r8f6rimb4-source',
  );
  expect(await evaluate('builtins.hashFile "sha256" ./source/kept', { files })).toBe(
    '79f076abdd19a752db7267bfff2f9022161d120dea919fdaca2ffdfc24ca8c96',
  );
});

test('a hash that was expected must come out', async () => {
  const wrong =
    'builtins.path { path = ./source; sha256 = "0000000000000000000000000000000000000000000000000000"; }';
  await expect(evaluate(wrong, { files })).rejects.toThrow(/store path mismatch/);
});

test('the environment is what was given, and messages are heard', async () => {
  const heard: unknown[] = [];
  const onMessage: MemoryIOOptions['onMessage'] = (level, text) => heard.push([level, text]);
  const text = 'builtins.trace "hello" "${builtins.getEnv "A"}-${builtins.getEnv "toString"}"';
  expect(await evaluate(text, { environment: { A: 'a' }, onMessage })).toBe('a-');
  expect(heard).toEqual([['trace', encodeUtf8('hello')]]);
});

test.each([
  ['builtins.readFile ./absent', /does not exist/],
  ['builtins.readFile ./source', /Is a directory/],
  ['builtins.readDir ./bytes', /is not a directory/],
  ['builtins.storePath ./source', /is not in the Nix store/],
])('%s fails', async (text, message) => {
  await expect(evaluate(text, { files })).rejects.toThrow(message);
});

test.each([['relative'], ['/'], ['/a/b/c']])('files with the path %s are refused', (path) => {
  expect(() => createMemoryIO({ core, files: { '/a/b': '', [path]: '' } })).toThrow(
    /absolute path|lies below/,
  );
});
