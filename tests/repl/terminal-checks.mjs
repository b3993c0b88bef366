// `neve repl` at a pseudo-terminal: what is typed, and what the screen shows then.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TerminalSession } from '../progress/terminal-session.mjs';

export const projectScript = fileURLToPath(new URL('../../apps/cli/dist/neve.cjs', import.meta.url));

const packages = `{
  hello = { name = "hello-1"; version = 1; };
  helium = 2;
  noisy = builtins.trace "heard" { word = 1; };
  endless = builtins.genericClosure { startSet = [ { key = 0; } ]; operator = { key }: [ { key = key + 1; } ]; };
  wanted = derivation { name = "wanted"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo built > $out" ]; };
  slow = derivation { name = "slow"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "sleep 60" ]; };
  imported = import (derivation { name = "imported"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo { } > $out" ]; });
}
`;

const end = '\u0004';
const interrupt = '\u0003';
const up = '\u001B[A';

class ReplTerminal extends TerminalSession {
  /** @param {string} folder @param {string} [script] */
  constructor(folder, script = projectScript) {
    const command = [
      process.execPath,
      resolve(script),
      'repl',
      '--file',
      'packages.nix',
      '--option',
      'sandbox',
      'false',
    ];
    const env = {
      PATH: process.env['PATH'],
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
      HOME: folder,
      NIX_CONF_DIR: join(folder, 'none'),
      NIX_CONFIG: 'substituters =',
    };
    super(command, { size: { rows: 24, columns: 70 }, env, cwd: folder });
  }

  /**
   * Types, and waits for a screen that ends in this way.
   *
   * @param {string} text
   * @param {string} ending
   */
  async enter(text, ending) {
    for (const byte of Buffer.from(text)) this.type(byte);
    return await this.shows((shown) => shown.endsWith(ending));
  }

  async start() {
    return await this.shows((shown) => shown.endsWith('\nnix-repl>'));
  }

  /** Ends it, and gives all that it has shown. */
  async finish() {
    await this.enter(end, '');
    await this.ended;
    assert.equal(this.exitCode, 0);
    return this.screen.history;
  }
}

/**
 * @param {string} parent
 * @param {string | undefined} script
 * @returns {Iterable<import('../lib/run-checks.mjs').Check>}
 */
