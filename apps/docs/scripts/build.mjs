// Builds the site into `dist/site`: pages, then VitePress, which fails on a dead link; then a look at every anchor.
//
//   node apps/docs/scripts/build.mjs [--base /PATH/]     where the site will lie on its server (default: /)

import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { deadLinks } from './dead-links.mjs';
import './generate.mjs';

const app = join(dirname(fileURLToPath(import.meta.url)), '..');
const { values } = parseArgs({ options: { base: { type: 'string', default: '/' } } });

const program = resolve(app, '../../node_modules/vitepress/bin/vitepress.js');
const { status } = spawnSync(process.execPath, [program, 'build', app], {
  stdio: 'inherit',
  env: { ...process.env, DOCS_BASE: values.base },
});
const dead = status === 0 ? deadLinks(join(app, 'dist/site'), values.base) : [];
for (const link of dead) console.error(`dead link: ${link}`);
process.exitCode = status === 0 && dead.length === 0 ? 0 : 1;
