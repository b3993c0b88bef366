/**
 * Builds the playground: a page, its script, and the worker with the language core beside it. All addresses are relative,
 * so that the result works below any path. A service worker with the list of all files is written last.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Plugin, type UserConfig, defineConfig } from 'vite';

const serviceWorker = fileURLToPath(new URL('service-worker.js', import.meta.url));

/** Puts the names of all files and a version that follows from their contents into the service worker. */
function offline(): Plugin {
  return {
    name: 'neve-offline',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const files = Object.values(bundle);
      const hash = createHash('sha256');
      for (const file of files)
        hash.update(file.fileName).update(file.type === 'chunk' ? file.code : file.source);
      const names = ['./', './icon.svg', ...files.map(({ fileName }) => `./${fileName}`)];
      const source = readFileSync(serviceWorker, 'utf8')
        .replace('__VERSION__', hash.digest('hex').slice(0, 16))
        .replace("['__FILES__']", JSON.stringify(names));
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
    },
  };
}

const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  resolve: { conditions: ['source', 'browser', 'module', 'import', 'default'] },
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  plugins: [offline()],
});

// oxlint-disable-next-line import/no-default-export -- what Vite reads
export default config;