export function* terminalChecks(parent, script) {
  /** @param {(terminal: ReplTerminal, folder: string) => Promise<void>} body */
  const atTerminal = (body) => async () => {
    const folder = mkdtempSync(join(parent, 'terminal-'));
    writeFileSync(join(folder, 'packages.nix'), packages);
    mkdirSync(join(folder, 'some-folder'));
    writeFileSync(join(folder, 'some-folder/file.nix'), '{ fromFile = 1; }');
    const terminal = new ReplTerminal(folder, script);
    try {
      await terminal.start();
      await body(terminal, folder);
    } finally {
      if (terminal.exitCode === undefined) terminal.signal('SIGKILL');
    }
  };

  yield [
    'at a terminal: values, and the end',
    atTerminal(async (terminal) => {
      await terminal.enter('1 + 1\r', '1 + 1\n2\n\nnix-repl>');
      assert(terminal.colours > 0);
      assert(terminal.screen.bracketsPaste);
      const shown = await terminal.finish();
      assert.match(
        shown,
        /^Neve .*\nType :\? for help\.\nLoading installable ''\.\.\.\nAdded 7 variables\.\n/,
      );
      assert.equal(terminal.screen.bracketsPaste, false);
    }),
  ];

  yield [
    'at a terminal: completion',
    atTerminal(async (terminal) => {
      await terminal.enter('hel\t', 'nix-repl> hel');
      await terminal.enter('\t', 'helium  hello\nnix-repl> hel');
      await terminal.enter('lo.\t\t', 'name     version\nnix-repl> hello.');
      await terminal.enter('v\t', 'nix-repl> hello.version');
      await terminal.enter('\r', 'hello.version\n1\n\nnix-repl>');
      // What it says on the way is not heard; and what has to be built is not.
      await terminal.enter('noisy.\t', 'nix-repl> noisy.word');
      await terminal.enter(' + imported.\t', 'nix-repl> noisy.word + imported.');
      await terminal.enter(interrupt, '^C\nnix-repl>');
      await terminal.enter('x = builtins.attrN\t', 'nix-repl> x = builtins.attrNames');
      await terminal.enter(interrupt, '^C\nnix-repl>');
      await terminal.enter('import ./some\tfi\t', 'nix-repl> import ./some-folder/file.nix');
      await terminal.enter(interrupt, '^C\nnix-repl>');
      await terminal.enter(':l some\tfi\t\r', 'fromFile\n\nnix-repl>');
      await terminal.enter(':last\t', 'nix-repl> :last-loaded');
      await terminal.enter(interrupt, '^C\nnix-repl>');
      assert(!(await terminal.finish()).includes('heard'));
    }),
  ];

  yield [
    'at a terminal: lines, pastes, history and searching',
    atTerminal(async (terminal, folder) => {
      await terminal.enter('{ a = [\r', 'nix-repl> { a = [\n        >');
      await terminal.enter('1 2 ]; }\r', '{\n  a = [ ... ];\n}\n\nnix-repl>');
      await terminal.enter(up, 'nix-repl> { a = [\n        > 1 2 ]; }');
      await terminal.enter(interrupt, '^C\nnix-repl>');
      await terminal.enter(
        '\u001B[200~let\n  x = 20;\nin x\u001B[201~',
        'nix-repl> let\n        >   x = 20;\n        > in x',
      );
      await terminal.enter('\r', 'in x\n20\n\nnix-repl>');
      await terminal.enter(`${up}${up}${up}${up}\u001B[1;5D`, 'nix-repl> { a = [\n        > 1 2 ]; }');
      await terminal.enter('\r', ']; }\n{\n  a = [ ... ];\n}\n\nnix-repl>');
      await terminal.enter(
        '\u0012x = 2',
        "(reverse-i-search)'x = 2': let\n        >   x = 20;\n        > in x",
      );
      await terminal.enter('\r', 'in x\n20\n\nnix-repl>');
      await terminal.finish();
      const again = new ReplTerminal(folder, script);
      await again.start();
      await again.enter(up, 'nix-repl> let\n        >   x = 20;\n        > in x');
      await again.enter(`${interrupt}:q\r`, '');
      await again.ended;
      assert.equal(again.exitCode, 0);
      const kept = readFileSync(join(folder, '.local/state/neve/repl-history'), 'utf8');
      assert.equal(kept.split('\n')[0], '{ a = [\\');
    }),
  ];

  yield [
    'at a terminal: Ctrl-C ends what does not',
    atTerminal(async (terminal) => {
      await terminal.enter('x = builtins.length endless\r', 'endless\n\nnix-repl>');
      await terminal.enter('x\r', 'nix-repl> x');
      await new Promise((fulfil) => setTimeout(fulfil, 500));
      await terminal.enter(interrupt, 'error: interrupted by the user\n\nnix-repl>');
      await terminal.enter('hello.version + 1\r', '+ 1\n2\n\nnix-repl>');
      // As if it had not been begun: this is no infinite recursion.
      await terminal.enter('x\r', 'nix-repl> x');
      await new Promise((fulfil) => setTimeout(fulfil, 200));
      await terminal.enter(interrupt, 'error: interrupted by the user\n\nnix-repl>');
      await terminal.finish();
    }),
  ];

  yield [
    'at a terminal: builds, and the end of one',
    atTerminal(async (terminal) => {
      await terminal.enter(':b wanted\r', '-wanted\n\nnix-repl>');
      assert.match(
        terminal.screen.history,
        /This derivation produced the following outputs:\n {2}out -> \/nix\/store\/\w+-wanted\n/,
      );
      await terminal.enter('builtins.readFile wanted\r', '"built\\n"\n\nnix-repl>');
      await terminal.enter('imported\r', '{ }\n\nnix-repl>');
      for (const byte of Buffer.from(':b slow\r')) terminal.type(byte);
      await terminal.shows((shown) => /slow/.test(shown.slice(shown.lastIndexOf(':b slow') + 7)));
      await new Promise((fulfil) => setTimeout(fulfil, 300));
      await terminal.enter(interrupt, '\nnix-repl>');
      await terminal.enter('builtins.readFile wanted\r', '"built\\n"\n\nnix-repl>');
      await terminal.enter(':b wanted\r', '-wanted\n\nnix-repl>');
      await terminal.finish();
    }),
  ];

  yield [
    'at a terminal: another size',
    atTerminal(async (terminal) => {
      const text = `"${'a'.repeat(80)}"`;
      await terminal.enter(text, 'aaaa"');
      for (const columns of [40, 25, 60, 20]) {
        terminal.resize({ rows: 24, columns });
        await new Promise((fulfil) => setTimeout(fulfil, 150));
      }
      await terminal.enter('\u0001# \u0005', 'a"');
      const shown = await terminal.enter('\u0001\u0004\u0004\r', 'nix-repl>');
      const drawn = shown.replaceAll('\n', '');
      assert(drawn.includes(`nix-repl> ${text}${text}`), shown);
      await terminal.finish();
    }),
  ];

  yield [
    'at a terminal: a stack overflow is survived',
    atTerminal(async (terminal) => {
      for (const byte of Buffer.from('let f = n: 1 + f n; in f 0\r')) terminal.type(byte);
      await terminal.shows((shown) => /stack overflow[^]*\n\nnix-repl>$/.test(shown));
      await terminal.enter('hello.version\r', '1\n\nnix-repl>');
      await terminal.finish();
    }),
  ];
}
