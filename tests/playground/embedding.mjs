// What other pages take from the playground: an evaluator in the worker, and highlighting without the editor.

import { build } from 'esbuild';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const entry = join(dirname(fileURLToPath(import.meta.url)), '../../apps/playground/src/embed.ts');

/**
 * @param {import('./page.mjs').Page} page
 * @param {(name: string, ok: boolean, seen?: unknown) => void} check
 */
export async function checkEmbedding(page, check) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'embed',
    platform: 'browser',
    conditions: ['source'],
    // The worker is given: its address is not looked for.
    logOverride: { 'empty-import-meta': 'silent' },
  });
  await page.page.addScriptTag({ content: outputFiles[0]?.text ?? '' });
  const seen = await page.page.evaluate(async () => {
    /** @type {typeof import('../../apps/playground/src/embed.ts')} */
    const { createNixEvaluator, highlightNix } = /** @type {any} */ (globalThis).embed;
    const script = performance
      .getEntriesByType('resource')
      .find(({ name }) => /evaluation-worker.*\.js$/.test(name));
    const nix = createNixEvaluator(() => new Worker(script?.name ?? '', { type: 'module' }));
    const value = nix.evaluate('import ./two.nix + 1', { files: { 'two.nix': '2' } });
    const error = nix.evaluate('1 + "a"');
    const endless = nix.evaluate(
      'builtins.genericClosure { startSet = [ { key = 0; } ]; operator = { key }: [ { key = key + 1; } ]; }',
      { timeoutMs: 500 },
    );
    const after = nix.evaluate('"still there"');
    const shown = document.createElement('pre');
    shown.append(highlightNix('let a = 1; in\n"b"'));
    const results = await Promise.all([value, error, endless, after]);
    return { results, html: shown.innerHTML, text: shown.textContent };
  });
  const [value, error, endless, after] = /** @type {any[]} */ (seen.results);
  check('an embedded program has its value', value.value === '3', value);
  check('or its error', /cannot add a string to an integer/.test(error.error), error);
  check('or is stopped after its time', /stopped/.test(endless.error), endless);
  check('and the next one is evaluated', after.value === '"still there"', after);
  const isHighlighted = seen.html.startsWith('<span class="nix-keyword">let</span> ');
  check('highlighting keeps the text', isHighlighted && seen.text === 'let a = 1; in\n"b"', seen);
}
