// The playground in a real Chromium: programs give what the command gives, errors are underlined where they are, values
// are evaluated when they are opened, an endless loop can be stopped, links and files work, and all of it without a
// server once the page was there. Accessibility is checked by axe in both themes. `npm run build` comes first.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { findChromium } from '../browser/chromium.mjs';
import { UsageError, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { checkAccessibility } from './accessibility.mjs';
import { checkEditing } from './editing.mjs';
import { measureGrammar } from './grammar.mjs';
import { Page } from './page.mjs';
import { checkPrograms } from './programs.mjs';
import { serveSite } from './site.mjs';
import { checkWithoutServer } from './without-server.mjs';

const usage = `usage: npm run playground -- [options]

  --screenshots DIR  keeps pictures of the page there
  --nix-files TREE   a folder with Nix files for the grammar (default: those of this repository)
  --chromium PATH    the browser (default: the one in PATH)
  --optional         passes without a browser, and says so`;

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** What the page needs before anything can be seen, and all that it loads until a program is evaluated. */
const maximumBytes = 350_000;

await runHarness(
  {
    usage,
    options: {
      screenshots: { type: 'string' },
      'nix-files': { type: 'string' },
      chromium: { type: 'string' },
      optional: { type: 'boolean' },
    },
  },
  async (values) => {
    const program = values['chromium'] ?? findChromium();
    const tally = new Tally();
    await checkGrammar(values['nix-files'] ?? root, tally);
    if (program === undefined) {
      if (values['optional'] !== true) throw new UsageError('there is no Chromium in PATH; install one');
      console.log('skipped: there is no Chromium in PATH');
      return tally.conclude();
    }
    const built = join(root, 'apps/playground/dist');
    if (!existsSync(join(built, 'index.html')))
      throw new UsageError('the playground is not built: npm run build');
    if (values['screenshots'] !== undefined) mkdirSync(values['screenshots'], { recursive: true });
    const browser = await chromium.launch({
      executablePath: program,
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    });
    try {
      const site = await serveSite(built, '/below/some/path/');
      const check = (
        /** @type {string} */ name,
        /** @type {boolean} */ ok,
        /** @type {unknown} */ seen = '',
      ) => {
        tally.record(name, ok);
        console.log(`${ok ? 'ok' : 'FAILED'}: ${name}${ok ? '' : `\n  ${JSON.stringify(seen)}`}`);
      };
      const page = await Page.open(browser, site.url, { screenshots: values['screenshots'] });
      checkSize(site.served, check);
      await page.picture('start');
      await checkPrograms(page, check);
      await checkEditing(page, check);
      await checkAccessibility(page, check);
      check('nothing went wrong on the page', page.faults.length === 0, page.faults);
      await page.close();
      await checkWithoutServer(browser, site, check);
    } finally {
      await browser.close();
    }
    for (const failure of tally.failures) console.log(`FAILED: ${failure}`);
    return tally.conclude();
  },
);

/**
 * @param {string} tree
 * @param {Tally} tally
 */
async function checkGrammar(tree, tally) {
  const { files, withErrors } = await measureGrammar(tree);
  console.log(`grammar: ${files - withErrors.length} of ${files} files without an error`);
  for (const { path, offset } of withErrors) console.log(`FAILED: an error at ${path}:${offset}`);
  tally.record('the grammar reads every file that the core reads', files > 0 && withErrors.length === 0);
}

/**
 * @param {readonly import('./site.mjs').Served[]} served
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
function checkSize(served, check) {
  const sum = (/** @type {readonly import('./site.mjs').Served[]} */ files) =>
    files.reduce((total, { gzipBytes }) => total + gzipBytes, 0);
  const isLater = (/** @type {string} */ path) => /worker|\.wasm$|builtin-help/.test(path);
  // The service worker asks for everything once more; each file counts once.
  const files = [...new Map(served.map((file) => [file.path, file])).values()];
  const first = sum(files.filter(({ path }) => !isLater(path)));
  const all = sum(files);
  for (const { path, gzipBytes } of files)
    console.log(`  ${path || 'index.html'}: ${gzipBytes} bytes compressed`);
  console.log(`first paint: ${first} bytes compressed; all until a value is there: ${all}`);
  check('the first paint takes at most 350 KB', first > 0 && first <= maximumBytes, first);
  check('everything until a value is there takes at most 350 KB', all <= maximumBytes, all);
}
