// Completion in real shells; the manual pages in real readers, groff and mandoc, which find nothing to complain of; and links
// to sources at a real terminal, of util-linux's script, and nowhere else.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../lib/command.mjs';
import { runHarness } from '../lib/options.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { bash, fish, makePlace, zsh } from './shells.mjs';

const usage = `usage: node tests/completion/run.mjs [options]

  --filter TEXT    only checks whose name contains this
${storeTestUsage}`;

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * What is offered for a line, in any order.
 *
 * @type {readonly { line: string, words: readonly string[] }[]}
 */
const cases = [
  { line: 'neve bui', words: ['build'] },
  { line: 'neve store co', words: ['copy', 'config'] },
  { line: 'neve daemon s', words: ['status', 'stop'] },
  { line: 'neve help store di', words: ['diff'] },
  { line: 'neve completion ', words: ['bash', 'zsh', 'fish'] },
  { line: 'neve store root a', words: ['add'] },
  { line: 'neve build --keep-', words: ['--keep-going', '--keep-failed'] },
  { line: 'neve build --no-subst', words: ['--no-substitute'] },
  { line: 'neve store copy --no-ch', words: ['--no-check-signatures'] },
  { line: 'neve cache push --compression x', words: ['xz'] },
  { line: 'neve build --option sandb', words: ['sandbox', 'sandbox-paths'] },
  { line: 'neve build --option sandbox r', words: ['relaxed'] },
  { line: 'neve build --lint-url-literals=w', words: ['--lint-url-literals=warn'] },
  { line: 'neve build -A hel', words: ['hello', 'help'] },
  { line: 'neve build -A pytho', words: ['pythonPackages.'] },
  { line: 'neve build -A pythonPackages.num', words: ['pythonPackages.numpy', 'pythonPackages.numba'] },
  { line: 'neve build -A deep.lis', words: ['deep.list'] },
  { line: 'neve build -A deep.list.', words: ['deep.list.0', 'deep.list.1'] },
  { line: 'neve log --attr hello', words: ['hello'] },
  { line: 'neve instantiate -A hel', words: ['hello', 'help'] },
  { line: 'neve eval -f other.nix fr', words: ['fromOther'] },
  { line: 'neve eval --file ./sub/third.nix fr', words: ['fromThird'] },
  { line: "neve eval --expr '{ one = 1; once = 2; }' on", words: ['one', 'once'] },
  { line: 'neve eval --expr "{ one = 1; once = 2; }" on', words: ['one', 'once'] },
  { line: 'neve build --arg gree', words: ['greeting'] },
  { line: 'neve build --argstr greeting hello -A greeted.', words: ['greeted.hello'] },
  { line: 'neve build -A broken.', words: [] },
  { line: 'neve build -A needsBuild.', words: [] },
  { line: 'neve build -A needsNetwork.', words: [] },
  { line: 'neve eval -f oth', words: ['other.nix'] },
  { line: 'neve re', words: ['repl'] },
  { line: 'neve repl --file other.nix fr', words: ['fromOther'] },
  { line: 'neve cache list --folder s', words: ['sub/'] },
];

await runHarness(
  { usage, options: { filter: { type: 'string' }, ...storeTestOptions } },
  async (values) =>
    await withWorkingFolder(values, async (folder) => {
      const tally = new Tally();
      /** @param {string} name @param {() => Promise<void>} check */
      const record = async (name, check) => {
        if (!name.includes(values['filter'] ?? '')) return;
        try {
          await check();
          tally.record(name, true);
        } catch (error) {
          tally.record(name, false);
          console.log(`FAIL ${name}\n${error instanceof Error ? error.message : String(error)}\n`);
        }
      };
      const script = values['neve'] ?? join(root, 'apps/cli/bin/neve.cjs');
      const place = await makePlace(folder, script);
      let requests = 0;
      const server = createServer((_request, response) => {
        requests += 1;
        response.end('{ }');
      });
      await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
      const address = server.address();
      assert(address !== null && typeof address === 'object');
      writeExpressions(place.work, address.port);
      const storePath = await importFile(place);
      const all = [...cases, { line: `neve store info ${storePath.slice(0, 20)}`, words: [storePath] }];
      for (const [name, complete] of Object.entries({
        bash: bash(place),
        zsh: zsh(place),
        fish: fish(place),
      })) {
        for (const { line, words } of all) {
          await record(`${name}: ${line}`, async () => {
            const offered = (await complete(line)).map((it) => withSlash(it, place.work));
            assert.deepEqual(offered.toSorted(), [...words].toSorted());
          });
        }
      }
      await record('nothing was fetched', async () => assert.equal(requests, 0));
      server.close();
      await record('what takes too long is given up', async () => await checkTimeLimit(place));
      await record('links to sources', async () => await checkLinks(place));
      for (const page of pages()) await record(`page ${page}`, async () => await checkPage(page));
      return tally.conclude();
    }),
);

