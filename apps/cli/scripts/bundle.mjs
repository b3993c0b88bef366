// Bundles the `neve` command: `dist/neve.cjs` with what everybody needs, and `dist/modules` with what only some commands do.
// The language core lies beside them.
import { build } from 'esbuild';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkChunkOrder, commonJsChunk } from './common-js-chunks.mjs';
import { lateBuiltins } from './late-builtins.mjs';

const app = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));

/**
 * Leaves the commands for stores to their own bundle.
 *
 * @type {import('esbuild').Plugin}
 */
const separateStore = {
  name: 'separate-store',
  setup(building) {
    building.onResolve({ filter: /\/store\/store-main\.ts$/ }, () => ({
      path: './modules/store-main.cjs',
      external: true,
    }));
  },
};

/** @type {import('esbuild').BuildOptions} */
const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  conditions: ['source'],
  define: { NEVE_VERSION: JSON.stringify(version) },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
};

// CommonJS because Node starts it faster than a module; packages are read from their sources, so that this does not
// wait for tsc.
await build({
  ...shared,
  entryPoints: [join(app, 'src/main.ts')],
  outfile: join(app, 'dist/neve.cjs'),
  format: 'cjs',
  // Chunks are CommonJS too.
  supported: { 'dynamic-import': false },
  plugins: [separateStore, lateBuiltins],
});

// Split, so that what is imported late is loaded late. Libraries with native code, or that find their own files, stay outside.
const folder = join(app, 'dist/modules');
rmSync(folder, { recursive: true, force: true });
const { outputFiles, metafile } = await build({
  ...shared,
  entryPoints: [
    join(app, 'src/store/store-main.ts'),
    // A thread's script.
    join(app, '../../packages/castore/src/node/tree-reader-worker.ts'),
  ],
  entryNames: '[name]',
  outdir: folder,
  format: 'esm',
  splitting: true,
  outExtension: { '.js': '.cjs' },
  plugins: [lateBuiltins],
  define: { ...shared.define, 'import.meta.url': 'scriptUrl' },
  alias: {
    lmdb: join(app, '../../node_modules/lmdb/dist/index.cjs'),
    'node-gyp-build-optional-packages': join(app, 'scripts/load-lmdb-binary.cjs'),
    msgpackr: join(app, 'scripts/no-msgpackr.cjs'),
  },
  external: ['@napi-rs/blake-hash', 'opendal', 'koffi', '@mongodb-js/zstd', 'lzma-native', 'xz-decompress'],
  write: false,
  metafile: true,
});
checkChunkOrder(metafile);
mkdirSync(folder, { recursive: true });
for (const { path, text } of outputFiles) writeFileSync(path, commonJsChunk(path, text));

const core = join(app, '../../packages/language/build/neve.wasm');
if (existsSync(core)) copyFileSync(core, join(app, 'dist/neve.wasm'));
