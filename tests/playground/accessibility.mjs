// The page for everybody: axe finds nothing in any state, in either theme and on a narrow screen; and the picture of each.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
export async function checkAccessibility(page, check) {
  await page.page.evaluate(axe);
  for (const theme of ['light', 'dark']) {
    await page.page.emulateMedia({ colorScheme: theme === 'dark' ? 'dark' : 'light' });
    await page.page.waitForFunction((it) => document.documentElement.dataset['theme'] === it, theme);
    check(`the theme follows the system: ${theme}`, true);
    for (const [state, enter] of states(page, check)) {
      await enter();
      const found = await violations(page);
      check(`axe, ${theme}: ${state}`, found.length === 0, found);
    }
    await page.page.setViewportSize({ width: 390, height: 844 });
    await page.sample('Values');
    const found = await violations(page);
    check(`axe, ${theme}: narrow`, found.length === 0, found);
    const overflow = await page.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(`nothing is wider than a narrow screen, ${theme}`, overflow <= 0, overflow);
    await page.picture(`narrow${theme === 'dark' ? '-dark' : ''}`, { fullPage: true });
    await page.page.setViewportSize({ width: 1280, height: 800 });
    if (theme === 'dark') await page.picture('dark');
  }
  await page.page.click('#theme');
  check(
    'the theme can be chosen',
    (await page.page.evaluate(() => document.documentElement.dataset['theme'])) === 'light',
  );
  const order = await focusOrder(page);
  check(
    'the keyboard reaches the controls in their order',
    order.startsWith('samples tour-button share strict run theme'),
    order,
  );
}

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 * @returns {[string, () => Promise<void>][]}
 */
function states(page, check) {
  const inTab =
    (/** @type {string} */ tab, /** @type {string} */ sample, /** @type {string} */ selector) => async () => {
      await page.sample(sample);
      await page.tab(tab);
      await page.page.waitForSelector(selector);
    };
  return [
    ['a value', inTab('value', 'Values', '[role=tree]')],
    ['derivations', inTab('derivations', 'Derivations', '.graph-node')],
    ['the syntax tree', inTab('syntax', 'Functions', '.syntax-row')],
    ['the code', inTab('code', 'Functions', '.code-row')],
    ['the timing', inTab('timing', 'Functions', '.figures')],
    ['an error', inTab('value', 'An error', '.problem-error')],
    [
      'completion',
      async () => {
        await page.write('');
        await page.page.keyboard.type('builtins.ma', { delay: 5 });
        await page.page.waitForSelector('.cm-tooltip-autocomplete li');
      },
    ],
    [
      'a running loop',
      async () => {
        await page.page.keyboard.press('Escape');
        await page.page.selectOption('#samples', { label: 'An endless loop' });
        await page.page.waitForFunction(() => document.body.classList.contains('slow'));
        const moving = await page.page.evaluate(() => document.getAnimations().length);
        check('nothing moves for who wants less of it', moving === 0, moving);
      },
    ],
    ['a stopped loop', async () => await page.evaluated(() => page.page.click('#stop'))],
    [
      'the tour',
      async () => {
        await page.evaluated(() => page.page.click('#tour-button'));
        await page.evaluated(() => page.page.click('text=Show me'));
      },
    ],
    ['after the tour', async () => await page.page.click('text=End the tour')],
  ];
}

/**
 * What axe finds, as rule and elements.
 *
 * @param {import('./page.mjs').Page} page
 * @returns {Promise<string[]>}
 */
async function violations(page) {
  return await page.page.evaluate(async () => {
    const { violations: found } = await /** @type {any} */ (globalThis).axe.run(document);
    return found.map(
      (/** @type {any} */ { id, nodes }) =>
        `${id}: ${nodes.map((/** @type {any} */ node) => `${node.html} ${node.any[0]?.message ?? ''}`).join(' | ')}`,
    );
  });
}

/**
 * The ids of what the Tab key reaches, from the beginning of the page.
 *
 * @param {import('./page.mjs').Page} page
 */
async function focusOrder(page) {
  await page.page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
  });
  /** @type {string[]} */
  const ids = [];
  for (let i = 0; i < 6; i++) {
    await page.page.keyboard.press('Tab');
    ids.push(await page.page.evaluate(() => document.activeElement?.id ?? ''));
  }
  return ids.join(' ');
}
