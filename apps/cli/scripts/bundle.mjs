// Bundles the `neve` command into `dist/neve.cjs`, with the language core beside it. CommonJS because Node starts
// it faster than a module; packages are read from their sources, so that this does not wait for tsc.
import { build } from 'esbuild';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const app = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));

await build({
  entryPoints: [join(app, 'src/main.ts')],
  outfile: join(app, 'dist/neve.cjs'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.19',
  conditions: ['source'],
  define: { NEVE_VERSION: JSON.stringify(version) },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
});

const core = join(app, '../../packages/language/build/neve.wasm');
if (existsSync(core)) copyFileSync(core, join(app, 'dist/neve.wasm'));
