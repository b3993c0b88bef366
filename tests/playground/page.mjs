// The page as the tests use it: what a person does and sees, and the built worker by itself.

import { join } from 'node:path';

/** @typedef {import('playwright-core').Browser} Browser */

export class Page {
  /** What the browser complained about. */
  /** @type {string[]} */
  faults = [];
  #screenshots;

  /**
   * @param {import('playwright-core').Page} page
   * @param {string | undefined} screenshots
   */
  constructor(page, screenshots) {
    this.page = page;
    this.#screenshots = screenshots;
    page.on('pageerror', (error) => this.faults.push(error.stack ?? error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(message.text());
    });
  }

  /**
   * Opens the page and waits for its first value.
   *
   * @param {Browser} browser
   * @param {string} url
   * @param {{ screenshots?: string | undefined }} [options]
   */
  static async open(browser, url, { screenshots } = {}) {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      reducedMotion: 'reduce',
    });
    const page = new Page(await context.newPage(), screenshots);
    await page.page.goto(url);
    await page.settled();
    return page;
  }

  async close() {
    await this.page.context().close();
  }

  /** Waits until an evaluation is done. */
  async settled() {
    await this.page.waitForFunction(() =>
      /Evaluated|failed|Stopped/.test(document.getElementById('status')?.textContent ?? ''),
    );
    await this.page.waitForFunction(() => !document.body.classList.contains('running'));
  }

  /** @param {() => Promise<unknown>} act something after which the program is evaluated again */
  async evaluated(act) {
    await this.page.evaluate(() => {
      const status = document.getElementById('status');
      if (status !== null) status.textContent = '';
    });
    await act();
    await this.settled();
  }

  /** @param {string} title */
  async sample(title) {
    await this.evaluated(() => this.page.selectOption('#samples', { label: title }));
  }

  /** Replaces the text of the editor. */
  async write(/** @type {string} */ text) {
    await this.evaluated(async () => {
      await this.page.click('.cm-content');
      await this.page.keyboard.press('Control+A');
      await this.page.keyboard.insertText(text);
    });
  }

  async text() {
    return await this.page.evaluate(() =>
      [...document.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\n'),
    );
  }

  /** @param {string} name */
  async tab(name) {
    await this.page.click(`#tab-${name}`);
  }

  async status() {
    return (await this.page.textContent('#status')) ?? '';
  }

  /**
   * Asks a worker of the built page, as the page does.
   *
   * @param {object} request
   * @returns {Promise<any>}
   */
  async askWorker(request) {
    return await this.page.evaluate(async (asked) => {
      const script = performance
        .getEntriesByType('resource')
        .find(({ name }) => /evaluation-worker.*\.js$/.test(name));
      if (script === undefined) throw new Error('the page has no worker');
      const worker = new Worker(script.name, { type: 'module' });
      try {
        return await new Promise((resolve, reject) => {
          worker.addEventListener('message', ({ data }) => {
            if (data.bug === undefined) resolve(data.answer);
            else reject(new Error(data.bug));
          });
          worker.addEventListener('error', (event) => reject(new Error(event.message)));
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- there is one worker
          worker.postMessage({ id: 1, ...asked });
        });
      } finally {
        worker.terminate();
      }
    }, request);
  }

  /** Keeps a picture, if pictures are wanted. */
  async picture(/** @type {string} */ name, { fullPage = false } = {}) {
    if (this.#screenshots === undefined) return;
    await this.page.screenshot({ path: join(this.#screenshots, `${name}.png`), fullPage });
  }
}