/** @param {string} work @param {number} port */
function writeExpressions(work, port) {
  mkdirSync(join(work, 'sub'), { recursive: true });
  writeFileSync(
    join(work, 'default.nix'),
    `{ greeting ? "hi" }:
let derivationOf = name: derivation { inherit name; system = builtins.currentSystem; builder = "/bin/sh"; }; in
{
  hello = derivationOf "hello";
  help = throw "not needed";
  pythonPackages = { numpy = throw "not needed"; numba = 2; };
  deep.list = [ 1 2 ];
  greeted = { "\${greeting}" = 1; };
  broken = throw "broken";
  needsBuild = import (derivationOf "built");
  needsNetwork = import (builtins.fetchurl "http://127.0.0.1:${port}/x.nix");
  endless = builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 2000000000);
}
`,
  );
  writeFileSync(join(work, 'other.nix'), '{ fromOther = 1; }');
  writeFileSync(join(work, 'sub/third.nix'), '{ fromThird = 1; }');
}

/**
 * Shells differ in whether they show that a word is a directory.
 *
 * @param {string} word
 * @param {string} work
 */
function withSlash(word, work) {
  const isFolder =
    !word.endsWith('/') &&
    readdirSync(work, { withFileTypes: true }).some((it) => it.isDirectory() && it.name === word);
  return isFolder ? `${word}/` : word;
}

/** @param {import('./shells.mjs').Place} place */
async function importFile({ work, env }) {
  const { code, stdout, stderr } = await runCommand(['neve', 'store', 'import', 'other.nix'], {
    cwd: work,
    env,
  });
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

/** @param {import('./shells.mjs').Place} place */
async function checkLinks({ work, env }) {
  const file = join(work, 'a b.nix');
  writeFileSync(file, '\n1 + "x"\n');
  const command = 'neve eval --file "a b.nix"';
  const link = `\u001B]8;;file://${hostname()}${work}/a%20b.nix#L2\u001B\\${file}:2:5\u001B]8;;\u001B\\`;
  const outputOf = async (/** @type {NodeJS.ProcessEnv} */ variables) => {
    const options = { cwd: work, env: { ...env, ...variables } };
    const [terminal, pipe] = await Promise.all([
      runCommand(['script', '-qec', command, '/dev/null'], options),
      runCommand(['sh', '-c', command], options),
    ]);
    return { terminal: terminal.stdout, pipe: pipe.stderr };
  };
  const known = await outputOf({ TERM: 'xterm-kitty' });
  assert(known.terminal.includes(link), JSON.stringify(known.terminal));
  const unknown = await outputOf({ TERM: 'xterm' });
  assert(unknown.terminal.includes(`${file}:2:5`) && !unknown.terminal.includes('\u001B]'));
  const forced = await outputOf({ TERM: 'xterm', FORCE_HYPERLINK: '1' });
  assert(forced.terminal.includes(link));
  for (const { pipe } of [known, unknown, forced]) {
    assert(pipe.includes(`at ${file}:2:5:`) && !pipe.includes('\u001B'), JSON.stringify(pipe));
  }
}

/** @param {import('./shells.mjs').Place} place */
async function checkTimeLimit({ work, env }) {
  const start = Date.now();
  const { code, stdout } = await runCommand(['neve', 'complete', '--', 'build', '-A', 'endless'], {
    cwd: work,
    env,
    timeoutMs: 60_000,
  });
  assert.equal(code, 0);
  assert.equal(stdout, 'none\nendless\t\n');
  assert(Date.now() - start < 30_000, 'it took longer than ten times the limit');
}

function pages() {
  const folder = join(root, 'apps/cli/dist/man');
  return readdirSync(folder).flatMap((section) =>
    readdirSync(join(folder, section)).map((name) => join(folder, section, name)),
  );
}

/** @param {string} page */
async function checkPage(page) {
  for (const reader of [
    ['mandoc', '-T', 'lint', '-W', 'warning', page],
    ['groff', '-man', '-ww', '-z', '-k', page],
  ]) {
    const { code, stdout, stderr } = await runCommand(reader);
    assert.equal(`${stdout}${stderr}`, '');
    assert.equal(code, 0);
  }
}
