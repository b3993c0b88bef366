/** The build's own step that lets Node's modules be loaded late, on a small source. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lateBuiltins } from '../../apps/cli/scripts/late-builtins.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-late-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const source = `import { createHash, type Hash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { join as joined } from 'node:path';
import * as zlib from 'node:zlib';

export const start: string = joined('a', 'b');

export function hash(bytes: string): string {
  const made: Hash = createHash('sha1');
  return made.update(bytes).digest('hex');
}

export function shadowed(createHash: number): number {
  return createHash;
}

export function zip(): Duplex {
  return zlib.createGzip();
}
`;

type Bundle = {
  readonly start: string;
  hash(bytes: string): string;
  shadowed(number: number): number;
  zip(): { readonly constructor: { readonly name: string } };
};

test('a module of Node is loaded by its first use', async () => {
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src/entry.ts'), source);
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'src/entry.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    plugins: [lateBuiltins],
    write: false,
  });
  const required: string[] = [];
  const require = createRequire(import.meta.url);
  const wrapper = new Script(`(require, module) => {${outputFiles[0]?.text}}`).runInThisContext() as (
    require: (name: string) => unknown,
    module: { exports: unknown },
  ) => void;
  const module = { exports: {} };
  wrapper((name) => {
    required.push(name);
    return require(name) as unknown;
  }, module);
  const bundle = module.exports as Bundle;

  expect([bundle.start, bundle.shadowed(3)]).toEqual(['a/b', 3]);
  expect(required).toEqual(['node:path']);
  // The digest of "abc" in FIPS 180.
  expect(bundle.hash('abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
  bundle.hash('');
  expect(required).toEqual(['node:path', 'node:crypto']);
  expect(bundle.zip().constructor.name).toBe('Gzip');
  expect(required).toEqual(['node:path', 'node:crypto', 'node:zlib']);
});
