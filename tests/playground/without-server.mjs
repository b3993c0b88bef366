// Once the page was there, it needs no server: its files are kept by the service worker.

import { Page } from './page.mjs';

/**
 * @param {import('playwright-core').Browser} browser
 * @param {{ url: string, close: () => void }} site
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
export async function checkWithoutServer(browser, site, check) {
  const page = await Page.open(browser, site.url);
  await page.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (navigator.serviceWorker.controller === null)
      await new Promise((resolve) => setTimeout(resolve, 50));
  });
  site.close();
  await page.page.context().setOffline(true);
  await page.page.reload();
  await page.settled();
  await page.write('builtins.length [ 1 2 3 ]');
  const value = await page.page.textContent('[role=tree]');
  check('without a server it evaluates', value === '3', value);
  await page.write('');
  await page.page.keyboard.type('builtins.conc', { delay: 5 });
  await page.page.waitForSelector('.cm-completionInfo');
  check('and knows the builtins', true);
  await page.close();
}
