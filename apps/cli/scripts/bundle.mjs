// Bundles the `neve` command: `dist/neve.cjs` with what everybody needs, and `dist/modules` with what only some commands do.
// The language core lies beside them.
import { build } from 'esbuild';
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const app = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));

/**
 * Turns imports of Node's own modules into plain calls of `require`. esbuild would wrap each of them into an object with
 * a getter for everything that the module exports, which takes some milliseconds when the command starts.
 *
 * @type {import('esbuild').Plugin}
 */
const plainRequires = {
  name: 'plain-requires',
  setup(building) {
    building.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8')
        .replace(/^import \* as (\w+) from ('node:\w+');/gm, 'const $1 = require($2);')
        .replace(/^import \{([^}]*)\} from ('node:\w+');/gm, (_, names, module) => {
          return `const {${names.replaceAll(' as ', ': ')}} = require(${module});`;
        });
      return { contents, loader: 'ts' };
    });
  },
};

/**
 * Leaves the commands for stores to their own bundle.
 *
 * @type {import('esbuild').Plugin}
 */
const separateStore = {
  name: 'separate-store',
  setup(building) {
    building.onResolve({ filter: /\/store\/store-main\.ts$/ }, () => ({
      path: './modules/store-main.mjs',
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
  plugins: [separateStore, plainRequires],
});

// Modules, so that what is imported late is loaded late. Libraries with native code, or that find their own files, stay
// outside.
rmSync(join(app, 'dist/modules'), { recursive: true, force: true });
await build({
  ...shared,
  entryPoints: [
    join(app, 'src/store/store-main.ts'),
    // A thread's script.
    join(app, '../../packages/castore/src/node/tree-reader-worker.ts'),
  ],
  entryNames: '[name]',
  outdir: join(app, 'dist/modules'),
  format: 'esm',
  splitting: true,
  outExtension: { '.js': '.mjs' },
  external: [
    'lmdb',
    '@napi-rs/blake-hash',
    'opendal',
    'koffi',
    '@mongodb-js/zstd',
    'lzma-native',
    'xz-decompress',
  ],
  banner: {
    js: "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);",
  },
});

const core = join(app, '../../packages/language/build/neve.wasm');
if (existsSync(core)) copyFileSync(core, join(app, 'dist/neve.wasm'));
