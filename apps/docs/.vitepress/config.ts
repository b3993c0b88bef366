/**
 * The site: pages from `build/pages`, which `scripts/generate.mjs` makes of `docs` and of the code.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';
import { addDataCells } from '../src/site/data-cells.ts';
import { addExampleFences } from '../src/site/example-fences.ts';
import { mainOnHomePage } from '../src/site/main-on-home-page.ts';
import { sidebarOf } from '../src/site/sidebar.ts';

const base = process.env['DOCS_BASE'] ?? '/';
const pages = join(import.meta.dirname, '../build/pages');

// oxlint-disable-next-line import/no-default-export -- VitePress asks for it
export default defineConfig({
  title: 'Neve',
  description: 'Nix, taken apart and rebuilt in TypeScript',
  lang: 'en',
  base,
  srcDir: 'build/pages',
  outDir: 'dist/site',
  cacheDir: 'build/cache',
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}snow.svg` }]],
  // Nothing is fetched from elsewhere, while building or reading.
  useWebFonts: false,
  metaChunk: true,
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      addExampleFences(md);
      addDataCells(md);
    },
  },
  vue: { template: { compilerOptions: { isCustomElement: (tag) => tag === 'nix-example' } } },
  vite: {
    plugins: [mainOnHomePage()],
    resolve: { conditions: ['source'] },
    worker: { format: 'es' },
    build: { chunkSizeWarningLimit: 1000 },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    docFooter: { prev: false, next: false },
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Guides', link: '/guides/evaluate', activeMatch: '/guides/' },
      { text: 'Reference', link: '/reference/language', activeMatch: '/reference/' },
      { text: 'Comparison', link: '/comparison' },
      { text: 'Architecture', link: '/architecture' },
    ],
    sidebar: sidebarOf({
      pagesIn: (folder) =>
        readdirSync(join(pages, folder))
          .filter((name) => name.endsWith('.md') && name !== 'index.md' && !name.startsWith('0000'))
          .sort()
          .map((name) => `${folder}/${name}`),
      hasPage: (path) => existsSync(join(pages, path)),
      titleOf: (path) => /^# (.*)$/m.exec(readFileSync(join(pages, path), 'utf8'))?.[1] ?? path,
    }),
    footer: { message: 'Apache-2.0 or MIT, as you like.' },
  },
});
