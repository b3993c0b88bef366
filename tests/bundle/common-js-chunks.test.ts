/** The build's own step from modules to CommonJS, on a small bundle that esbuild splits. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Metafile, build } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkChunkOrder, commonJsChunk } from '../../apps/cli/scripts/common-js-chunks.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-chunks-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const sources = {
  'one.mjs': `
    import { shared } from './shared.mjs';
    export const one = () => shared('one');
    export { shared as again };
    export const late = async () => (await import('./late.mjs')).late;
    export const library = async () => await import('./library.cjs');
    export const packaged = async () => await import('node:path');
    export const where = import.meta.url;`,
  'two.mjs': `
    import { shared } from './shared.mjs';
    export const two = shared('two');`,
  'shared.mjs': `export function shared(name) { return 'shared by ' + name; }`,
  'late.mjs': `import { shared } from './shared.mjs'; export const late = shared('late');`,
  'library.cjs': `exports.answer = 42;`,
};

type One = {
  one(): string;
  again(name: string): string;
  late(): Promise<string>;
  library(): Promise<{ answer: number; default: { answer: number } }>;
  packaged(): Promise<{ sep: string; default: { sep: string } }>;
  readonly where: string;
};

async function bundle(entries: readonly string[]): Promise<Metafile> {
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(folder, name), text);
  const { outputFiles, metafile } = await build({
    entryPoints: entries.map((name) => join(folder, name)),
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    minifyWhitespace: true,
    define: { 'import.meta.url': 'scriptUrl' },
    outExtension: { '.js': '.out.cjs' },
    write: false,
    metafile: true,
  });
  for (const { path, text } of outputFiles) writeFileSync(path, commonJsChunk(basename(path), text));
  return metafile;
}

test('chunks do as CommonJS what they did as modules', async () => {
  checkChunkOrder(await bundle(['one.mjs', 'two.mjs']));
  const path = join(folder, 'one.out.cjs');
  const one = createRequire(path)('./one.out.cjs') as One;
  expect([one.one(), one.again('me'), await one.late()]).toEqual([
    'shared by one',
    'shared by me',
    'shared by late',
  ]);
  const library = await one.library();
  expect([library.answer, library.default]).toEqual([42, { answer: 42 }]);
  const packaged = await one.packaged();
  expect([packaged.sep, packaged.default.sep]).toEqual(['/', '/']);
  expect(one.where).toBe(pathToFileURL(path).href);
});

test('what would still be a module is refused', () => {
  expect(() => commonJsChunk('a.cjs', 'let a=1;import{b}from"./b.cjs";a=b;')).toThrow(SyntaxError);
  expect(() => commonJsChunk('a.cjs', 'export let a=1;a=2;')).toThrow(SyntaxError);
});

test('chunks that import each other are refused', () => {
  const chunk = (path: string): Metafile['outputs'][string] => ({
    bytes: 1,
    inputs: {},
    exports: [],
    imports: [{ path, kind: 'import-statement' }],
  });
  const outputs = { 'out/a.cjs': chunk('out/b.cjs'), 'out/b.cjs': chunk('out/a.cjs') };
  expect(() => checkChunkOrder({ inputs: {}, outputs })).toThrow('a.cjs → b.cjs → a.cjs');
});
