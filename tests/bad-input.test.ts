/**
 * Bad input, as the command meets it: whatever is wrong with a source or a file, the user sees a message with the place,
 * the exit code is 1, nothing is printed to standard output, and no stack trace of JavaScript comes through.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const command = resolve(dirname(fileURLToPath(import.meta.url)), '../apps/cli/bin/neve.cjs');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-bad-input-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

type Caller = { readonly command: string; readonly uid?: number; readonly gid?: number };
type Outcome = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

function run(args: readonly string[], { command: script, ...ids }: Caller = { command }): Outcome {
  return spawnSync(process.execPath, [script, ...args], {
    ...ids,
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env, NIX_PATH: '', NIX_CONF_DIR: folder, NIX_USER_CONF_FILES: '', NIX_CONFIG: '' },
  });
}

/** The message of a failed evaluation. */
function failureOf(args: readonly string[], caller?: Caller): string {
  const { status, stdout, stderr } = run(args, caller);
  expect(stderr).not.toMatch(/^\s+at .*(?:\.cjs|\.ts|\.js|node:|wasm)/m);
  expect(stderr).not.toContain('bug in Neve');
  expect(stderr).toMatch(/^error:/);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  return stderr;
}

/**
 * Somebody who may not read everything. Root may, so that root's tests run as nobody, who gets a copy of the command
 * because the checkout may lie where nobody else may look.
 */
function ordinaryCaller(): Caller {
  if (process.getuid?.() !== 0) return { command };
  const copy = join(folder, 'command');
  cpSync(resolve(dirname(command), '../dist'), copy, { recursive: true });
  chmodSync(folder, 0o755);
  return { command: join(copy, 'neve.cjs'), uid: nobody, gid: nobody };
}

const nobody = 65_534;

function file(name: string, contents: string | Uint8Array): string {
  writeFileSync(join(folder, name), contents);
  return name;
}

const evaluateFile = (name: string): string[] => ['eval', '--file', name];
const evaluate = (expression: string): string[] => ['eval', '--expr', expression];

describe('sources', () => {
  const cases: readonly { name: string; contents: string | Uint8Array; message: string; place: string }[] = [
    { name: 'end.nix', contents: 'let a = 1;\nin a +', message: 'unexpected end of file', place: ':2:7' },
    { name: 'brace.nix', contents: '{ a = 1;\n  b = ; }', message: "unexpected ';'", place: ':2:7' },
    {
      name: 'bytes.nix',
      contents: Buffer.from([0x31, 0x20, 0xff]),
      message: 'unexpected invalid token',
      place: ':1:3',
    },
    { name: 'huge.nix', contents: '\n 9223372036854775808', message: 'invalid integer', place: ':2:2' },
    { name: 'undefined.nix', contents: 'x: y', message: "undefined variable 'y'", place: ':1:4' },
    { name: 'nul.nix', contents: '"a\0b"', message: 'null bytes', place: ':1:2' },
  ];
  test.each(cases)('$name', ({ name, contents, message, place }) => {
    const shown = failureOf(evaluateFile(file(name, contents)));
    expect(shown).toContain(message);
    expect(shown).toContain(`${join(folder, name)}${place}`);
    expect(shown).toMatch(/\n +\| +\^/);
  });

  test('a frame shows the line before, the line with a caret, and the line after', () => {
    const shown = failureOf(evaluateFile(file('frame.nix', 'let\n  a = b;\nin a\n')));
    const expected = [
      "error: undefined variable 'b'",
      `       at ${join(folder, 'frame.nix')}:2:7:`,
      '            1| let',
      '            2|   a = b;',
      '             |       ^',
      '            3| in a',
      '',
    ];
    expect(shown).toBe(expected.join('\n'));
  });

  test('strings may hold bytes that are no UTF-8', () => {
    const name = file('latin.nix', Buffer.from('builtins.stringLength "\u00e9"', 'latin1'));
    expect(run(evaluateFile(name))).toMatchObject({ status: 0, stdout: '1\n', stderr: '' });
  });

  test('nesting of 100 levels, and of many more', () => {
    for (const depth of [100, 20_000]) {
      const name = file('nested.nix', `${'('.repeat(depth)}1${')'.repeat(depth)}`);
      expect(run(evaluateFile(name))).toMatchObject({ status: 0, stdout: '1\n', stderr: '' });
    }
  });

  test('a long line of open brackets', () => {
    const shown = failureOf(evaluateFile(file('open.nix', '('.repeat(100_000))));
    expect(shown).toContain('unexpected end of file');
  });

  test('50 MB', { timeout: 240_000 }, () => {
    const line = `  "${'x'.repeat(95)}"\n`;
    const items = line.repeat(500_000);
    const length = run(evaluateFile(file('long.nix', `builtins.length [\n${items}]`)));
    expect(length).toMatchObject({ status: 0, stdout: '500000\n', stderr: '' });
    const shown = failureOf(evaluateFile(file('long-open.nix', `builtins.length [\n${items}`)));
    expect(shown).toContain(':500002:1');
  });
});

