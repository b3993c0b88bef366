/**
 * Bad input, as `neve store` meets it: the message names the thing and what to do, the exit code is not 0, and no stack trace
 * of JavaScript comes through.
 */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const command = resolve(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/bin/neve.cjs');
let folder = '';
/** A store path that is in the store `store`, of the folder `tree`. */
let path = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-store-bad-input-'));
  mkdirSync(join(folder, 'tree'));
  file('tree/small', 'some contents');
  file('tree/large', Buffer.alloc(100_000, 'large '));
  path = succeed(['import', '--store', './store', 'tree']).trim();
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

type Caller = { readonly command: string; readonly uid?: number; readonly gid?: number };

function run(
  words: readonly string[],
  { command: script, ...ids }: Caller = { command },
): SpawnSyncReturns<string> {
  const { PATH } = process.env;
  return spawnSync(process.execPath, [script, 'store', ...words], {
    ...ids,
    cwd: folder,
    encoding: 'utf8',
    env: { PATH, HOME: join(folder, 'home'), XDG_CACHE_HOME: join(folder, 'cache') },
    timeout: 60_000,
  });
}

function succeed(words: readonly string[]): string {
  const { status, stdout, stderr } = run(words);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stdout;
}

/** The message of a command that fails. */
function failureOf(words: readonly string[], caller?: Caller): string {
  const { status, stdout, stderr } = run(words, caller);
  expectMessage(stderr);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  return stderr;
}

function expectMessage(stderr: string): void {
  expect(stderr).not.toMatch(/^\s+at .*(?:\.cjs|\.mjs|\.ts|\.js|node:|wasm)/m);
  expect(stderr).not.toContain('bug in Neve');
  expect(stderr).not.toMatch(/undefined|\[object/);
  expect(stderr).toMatch(/^error: .+/);
}

function file(name: string, contents: string | Uint8Array): string {
  writeFileSync(join(folder, name), contents);
  return name;
}

/** A store of its own with the same path. */
function copyOfStore(name: string): string {
  cpSync(join(folder, 'store'), join(folder, name), { recursive: true });
  return `./${name}`;
}

/** Somebody who may not write everywhere, as in `../bad-input.test.ts`. */
function ordinaryCaller(): Caller {
  if (process.getuid?.() !== 0) return { command };
  const nobody = 65_534;
  const copy = join(folder, 'command');
  if (!existsSync(copy)) cpSync(resolve(dirname(command), '../dist'), copy, { recursive: true });
  // Libraries with native code are found from there.
  if (!existsSync(join(folder, 'node_modules'))) {
    symlinkSync(resolve(dirname(command), '../../../node_modules'), join(folder, 'node_modules'));
  }
  chmodSync(folder, 0o755);
  return { command: join(copy, 'neve.cjs'), uid: nobody, gid: nobody };
}

const absent = '/nix/store/00000000000000000000000000000000-absent';

describe('the command line', () => {
  test('no command shows the help', () => {
    const { status, stdout, stderr } = run([]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^Usage: neve store COMMAND/);
  });

  const cases: readonly { words: readonly string[]; message: string }[] = [
    { words: ['imprt', 'tree'], message: "unrecognised command 'store imprt'" },
    { words: ['--store', './store', 'ls'], message: "unrecognised command 'store --store'" },
    { words: ['ls', '--recursiv'], message: "unrecognised flag '--recursiv'" },
    { words: ['ls', '--store'], message: "flag '--store' requires an argument (STORE)" },
    { words: ['ls', '--json=yes'], message: '--json' },
    { words: ['import'], message: 'there is nothing to import' },
    { words: ['import', '--nar', '--tar', 'x'], message: '--nar and --tar exclude each other' },
    { words: ['import', '--name', 'a', 'tree', 'tree'], message: '--name is for one object only' },
    { words: ['import', '--name', 'a/b', 'tree'], message: 'a/b' },
    { words: ['export'], message: 'the object to export is missing' },
    { words: ['export', '--nar', '--tar', absent], message: '--nar and --tar exclude each other' },
    { words: ['cat'], message: 'is missing' },
    { words: ['info'], message: 'the store path is missing' },
    { words: ['diff', absent], message: 'Try' },
    { words: ['copy', absent], message: '--from or --to is missing' },
    { words: ['copy', '--to', './store'], message: 'there is nothing to copy; see --all' },
    { words: ['mount'], message: 'wrong number of arguments' },
    { words: ['daemon', 'now'], message: 'takes no arguments' },
    { words: ['daemon', '--tls-cert', 'x'], message: '--tls-cert and --tls-key belong together' },
    { words: ['verify', 'x'], message: 'takes no arguments' },
    { words: ['gc', 'x'], message: 'see --keep' },
    { words: ['gc', '--max-size', 'much'], message: "'much' is no size; write 500M or 20G" },
    { words: ['gc', '--max-size', '-1'], message: "'-1' is no size" },
    { words: ['gc', '--max-size', '99999999999T'], message: "'99999999999T' is too large" },
    { words: ['gc', '--older-than', '2 weeks'], message: "'2 weeks' is no age; write 90m, 12h, 30d or 4w" },
    { words: ['gc', '--keep', 'x'], message: "'x' is no store path" },
    { words: ['root', 'keep'], message: "knows 'add', 'remove' and 'list'" },
    { words: ['root', 'remove', 'nothing'], message: "there is no root 'nothing'" },
    { words: ['sign', absent], message: '--key-file is missing' },
    { words: ['key'], message: 'Try' },
    { words: ['key', 'generate', ''], message: 'name' },
    { words: ['key', 'generate', 'a:b'], message: 'a:b' },
    { words: ['config'], message: 'Try' },
  ];
  test.each(cases)('$words', ({ words, message }) => {
    expect(failureOf(words)).toContain(message);
  });
});

describe('names of objects, files and addresses', () => {
  /** `PATH` is the store path of the folder `tree`. */
  const cases: readonly { words: readonly string[]; message: string }[] = [
    { words: ['export', '--nar', absent], message: `'${absent}' is not in ./store` },
    { words: ['info', absent], message: `'${absent}' is not in ./store` },
    { words: ['ls', absent], message: `'${absent}' is not in ./store` },
    { words: ['cat', 'tree/small'], message: "'tree/small' is no store path" },
    { words: ['ls', '/etc'], message: "'/etc' is no store path" },
    { words: ['info', '/nix/store'], message: "'/nix/store' is no store path" },
    { words: ['ls', '/nix/store/x-y'], message: "'/nix/store/x-y' is no store path" },
    { words: ['ls', 'blake3-nonsense'], message: 'blake3-nonsense' },
    { words: ['ls', `blake3-${Buffer.alloc(32).toString('base64')}`], message: 'is not in ./store' },
    { words: ['root', 'add', 'a', absent], message: `'${absent}' is not in ./store` },
    { words: ['gc', '--keep', absent], message: `'${absent}' is not in ./store` },
    { words: ['diff', absent, absent], message: `'${absent}' is not in ./store` },
    { words: ['cat', 'PATH/none'], message: "there is no 'none'" },
    { words: ['cat', 'PATH/small/x'], message: 'small/x' },
    { words: ['cat', 'PATH/../small'], message: '..' },
    { words: ['cat', 'PATH'], message: 'directory' },
    { words: ['info', 'PATH/small'], message: 'name the store path itself' },
    { words: ['export', 'PATH'], message: 'the target is missing' },
    { words: ['export', 'PATH', 'none/at/all'], message: 'none/at/all' },
    { words: ['verify', '--trusted-public-key', 'nonsense'], message: 'nonsense' },
    { words: ['daemon', '--listen', 'nonsense'], message: 'nonsense' },
    { words: ['daemon', '--listen', 'unix:./none/socket'], message: 'none/socket' },
  ];
  test.each(cases)('$words', ({ words, message }) => {
    const named = words.map((word) => word.replace('PATH', path));
    expect(failureOf([...named, '--store', './store'])).toContain(message);
  });
});

describe('what is imported', () => {
  beforeAll(() => {
    mkdirSync(join(folder, 'with-pipe'));
    spawnSync('mkfifo', [join(folder, 'with-pipe/pipe')]);
    mkdirSync(join(folder, 'secret'));
    file('secret/key', 'x');
    chmodSync(join(folder, 'secret/key'), 0);
    file('text', 'no archive of any kind');
    file('..bad name', 'x');
    mkdirSync(join(folder, 'no-repository'));
  });

  const cases: readonly { words: readonly string[]; messages: readonly string[] }[] = [
    { words: ['missing'], messages: ["'missing'", 'does not exist'] },
    { words: ['text/below'], messages: ["'text/below'"] },
    {
      words: ['with-pipe'],
      messages: ["'with-pipe/pipe' is a named pipe; only files, directories and symbolic links"],
    },
    { words: ['..bad name'], messages: ['bad name', 'illegal character'] },
    { words: ['--nar', 'missing'], messages: ['missing'] },
    { words: ['--nar', 'tree'], messages: ['tree'] },
    { words: ['--nar', 'text'], messages: ["'text'", 'does not look like a Nix archive'] },
    { words: ['--tar', 'text'], messages: ["'text'", 'tar'] },
    { words: ['--tar', 'missing'], messages: ['missing'] },
    { words: ['--zip', 'text'], messages: ["'text'", 'zip'] },
    { words: ['--zip', 'missing'], messages: ['missing'] },
    { words: ['--git', 'no-repository'], messages: ['no-repository', 'git repository'] },
    { words: ['--git', 'missing'], messages: ['missing'] },
  ];
  test.each(cases)('import $words', ({ words, messages }) => {
    const shown = failureOf(['import', '--store', './refused', ...words]);
    for (const message of messages) expect(shown).toContain(message);
  });

  test('a socket', async () => {
    mkdirSync(join(folder, 'with-socket'));
    const server = createServer().listen(join(folder, 'with-socket/socket'));
    await once(server, 'listening');
    expect(failureOf(['import', '--store', './refused', 'with-socket'])).toContain(
      "'with-socket/socket' is a socket",
    );
    server.close();
  });

  test('a file that may not be read', () => {
    mkdirSync(join(folder, 'writable'));
    chmodSync(join(folder, 'writable'), 0o777);
    const shown = failureOf(['import', '--store', './writable/store', 'secret'], ordinaryCaller());
    expect(shown).toContain("'secret/key': permission denied");
  });

  test('a revision that is not there', () => {
    const git = (...words: readonly string[]): unknown =>
      spawnSync('git', ['-C', join(folder, 'repository'), ...words], { encoding: 'utf8' });
    mkdirSync(join(folder, 'repository'));
    git('init', '--quiet');
    expect(failureOf(['import', '--store', './refused', '--git', 'repository'])).toContain('HEAD');
    const words = ['import', '--store', './refused', '--git', 'repository', '--rev', 'no-branch'];
    expect(failureOf(words)).toContain('no-branch');
  });

  test('nothing of all that was stored', () => {
    expect(succeed(['ls', '--store', './refused'])).toBe('');
    expect(run(['verify', '--store', './refused']).status).toBe(0);
  });
});

describe('targets', () => {
  test('an export to what is there', () => {
    file('existing', 'kept');
    expect(failureOf(['export', '--store', './store', path, 'existing'])).toContain(
      "'existing' exists already",
    );
    expect(readFileSync(join(folder, 'existing'), 'utf8')).toBe('kept');
  });

  test('a store in a folder that cannot be written to', () => {
    mkdirSync(join(folder, 'read-only'), { mode: 0o555 });
    const shown = failureOf(['ls', '--store', './read-only/store'], ordinaryCaller());
    expect(shown).toContain('read-only/store');
    expect(shown).toMatch(/EACCES|ermission denied/);
    expect(failureOf(['ls', '--store', './text/store'])).toContain('text/store');
  });

  test('a reader that goes away ends the command quietly', () => {
    const { PATH } = process.env;
    const words = [command, 'store', 'export', '--store', './store', '--nar', path];
    const { stderr } = spawnSync('sh', ['-c', '"$0" "$@" | head -c 10', process.execPath, ...words], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH, HOME: join(folder, 'home'), XDG_CACHE_HOME: join(folder, 'cache') },
    });
    expect(stderr).toBe('');
  });

  test('a daemon whose address is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    expect(failureOf(['daemon', '--store', './store', '--listen', `127.0.0.1:${port}`])).toContain(`${port}`);
    server.close();
  });

  test('a second daemon does not take the socket of the first', async () => {
    const words = ['store', 'daemon', '--store', './store', '--listen', 'unix:./taken'];
    const { PATH } = process.env;
    const first = spawn(process.execPath, [command, ...words], {
      cwd: folder,
      env: { PATH, HOME: join(folder, 'home'), XDG_CACHE_HOME: join(folder, 'cache') },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await once(first.stderr, 'data');
    expect(failureOf(['daemon', '--store', './store', '--listen', 'unix:./taken'])).toContain('taken');
    expect(succeed(['ls', '--store', `grpc+unix:${join(folder, 'taken')}`])).toBe(`${path}\n`);
    first.kill('SIGTERM');
    await once(first, 'close');
  });
});

describe('which store', () => {
  const urls: readonly { store: string; messages: readonly string[] }[] = [
    { store: 'nonsense', messages: ["'nonsense'", './nonsense'] },
    { store: 'ftp://host/store', messages: ["'ftp://host/store'", 'grpc+unix:PATH'] },
    { store: 'grpc+ftp://host', messages: ['grpc+ftp'] },
    { store: 'grpc+unix:/nonexistent/socket', messages: ['/nonexistent/socket'] },
    { store: 'grpc+http://127.0.0.1:1', messages: ['127.0.0.1:1'] },
    { store: '', messages: ["''"] },
  ];
  test.each(urls)("--store '$store'", ({ store, messages }) => {
    const shown = failureOf(['ls', '--store', store]);
    for (const message of messages) expect(shown).toContain(message);
  });

  test('service URLs', () => {
    const shown = failureOf(['ls', '--blob-service-addr', 'fiel:/tmp/x']);
    expect(shown).toContain('fiel');
    expect(shown).toContain('did you mean "file"');
    expect(failureOf(['ls', '--path-info-service-addr', 'lmdb:/tmp/x?nonsense=1'])).toContain('nonsense');
  });

  const compositions: readonly { name: string; toml: string; messages: readonly string[] }[] = [
    { name: 'no-toml', toml: 'a = = 1\n', messages: [':1'] },
    {
      name: 'unknown-kind',
      toml: '[blobservice.root]\ntype = "memory"\n',
      messages: ['blobservice', 'blobservices'],
    },
    {
      name: 'unknown-type',
      toml: '[blobservices.root]\ntype = "memroy"\n',
      messages: ['blobservices.root.type', 'did you mean "memory"'],
    },
    {
      name: 'unknown-key',
      toml: '[blobservices.root]\ntype = "file"\npath = "/tmp/x"\npaht = "/tmp/y"\n',
      messages: ['blobservices.root.paht', ':4'],
    },
    {
      name: 'missing-key',
      toml: '[blobservices.root]\ntype = "file"\n',
      messages: ['blobservices.root', 'path'],
    },
    {
      name: 'wrong-type',
      toml: '[blobservices.root]\ntype = "file"\npath = 1\n',
      messages: ['blobservices.root.path', ':3'],
    },
    {
      name: 'missing-reference',
      toml: '[blobservices.root]\ntype = "read-only"\ninner = "&nothing"\n',
      messages: ['blobservices.root.inner', 'nothing'],
    },
    {
      name: 'cycle',
      toml: '[blobservices.root]\ntype = "read-only"\ninner = "&b"\n[blobservices.b]\ntype = "read-only"\ninner = "&root"\n',
      messages: ['blobservices.root', 'blobservices.b'],
    },
  ];
  test.each(compositions)('a composition: $name', ({ name, toml, messages }) => {
    const rest = '[directoryservices.root]\ntype = "memory"\n[pathinfoservices.root]\ntype = "memory"\n';
    const source = file(`${name}.toml`, `${toml}${rest}`);
    for (const words of [['config', 'show'], ['ls']]) {
      const shown = failureOf([...words, '--store-composition', source]);
      for (const message of [source, ...messages]) expect(shown).toContain(message);
    }
  });

  test('a composition that is not there, or has no such name', () => {
    expect(failureOf(['ls', '--store-composition', 'none.toml'])).toContain("'none.toml' cannot be read");
    const empty = file('empty.toml', '');
    expect(failureOf(['ls', '--store-composition', empty])).toContain('root');
    const types = ['blobservices', 'directoryservices', 'pathinfoservices'];
    const good = file('good.toml', types.map((it) => `[${it}.root]\ntype = "memory"\n`).join(''));
    expect(succeed(['ls', '--store-composition', good])).toBe('');
    const shown = failureOf(['ls', '--store-composition', good, '--store', 'other']);
    expect(shown).toContain('other');
  });
});

describe('keys', () => {
  beforeAll(() => {
    file('bad-key', 'name:nonsense');
    file('empty-key', '');
    file('short-key', `name:${Buffer.alloc(10).toString('base64')}`);
  });

  test.each(['bad-key', 'empty-key', 'short-key', 'no-key', 'tree'])('%s', (name) => {
    const shown = failureOf(['sign', '--store', './store', '--key-file', name, path]);
    expect(shown).toContain(`'${name}'`);
    expect(failureOf(['key', 'public', name])).toContain(name);
  });
});

describe('damage', () => {
  test('a flipped bit is named with what it breaks, and repaired', () => {
    const store = copyOfStore('flipped');
    const [blob = ''] = blobFiles(store);
    const bytes = readFileSync(blob);
    bytes[50_000] = (bytes[50_000] ?? 0) ^ 1;
    chmodSync(blob, 0o644);
    writeFileSync(blob, bytes);
    const { status, stdout, stderr } = run(['verify', '--store', store]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^damaged: .*blake3-\S+/m);
    expect(stdout).toContain(`breaks ${path}`);
    expect(stderr).toContain('1 damaged');
    expect(run(['verify', '--store', store, '--repair-from', './refused-too']).status).toBe(1);
    expect(run(['verify', '--store', store, '--repair-from', './store'])).toMatchObject({ status: 0 });
    expect(run(['verify', '--store', store])).toMatchObject({ status: 0, stdout: '' });
    expect(succeed(['cat', '--store', store, `${path}/large`])).toBe('large '.repeat(16_666) + 'larg');
  });

  test('a file that is gone', () => {
    const store = copyOfStore('gone');
    for (const blob of blobFiles(store)) rmSync(blob);
    const { status, stdout } = run(['verify', '--store', store]);
    expect(status).toBe(1);
    expect(stdout).toContain(`breaks ${path}`);
    expectMessage(run(['export', '--store', store, '--nar', path]).stderr);
    expect(failureOf(['export', '--store', store, path, 'never'])).toContain('blake3-');
    expect(existsSync(join(folder, 'never'))).toBe(false);
    expect(run(['verify', '--store', store, '--repair-from', './store'])).toMatchObject({ status: 0 });
  });

  test('a database that is none', () => {
    const store = copyOfStore('nonsense-database');
    writeFileSync(join(folder, 'nonsense-database/db/data.mdb'), 'nonsense '.repeat(2000));
    expect(failureOf(['ls', '--store', store])).toContain('nonsense-database/db');
  });

  test('a database that is cut off', () => {
    const store = copyOfStore('short-database');
    truncateSync(join(folder, 'short-database/db/data.mdb'), 8192);
    expect(failureOf(['verify', '--store', store])).toContain('it is cut off');
  });

  function blobFiles(store: string): string[] {
    const blobs = join(folder, store, 'blobs');
    return readdirSync(blobs, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  }
});
