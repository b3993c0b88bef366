// Programs in the browser give what the command gives: the samples, the steps of the tour, and derivations with their
// paths.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleModule } from '../lib/bundle-module.mjs';
import { instantiatedByCommand, printedByCommand } from './command-answers.mjs';

const sources = join(dirname(fileURLToPath(import.meta.url)), '../../apps/playground/src');

/** Their value is none, or takes for ever. */
const withoutValue = new Set(['An error', 'An endless loop']);

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
export async function checkPrograms(page, check) {
  /** @type {{ samples: readonly import('../../apps/playground/src/samples.ts').Sample[] }} */
  const { samples } = await import(await bundleModule(join(sources, 'samples.ts')));
  for (const { title, files } of samples) {
    if (withoutValue.has(title)) continue;
    await checkProgram(page, check, { title: `sample “${title}”`, files, strict: false });
    if (title !== 'Values')
      await checkProgram(page, check, { title: `sample “${title}”`, files, strict: true });
  }
  await checkTour(page, check);
  await checkDerivations(page, check);
  await checkTree(page, check);
}

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 * @param {{ title: string, files: readonly import('./command-answers.mjs').File[], strict: boolean }} program
 */
async function checkProgram(page, check, { title, files, strict }) {
  const { printed } = await evaluate(page, files, strict);
  const expected = await printedByCommand(files, strict);
  check(
    `${title}${strict ? ', strict' : ''}: as the command`,
    printed !== undefined && printed === expected,
    {
      printed,
      expected,
    },
  );
}

/**
 * @param {import('./page.mjs').Page} page
 * @param {readonly import('./command-answers.mjs').File[]} files
 * @param {boolean} strict
 */
async function evaluate(page, files, strict) {
  return await page.askWorker({
    kind: 'evaluate',
    files: Object.fromEntries(files.map(({ name, text }) => [name, text])),
    main: files[0]?.name,
    strict,
  });
}

/**
 * Every step can be done, is not done at its beginning, and its solution is one for the command as well.
 *
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
async function checkTour(page, check) {
  /** @type {{ tour: readonly import('../../apps/playground/src/tour.ts').TourStep[] }} */
  const { tour } = await import(await bundleModule(join(sources, 'tour.ts')));
  for (const { title, code, solution, goal } of tour) {
    const before = await evaluate(page, [{ name: 'main.nix', text: code }], true);
    const after = await evaluate(page, [{ name: 'main.nix', text: solution }], true);
    const command = await printedByCommand([{ name: 'main.nix', text: solution }], true);
    const ok = before.printed !== goal && after.printed === goal && command === goal;
    check(`tour “${title}”`, ok, { before: before.printed, after: after.printed, command, goal });
  }
  await page.evaluated(() => page.page.click('#tour-button'));
  check(
    'the tour begins with a task',
    ((await page.page.textContent('.tour-task')) ?? '').startsWith('Task'),
  );
  await page.picture('tour');
  await page.evaluated(() => page.page.click('text=Show me'));
  check('a step that is done says so', (await page.page.textContent('.tour-task')) === 'Done!');
  await page.evaluated(() => page.page.click('.tour-buttons >> text=Next'));
  check('and leads to the next', /step 2/.test((await page.page.textContent('.tour-count')) ?? ''));
  await page.page.click('text=End the tour');
}

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
async function checkDerivations(page, check) {
  await page.sample('Derivations');
  await page.tab('derivations');
  const text = await page.text();
  const all = '[ libc compiler zlib openssl curl docs (build "image" [ curl docs ]) ]';
  const expected = await instantiatedByCommand(text.replace(/\(build "image".*/, all));
  const drawn = await page.page.$$eval('[data-path]', (nodes) =>
    nodes.map((node) => node.getAttribute('data-path') ?? ''),
  );
  check('the graph has the derivations that the command makes', same(drawn, expected), { drawn, expected });
  const edges = await page.page.$$eval('.graph-edge', (paths) => paths.length);
  // compiler 1, zlib 2, openssl 3, curl 3, image 2
  check('the graph has an arrow for each need', edges === 11, edges);
  await page.page.click('[data-path$="-zlib.drv"]');
  const json = JSON.parse((await page.page.textContent('.derivation-details pre')) ?? '{}');
  check(
    'the chosen derivation is shown as JSON',
    json.name === 'zlib' && json.inputs.srcs.length === 1,
    json,
  );
  await page.picture('derivation-graph');
  await page.tab('value');
}

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
async function checkTree(page, check) {
  await page.sample('Values');
  const row = (/** @type {string} */ name) =>
    page.page.locator('li[role=treeitem]', {
      has: page.page.locator(`:scope > .tree-row > .tree-name:text-is("${name}")`),
    });
  const valueOf = async (/** @type {string} */ name) =>
    (await row(name).locator(':scope > .tree-row .value').textContent()) ?? '';
  check('nothing inside is evaluated at first', (await valueOf('sum')) === '…', await valueOf('sum'));
  await row('sum').locator(':scope > .tree-row').click();
  await page.page.waitForFunction(() => document.querySelector('.value-int')?.textContent === '10');
  check('what is opened is evaluated', (await valueOf('sum')) === '10');
  check('and nothing else', (await valueOf('later')) === '…');
  await row('broken').locator(':scope > .tree-row').click();
  await page.page.waitForSelector('.value-error');
  check(
    'a failure stays where it is',
    /only who opens this/.test(await valueOf('broken')) && (await valueOf('sum')) === '10',
  );
  await row('greetings').focus();
  await page.page.keyboard.press('ArrowRight');
  await page.page.waitForFunction(() => document.querySelectorAll('[aria-level="3"]').length === 3);
  await page.page.keyboard.press('ArrowRight');
  await page.page.keyboard.press('Enter');
  await page.page.waitForFunction(() =>
    /Hello, Ada!/.test(document.querySelector('[role=tree]')?.textContent ?? ''),
  );
  check(
    'the keyboard opens and moves',
    (await page.page.evaluate(() => document.activeElement?.getAttribute('aria-level'))) === '3',
  );
  await page.page.keyboard.press('ArrowLeft');
  await page.page.keyboard.press('ArrowLeft');
  check('and closes', (await row('greetings').getAttribute('aria-expanded')) === 'false');
}

/**
 * @param {readonly string[]} a
 * @param {readonly string[]} b
 */
function same(a, b) {
  return JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
}