describe('files', () => {
  beforeAll(() => {
    mkdirSync(join(folder, 'directory'));
    symlinkSync('nowhere', join(folder, 'broken.nix'));
    symlinkSync('loop.nix', join(folder, 'loop.nix'));
    file('plain.txt', 'text');
    file('cycle-a.nix', 'import ./cycle-b.nix');
    file('cycle-b.nix', 'import ./cycle-a.nix');
  });

  const cases: readonly { expression: string; message: string }[] = [
    { expression: 'import ./missing.nix', message: "missing.nix' does not exist" },
    { expression: 'builtins.readFile ./missing.txt', message: "missing.txt' does not exist" },
    { expression: 'import ./broken.nix', message: "nowhere' does not exist" },
    { expression: 'builtins.readFile ./broken.nix', message: 'does not exist' },
    { expression: 'import ./loop.nix', message: 'too many symbolic links' },
    { expression: 'import ./directory', message: "directory/default.nix' does not exist" },
    { expression: 'builtins.readFile ./directory', message: 'Is a directory' },
    { expression: 'builtins.readDir ./plain.txt', message: "plain.txt' is not a directory" },
    { expression: 'builtins.readFile ./plain.txt/below', message: 'does not exist' },
  ];
  test.each(cases)('$expression', ({ expression, message }) => {
    const shown = failureOf(evaluate(expression));
    expect(shown).toContain(message);
    expect(shown).toContain('«string»:1:1:');
  });

  test.each(['missing.nix', 'broken.nix', 'loop.nix', 'directory'])('--file %s', (name) => {
    expect(failureOf(evaluateFile(name))).toContain(folder);
  });

  test('files that import each other', () => {
    const shown = failureOf(evaluateFile('cycle-a.nix'));
    expect(shown).toContain('infinite recursion encountered');
    expect(shown).toContain(`${join(folder, 'cycle-a.nix')}:1:1`);
  });

  test('a file that may not be read', () => {
    file('secret.nix', '1');
    chmodSync(join(folder, 'secret.nix'), 0);
    const shown = failureOf(evaluate('import ./secret.nix'), ordinaryCaller());
    expect(shown).toContain('Permission denied');
  });
});

describe('traces', () => {
  const nested = 'let f = x: 1 + b; b = 1 + c; c = 1 + d; d = 1 + e; e = throw "the end"; in 1 + f 2';

  test('the message is last, and the trace is elided', () => {
    const shown = failureOf(evaluate(nested));
    expect(shown).toMatch(/\n {7}error: the end\n$/);
    expect(shown).toContain("(stack trace truncated; use '--show-trace' to show the full, detailed trace)");
    expect(shown).not.toContain('from call site');
  });

  test('--show-trace shows the calls', () => {
    const shown = failureOf(['eval', '--show-trace', '--expr', nested]);
    expect(shown).toContain("… while calling 'f'");
    expect(shown).toContain('… from call site');
    expect(shown).not.toContain('truncated');
  });

  test('what addErrorContext says is always shown', () => {
    const shown = failureOf(
      evaluate(
        'let f = n: if n == 0 then throw "x" else builtins.addErrorContext "at ${toString n}" (f (n - 1)); in f 9',
      ),
    );
    for (let n = 1; n <= 9; n += 1) expect(shown).toContain(`… at ${n}\n`);
  });

  test('names that may have been meant', () => {
    expect(failureOf(evaluate('{ apple = 1; }.appel'))).toContain('Did you mean apple?');
    expect(failureOf(evaluate('({ colour }: 1) { color = 2; colour = 3; }'))).toContain(
      'Did you mean colour?',
    );
  });

  test('a failed assertion says where the values differ', () => {
    const shown = failureOf(evaluate('assert { a = [ 1 2 ]; } == { a = [ 1 3 ]; }; 1'));
    expect(shown).toContain("… while comparing attribute 'a'");
    expect(shown).toContain("error: an integer with value '2' is not equal to an integer with value '3'");
  });

  test('infinite recursion is found and shown with its place', () => {
    const shown = failureOf(evaluate('let a = a; in a'));
    expect(shown).toContain('infinite recursion encountered');
    expect(shown).toContain('«string»:1:9:');
  });
});
