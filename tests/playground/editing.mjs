// What a person does with the editor: mistakes, completion, links between panes and source, files, links, and loops.

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
export async function checkEditing(page, check) {
  await checkUnderlines(page, check);
  await checkCompletion(page, check);
  await checkInside(page, check);
  await checkFiles(page, check);
  await checkLinks(page, check);
  await checkLoop(page, check);
}

/** Each program with what must be underlined in it, and how. */
const mistakes = /** @type {const} */ ([
  ['let x = 1; in x + missing', 'error', 'missing'],
  ['{ a = "é"; b = 1 + "text"; }.b', 'error', '"text"'],
  ['{ a = 1; b = }', 'error', '}'],
  ['let f = x: x.nothing; in f { some = 1; }', 'error', 'x.nothing'],
  ['let used = 1; unused = 2; in used', 'hint', 'unused'],
  ['{ a, b ? 1 }: a', 'hint', 'b'],
  ['builtins.warn "careful" 1', 'none', undefined],
]);

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
async function checkUnderlines(page, check) {
  for (const [text, kind, expected] of mistakes) {
    await page.write(text);
    const found = await page.page.evaluate(
      (selector) => document.querySelector(selector)?.textContent ?? undefined,
      kind === 'hint' ? '.nix-unused' : '.cm-lintRange-error',
    );
    check(`underlined in ${text}`, found === expected, { found, expected });
  }
  check('a warning is shown', /careful/.test((await page.page.textContent('#value')) ?? ''));
  await page.sample('An error');
  const error = (await page.page.textContent('.problem-error')) ?? '';
  check(
    'an error is shown with its trace',
    /division by zero/.test(error) && /from call site/.test(error),
    error,
  );
  const parts = await page.page.$$eval('.problem-error > *', (nodes) => nodes.map((node) => node.className));
  check('its message comes first', parts.join(' ').trim() === 'problem-title places', parts);
  await page.picture('error');
}

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
async function checkCompletion(page, check) {
  const complete = async (/** @type {string} */ text) => {
    await page.write('');
    await page.page.keyboard.type(text, { delay: 5 });
    await page.page.waitForSelector('.cm-tooltip-autocomplete li');
    await page.page.waitForTimeout(150);
    const labels = await page.page.$$eval('.cm-completionLabel', (nodes) =>
      nodes.map((node) => node.textContent ?? ''),
    );
    return labels;
  };
  check('names in scope are offered', (await complete('let meadow = 1; in mea'))[0] === 'meadow');
  await page.page.keyboard.press('Escape');
  check('attributes are offered', (await complete('let s = { leaf = 1; }; in s.le'))[0] === 'leaf');
  await page.page.keyboard.press('Escape');
  check('builtins are offered', (await complete('builtins.fold'))[0] === "foldl'");
  await page.page.waitForSelector('.cm-completionInfo');
  const help = (await page.page.textContent('.cm-completionInfo')) ?? '';
  check('with their documentation', /builtins\.foldl' .*list/.test(help), help);
  await page.picture('completion');
  await page.page.keyboard.press('Escape');
}

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
async function checkInside(page, check) {
  const source = 'let add = a: b: a + b; in { four = add 2 (1 + 1); n.m = [ "x" ]; }';
  await page.write(source);
  await page.tab('syntax');
  await page.page.waitForSelector('.syntax-row');
  /** A row of the tree by its text, with what is marked in the source when it is pointed at. */
  const cases = /** @type {const} */ ([
    ['value Lambda a', 'a: b: a + b'],
    ['body Add', 'a + b'],
    ['value Call', 'add 2 (1 + 1)'],
    ['argument Add', '(1 + 1)'],
    ['Binding four', 'four = add 2 (1 + 1);'],
    ['item String "x"', '"x"'],
    ['body Attrs', '{ four = add 2 (1 + 1); n.m = [ "x" ]; }'],
    ['bindings Attrs', 'add = a: b: a + b;'],
  ]);
  for (const [label, expected] of cases) {
    await page.page
      .locator('.syntax-row', { hasText: new RegExp(`^${label}$`) })
      .first()
      .hover();
    const marked = await page.page.$$eval('.linked-source', (nodes) =>
      nodes.map((node) => node.textContent).join(''),
    );
    check(`the tree's “${label}” is a piece of the source`, marked === expected, { marked, expected });
  }
  await page.page.locator('.cm-line', { hasText: 'four' }).click();
  await page.page.keyboard.press('Home');
  for (let i = 0; i < source.indexOf('[ "x"') + 3; i++) await page.page.keyboard.press('ArrowRight');
  const linked = await page.page.textContent('.syntax-row.linked');
  check('the place of the cursor is a node of the tree', linked === 'item String "x"', linked);
  await page.picture('syntax');
  await page.tab('code');
  await page.page.waitForSelector('.code-row');
  const code = (await page.page.textContent('#code')) ?? '';
  check('the code is listed', /@0 the file/.test(code) && /function add/.test(code) && /Call/.test(code));
  await page.page.locator('.code-row', { hasText: 'Add' }).first().hover();
  const marked = await page.page.textContent('.linked-source');
  // An addition is where its right operand is: there its errors point to.
  check('an instruction is a place of the source', marked === 'b', marked);
  await page.tab('timing');
  await page.page.waitForSelector('#timing .note');
  const phases = (await page.page.textContent('#timing')) ?? '';
  check('the phases are timed', /Parse and compile.*ms.*Evaluate/.test(phases));
  await page.sample('Functions');
  await page.evaluated(() => page.page.check('#strict'));
  await page.page.waitForFunction(() => /describe/.test(document.querySelector('.flame')?.textContent ?? ''));
  check('the flame graph names functions', true);
  await page.picture('timing');
  await page.evaluated(() => page.page.uncheck('#strict'));
  await page.tab('value');
}

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
async function checkFiles(page, check) {
  await page.sample('Several files');
  const names = await page.page.$$eval('.file-name', (tabs) => tabs.map((tab) => tab.textContent));
  check('files have tabs', names.join(' ') === 'main.nix lists.nix people.nix', names);
  page.page.once('dialog', (dialog) => void dialog.accept('half.nix'));
  await page.evaluated(() => page.page.click('#add-file'));
  await page.write('n: n / 0');
  await page.page.click('.file-name:text-is("main.nix")');
  await page.write('import ./half.nix 1');
  await page.page.click('.place:has-text("half.nix")');
  const active = await page.page.textContent('.file-name[aria-pressed=true]');
  const underlined = await page.page.textContent('.cm-lintRange-error');
  check('an error in another file is a way there', active === 'half.nix' && underlined === '/', {
    active,
    underlined,
  });
  await page.write('n: n * 21');
  const value = (await page.page.textContent('[role=tree]')) ?? '';
  check('an imported file is used as it is now', value === '21', value);
  await page.evaluated(() => page.page.click('[aria-label="Remove half.nix"]'));
  check('a removed file is not there', /does not exist/.test((await page.page.textContent('#value')) ?? ''));
}

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
async function checkLinks(page, check) {
  await page.sample('Several files');
  await page.page.click('.file-name:text-is("people.nix")');
  await page.write('[ { name = "Émilie"; born = 1706; } ]');
  await page.evaluated(() => page.page.check('#strict'));
  await page.page.waitForFunction(() => location.hash.length > 100);
  await page.page.waitForTimeout(100);
  const link = page.page.url();
  check('the link has a version', /#1\.[\w-]+$/.test(link), link);
  const browser = page.page.context().browser();
  if (browser === null) throw new Error('the page has no browser');
  const { Page } = await import('./page.mjs');
  const other = await Page.open(browser, link);
  check(
    'a link brings the text',
    (await other.text()) === '[ { name = "Émilie"; born = 1706; } ]',
    await other.text(),
  );
  check('and the files', (await other.page.$$('.file-name')).length === 3);
  check('and the switch', await other.page.isChecked('#strict'));
  await other.page.goto('about:blank');
  await other.page.goto(link.slice(0, -20));
  await other.settled();
  check('a link that was cut is no harm', /greet/.test(await other.text()), await other.text());
  await other.close();
  await page.evaluated(() => page.page.uncheck('#strict'));
}

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
async function checkLoop(page, check) {
  await page.page.selectOption('#samples', { label: 'An endless loop' });
  await page.page.waitForFunction(() =>
    /takes long/.test(document.getElementById('status')?.textContent ?? ''),
  );
  check('what takes long is said to', await page.page.isEnabled('#stop'));
  const started = performance.now();
  await page.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  const frame = performance.now() - started;
  check('and the page goes on', frame < 1000, frame);
  await page.evaluated(() => page.page.click('#stop'));
  check('a loop can be stopped', (await page.status()) === 'Stopped.', await page.status());
  await page.picture('stopped-loop');
  await page.write('1 + 1');
  check('and then everything works again', (await page.page.textContent('[role=tree]')) === '2');
  await page.page.selectOption('#samples', { label: 'An endless loop' });
  await page.page.waitForTimeout(300);
  await page.write('2 + 2');
  check('a change stops a loop as well', (await page.page.textContent('[role=tree]')) === '4');
  await page.write(
    '{ endless = let f = n: builtins.seq (builtins.genericClosure { startSet = [ { key = 0; } ]; operator = { key }: [ { key = key + 1; } ]; }) n; in f 1; }',
  );
  await page.page.click('.tree-row:has-text("endless")');
  await page.page.waitForTimeout(200);
  await page.evaluated(() => page.page.click('#stop'));
  check('so can a part of a value', (await page.status()) === 'Stopped.', await page.status());
}
