// Puts the page together for any web server: node build.mjs [FOLDER]
// @ts-check

import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { coreUrl } from '@neve/language';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = process.argv[2] ?? join(here, 'dist');

await build({
  entryPoints: { main: join(here, 'page.mjs'), worker: join(here, 'worker.mjs') },
  outdir: folder,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
});
mkdirSync(folder, { recursive: true });
copyFileSync(join(here, 'index.html'), join(folder, 'index.html'));
copyFileSync(coreUrl, join(folder, 'neve.wasm'));
