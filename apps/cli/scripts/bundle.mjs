// Bundles the `neve` command: `dist/neve.cjs`, which finds out what is wanted, and the scripts that do it in `dist/modules`.
// All are CommonJS, which Node starts faster than modules, and which it can keep compiled. Packages are read from their
// sources, so that this does not wait for tsc.
import { createHash } from 'node:crypto';
import { build } from 'esbuild';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkChunkOrder, commonJsChunk } from './common-js-chunks.mjs';
import { writeCommandTable } from './command-table.mjs';
import { lateBuiltins } from './late-builtins.mjs';

const app = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));

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

// The commands for stores, split, so that what is imported late is loaded late. Libraries with native code, or that find
// their own files, stay outside, but for LMDB, whose many files take long to load.
const folder = join(app, 'dist/modules');
rmSync(folder, { recursive: true, force: true });
const { outputFiles, metafile } = await build({
  ...shared,
  entryPoints: [
    join(app, 'src/store/store-main.ts'),
    join(app, 'src/realise/realise-main.ts'),
    join(app, 'src/nix-daemon/nix-daemon-main.ts'),
    join(app, 'src/nar-bridge/nar-bridge-main.ts'),
    join(app, 'src/cache/cache-main.ts'),
    join(app, 'src/daemon/daemon-main.ts'),
    join(app, 'src/telemetry/telemetry-main.ts'),
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

// One script each, since everybody who evaluates needs most of it, as a thread of the daemon does, and its client all.
await build({
  ...shared,
  entryPoints: [
    join(app, 'src/evaluate-main.ts'),
    join(app, 'src/repl/repl-main.ts'),
    join(app, 'src/jobs/jobs-main.ts'),
    join(app, 'src/help/help-main.ts'),
    join(app, 'src/images/image-main.ts'),
    join(app, 'src/daemon/evaluator-thread.ts'),
    join(app, 'src/daemon/daemon-client-main.ts'),
    join(app, 'src/progress/open-display.ts'),
  ],
  entryNames: '[name]',
  outdir: folder,
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  // Scripts of `CommandScripts` have `require` only.
  supported: { 'dynamic-import': false },
  plugins: [lateBuiltins],
});

// What one build has kept of its results is not for another one, and neither is what another core has computed.
const coreFolder = join(app, '../../packages/language/build');
const cores = ['neve.wasm', 'neve64.wasm'].filter((name) => existsSync(join(coreFolder, name)));
const hash = createHash('sha256');
for (const name of cores) hash.update(readFileSync(join(coreFolder, name)));
for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
await build({
  ...shared,
  entryPoints: [join(app, 'src/main.ts')],
  define: { ...shared.define, NEVE_BUILD: JSON.stringify(hash.digest('hex').slice(0, 16)) },
  outfile: join(app, 'dist/neve.cjs'),
  format: 'cjs',
  plugins: [lateBuiltins],
});

writeCommandTable();

for (const name of cores) copyFileSync(join(coreFolder, name), join(app, 'dist', name));
