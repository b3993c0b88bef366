// The table of all commands, which the bundled scripts describe themselves, for the manual pages, the reference, and
// completion. Wants `bundle.mjs` to have made `dist/modules`.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const app = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

/** The script that has help, and makes pages of the table. */
export function helpScript() {
  return require(join(app, 'dist/modules/help-main.cjs'));
}

export function commandTable() {
  const { version } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
  const describe = (/** @type {string} */ name) =>
    require(join(app, `dist/modules/${name}-main.cjs`)).describe();
  const others = ['store', 'image', 'cache', 'daemon', 'nix-daemon', 'nar-bridge'].map(describe);
  return helpScript().makeCommandTable({ version, date: buildDate() }, [
    ...describe('evaluate'),
    ...describe('jobs'),
    ...others,
  ]);
}

/** Today, or what SOURCE_DATE_EPOCH says (reproducible-builds.org). */
function buildDate() {
  const { SOURCE_DATE_EPOCH: seconds } = process.env;
  return new Date(seconds === undefined ? Date.now() : Number(seconds) * 1000).toISOString().slice(0, 10);
}

/** `dist/commands.json`, and the manual pages in `dist/man`. */
export function writeCommandTable() {
  const table = commandTable();
  writeFileSync(join(app, 'dist/commands.json'), JSON.stringify(table));
  rmSync(join(app, 'dist/man'), { recursive: true, force: true });
  for (const { file, text } of helpScript().manualPages(table)) {
    const folder = join(app, `dist/man/man${file.slice(file.lastIndexOf('.') + 1)}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, file), text);
  }
}
