// Bundles the `neve` command into `dist/neve.cjs`, with the language core beside it. CommonJS because Node starts
// it faster than a module; packages are read from their sources, so that this does not wait for tsc.
import { build } from 'esbuild';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
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

await build({
  entryPoints: [join(app, 'src/main.ts')],
  outfile: join(app, 'dist/neve.cjs'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.19',
  conditions: ['source'],
  define: { NEVE_VERSION: JSON.stringify(version) },
  plugins: [plainRequires],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
});

const core = join(app, '../../packages/language/build/neve.wasm');
if (existsSync(core)) copyFileSync(core, join(app, 'dist/neve.wasm'));
