// The built site and the page of the examples in a browser: examples run, can be changed and stopped, search finds,
// nothing violates the rules of accessibility, and nothing is asked of another server.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../browser/chromium.mjs';
import { UsageError, runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { root } from './root.mjs';
import { serveSite } from './site-server.mjs';

const usage = `usage: npm run docs-site -- [options]

  --shots DIR      keep screenshots there
  --no-build       take the site as it was built before, with the same base
  --optional       without a browser, say so and end well`;

const base = '/some/where/';
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @typedef {import('playwright-core').Page} Page */

/** @type {[name: string, check: (page: Page, url: string, shoot: (name: string) => Promise<void>) => Promise<void>][]} */
const checks = [
  ['the start page is there, and its example runs', startPage],
  ['a builtin’s example is run, changed, wrong, endless, and reset', editedExample],
  ['an example with a file beside it', exampleWithFile],
  ['search finds a builtin', searching],
  ['the dark theme', darkTheme],
  ['a narrow screen', narrowScreen],
];

await runHarness(
  {
    usage,
    options: { shots: { type: 'string' }, 'no-build': { type: 'boolean' }, optional: { type: 'boolean' } },
  },
  async ({ shots, 'no-build': noBuild, optional }) => {
    const tally = new Tally();
    const program = findChromium();
    if (program === undefined) {
      if (!optional) throw new UsageError('there is no Chromium in PATH');
      console.log('there is no Chromium: the site is not looked at');
      return true;
    }
    if (!noBuild)
      tally.record(
        'the site is built without dead links',
        run('apps/docs/scripts/build.mjs', '--base', base),
      );
    if (shots !== undefined) mkdirSync(shots, { recursive: true });
    const browser = await chromium.launch({
      executablePath: program,
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    });
    const folder = mkdtempSync(join(tmpdir(), 'neve-site-'));
    try {
      const site = await serveSite(join(root, 'apps/docs/dist/site'), base);
      for (const [name, check] of checks) {
        await inPage(name, tally, async (page) => {
          await check(page, site.url, async (file) => {
            if (shots !== undefined) await page.screenshot({ path: join(shots, `${file}.png`) });
          });
        });
      }
      site.close();
      tally.record('the example page is built', run('examples/web-page/build.mjs', folder));
      const example = await serveSite(folder, '/');
      await inPage('the example page evaluates what is typed', tally, (page) =>
        typeInExample(page, example.url),
      );
      example.close();
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    }
    return tally.conclude();

    /** @type {(name: string, tally: Tally, body: (page: Page) => Promise<void>) => Promise<void>} */
    async function inPage(name, counted, body) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      /** @type {string[]} */
      const complaints = [];
      page.on('pageerror', (error) => complaints.push(`the page throws: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(`the console says: ${message.text()}`);
      });
      page.on('request', (request) => {
        const { hostname, protocol } = new URL(request.url());
        if (protocol.startsWith('http') && hostname !== '127.0.0.1') complaints.push(`asks ${request.url()}`);
      });
      try {
        await body(page);
      } catch (error) {
        complaints.push(error instanceof Error ? error.message : String(error));
      }
      await page.close();
      counted.record(name, complaints.length === 0);
      console.log(`${complaints.length === 0 ? '✓' : '✗'} ${name}`);
      for (const complaint of complaints) console.log(`  ${complaint.replaceAll('\n', '\n  ')}`);
    }
  },
);

/** @param {string} script @param {string[]} words */
function run(script, ...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, script), ...words], {
    encoding: 'utf8',
  });
  if (status !== 0) console.log(`${stdout}${stderr}`);
  return status === 0;
}

/** @param {Page} page @param {string} url @param {(name: string) => Promise<void>} shoot */
async function startPage(page, url, shoot) {
  await page.goto(url);
  await shoot('start');
  await checkAccessibility(page);
  const example = page.locator('nix-example').first();
  await example.getByRole('button', { name: 'Run' }).click();
  await expectText(page, example.locator('output'), '{ squares = [ 1 4 9 16 25 ]; sum = 55; }');
  await example.scrollIntoViewIfNeeded();
  await shoot('start-example');
}

/** @param {Page} page @param {string} url @param {(name: string) => Promise<void>} shoot */
async function editedExample(page, url, shoot) {
  await page.goto(`${url}reference/builtins/lists.html#genList`);
  const example = page.locator('#genList ~ nix-example').first();
  const run = example.getByRole('button', { name: 'Run' });
  const output = example.locator('output');
  const code = example.getByRole('textbox');
  await run.click();
  await expectText(page, output, '[ 0 1 4 9 16 ]');
  await shoot('builtin');
  await checkAccessibility(page);
  await code.fill('map (n: n + 1)\n  [ 1 2 ]');
  await code.press('Control+Enter');
  await expectText(page, output, '[ 2 3 ]');
  await code.fill('{ a = 1; }.b');
  await run.click();
  await expectText(page, output, /attribute 'b' missing/);
  await checkAccessibility(page);
  await shoot('builtin-error');
  await code.fill(
    "builtins.foldl' (a: b: builtins.length (map (n: n) (builtins.genList (n: n) 100000))) 0 (builtins.genList (n: n) 1000000)",
  );
  await run.click();
  await example.getByRole('button', { name: 'Stop' }).click();
  await expectText(page, output, 'stopped');
  await example.getByRole('button', { name: 'Reset' }).click();
  await run.click();
  await expectText(page, output, '[ 0 1 4 9 16 ]');
}

/** @param {Page} page @param {string} url */
async function exampleWithFile(page, url) {
  await page.goto(`${url}reference/language.html#files`);
  const example = page.locator('#files ~ nix-example').first();
  await example.getByRole('button', { name: 'Run' }).click();
  await expectText(page, example.locator('output'), '12');
}

/** @param {Page} page @param {string} url @param {(name: string) => Promise<void>} shoot */
async function searching(page, url, shoot) {
  await page.goto(`${url}start.html`);
  await page.getByRole('button', { name: 'Search' }).click();
  await page.locator('#localsearch-input').fill('genericClosure');
  const first = page.locator('#localsearch-list a').first();
  await first.waitFor();
  await shoot('search');
  await first.click();
  await page.waitForURL(/builtins\/(lists\.html#genericClosure|index|$)/);
}

/** @param {Page} page @param {string} url @param {(name: string) => Promise<void>} shoot */
async function darkTheme(page, url, shoot) {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto(`${url}reference/language.html`);
  await page.locator('html.dark').waitFor();
  await shoot('dark');
  await checkAccessibility(page);
}

/** @param {Page} page @param {string} url @param {(name: string) => Promise<void>} shoot */
async function narrowScreen(page, url, shoot) {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${url}comparison.html`);
  await shoot('narrow');
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > 360) throw new Error(`the page is ${width} pixels wide`);
  await page.goto(url);
  await shoot('narrow-start');
  await checkAccessibility(page);
}

/** @param {Page} page @param {string} url */
async function typeInExample(page, url) {
  await page.goto(url);
  const output = page.locator('output');
  await expectText(page, output, '[ 1 4 9 ]');
  await page.getByLabel('An expression').fill("builtins.foldl' builtins.add 0 [ 1 2 3 ]");
  await expectText(page, output, '6');
  await page.getByLabel('An expression').fill('let x = y; in x');
  await expectText(page, output, /undefined variable 'y'/);
  await checkAccessibility(page);
}

/**
 * @param {Page} page
 * @param {import('playwright-core').Locator} locator
 * @param {string | RegExp} expected
 */
async function expectText(page, locator, expected) {
  const matches = (/** @type {string} */ text) =>
    typeof expected === 'string' ? text === expected : expected.test(text);
  let text = '';
  for (const started = Date.now(); Date.now() - started < 20_000;) {
    text = (await locator.count()) === 0 ? '' : ((await locator.textContent()) ?? '');
    if (matches(text)) return;
    await page.waitForTimeout(50);
  }
  throw new Error(`should show ${expected}, but shows: ${text}`);
}

/** @param {Page} page */
async function checkAccessibility(page) {
  await page.evaluate(axeSource);
  const violations = await page.evaluate(async () => {
    /** @type {any} */
    const { axe } = globalThis;
    const { violations: found } = await axe.run(document);
    return found.map(
      (/** @type {any} */ it) =>
        `${it.id}: ${it.nodes.map((/** @type {any} */ node) => node.html).join(' ')}`,
    );
  });
  if (violations.length > 0) throw new Error(`axe: ${violations.join('\n')}`);
}
