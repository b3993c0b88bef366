// The prompt, `neve repl`: what it prints for scripts of lines, and for random programs, is what that of a real Nix prints; and
// it is used at a pseudo-terminal.
//
// Of errors the messages are compared and not the traces, which `npm run differential` does; of :help and :doc of builtins
// nothing, since their texts are our own.

import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCommand } from '../lib/command.mjs';
import { countOption, runHarness } from '../lib/options.mjs';
import { ProgramGenerator } from '../lib/program-generator.mjs';
import { Random } from '../lib/random.mjs';
import { runChecks } from '../lib/run-checks.mjs';
import { Tally } from '../lib/tally.mjs';
import { storeTestOptions, storeTestUsage, withWorkingFolder } from '../store/working-folder.mjs';
import { files, scripts } from './scripts.mjs';
import { projectScript, terminalChecks } from './terminal-checks.mjs';

const usage = `usage: node tests/repl/run.mjs [options]

  --filter TEXT    only checks whose name contains this
  --nix-bin DIR    folder of the Nix to compare with; without it, nothing is compared
  --count N        random programs to compare (default: 200)
  --seed N         seed of the random programs (default: a random one, printed)
${storeTestUsage}`;

/** @typedef {{ stdout: string, stderr: string, code: number | undefined }} Answer */

await runHarness(
  {
    usage,
    options: {
      filter: { type: 'string' },
      'nix-bin': { type: 'string' },
      count: { type: 'string' },
      seed: { type: 'string' },
      ...storeTestOptions,
    },
  },
  async (values) =>
    await withWorkingFolder(values, async (folder) => {
      const tally = new Tally();
      const checks = [...terminalChecks(realpathSync(folder), values['neve'])];
      const given = values['nix-bin'];
      const nixBin = given === undefined ? undefined : resolve(given);
      if (nixBin === undefined) console.log('no --nix-bin: the scripts are not compared with a Nix');
      else {
        const seed = countOption('seed', values['seed'], Math.floor(Math.random() * 2 ** 31));
        const count = countOption('count', values['count'], 200);
        console.log(`${count} programs with --seed ${seed}`);
        checks.push(...comparisons(realpathSync(folder), { nixBin, neve: values['neve'], seed, count }));
      }
      await runChecks(checks, { tally, filter: values['filter'] });
      return tally.conclude();
    }),
);

/**
 * @param {string} folder
 * @param {{ nixBin: string, neve: string | undefined, seed: number, count: number }} options
 * @returns {Iterable<import('../lib/run-checks.mjs').Check>}
 */
function* comparisons(folder, { nixBin, neve, seed, count }) {
  const work = join(folder, 'work');
  for (const name of ['work', 'home', 'etc', 'var']) mkdirSync(join(folder, name), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(work, name), text);
  writeFileSync(join(folder, 'etc/nix.conf'), 'build-users-group =\nsubstituters =\n');
  const env = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: join(folder, 'home'),
    EDITOR: 'echo an editor like vim:',
    NIX_CONF_DIR: join(folder, 'etc'),
    NIX_STATE_DIR: join(folder, 'var'),
    NIX_USER_CONF_FILES: '',
    NIX_REMOTE: join(folder, 'root'),
    _NIX_TEST_NO_ENVIRONMENT_WARNINGS: '1',
    // Nix 2.34 does so by itself.
    _NIX_TEST_REPL_ECHO: '1',
  };
  const nix = [join(nixBin, 'nix'), '--extra-experimental-features', 'nix-command', 'repl'];
  const neveRepl = [process.execPath, resolve(neve ?? projectScript), 'repl'];
  /** @param {readonly string[]} command @param {string} input */
  const ask = async (command, input) => answerOf(await runCommand(command, { cwd: work, env, input }));

  for (const { name, words = [], isText = false, input } of scripts) {
    yield [
      `as Nix: ${name}`,
      async () => {
        const [expected, actual] = await Promise.all([
          ask([...nix, ...words], input),
          ask([...neveRepl, ...words], input),
        ]);
        assert.equal(shown(actual.stdout, isText), shown(expected.stdout, isText));
        assert.equal(actual.stderr, expected.stderr);
        assert.equal(actual.code, expected.code);
      },
    ];
  }

  const random = new Random(seed);
  const generator = new ProgramGenerator(random);
  const programs = Array.from({ length: count }, () => generator.program().replaceAll(/\s+/g, ' '));
  yield [
    `as Nix: ${count} random programs`,
    async () => {
      const input = programs.map((it) => `:p ${it}\nv = ${it}\n{ inherit v; a = 1; }\n`).join('');
      const [expected, actual] = await Promise.all([ask(nix, input), ask(neveRepl, input)]);
      assert.deepEqual(comparable(actual.stdout), comparable(expected.stdout));
    },
  ];
}

/** @param {import('../lib/command.mjs').Outcome} outcome @returns {Answer} */
function answerOf({ stdout, stderr, code }) {
  return { stdout: answersOf(plain(stdout)), stderr: messagesOf(plain(stderr)), code };
}

/**
 * Answers to random programs, each on one line, of failures only that they are there: messages show values as far as they are
 * evaluated, which differs. What fails alone in something nested loses its name and the end of what it is in, as in Nix, whose
 * lines have wrong indentation from there on.
 *
 * @param {string} stdout
 */
function comparable(stdout) {
  // Where Nix cuts what was typed in the middle of a character, all of it is Latin-1.
  const bytes = stdout.includes('Â«') ? stdout : Buffer.from(stdout).toString('latin1');
  return bytes
    .replaceAll(/([{[]) (?:[^\n]*? = )?Â«error: .*$/gm, '$1Â«error')
    .replaceAll(/Â«error: .*$/gm, 'Â«error')
    .replaceAll(/\s+/g, ' ')
    .split('nix-repl> ');
}

/** Lines of texts end where there is room. @param {string} text @param {boolean} isText */
function shown(text, isText) {
  return isText ? text.replaceAll(/\s+/g, ' ') : text;
}

/** Nix colours whatever it prints. @param {string} text */
function plain(text) {
  // oxlint-disable-next-line no-control-regex -- colours
  return text.replaceAll(/\u001B\[[0-9;]*m/g, '');
}

/**
 * Answers and prompts, without what was typed, of which Nix shows the end where it is long, and without what is accidental: the
 * prompt at the end of the input, and brackets of what then has failed.
 *
 * @param {string} stdout
 */
function answersOf(stdout) {
  return stdout
    .replace(/(\s*nix-repl> )*\s*$/, '\n')
    .replaceAll(/^(nix-repl>| {8}>) [^\n]*$/gm, '$1')
    .replaceAll(/^[{[]\n(?=nix-repl>|\n)/gm, '\n')
    .replaceAll(/(?<=\S)\n{2,}(?=nix-repl>)/g, '\n\n');
}

/** Messages of errors, warnings and notices, each a line. @param {string} stderr */
function messagesOf(stderr) {
  const lines = stderr.split('\n').map((line) => line.trim());
  // The first lines say which program and which version it is.
  return lines
    .slice(2)
    .filter((line) =>
      /^(error: \S|trace: |evaluation warning: |warning: |Loading |Added |\.\.\. and )|^[a-z"][^:|]*, /.test(
        line,
      ),
    )
    .join('\n');
}
