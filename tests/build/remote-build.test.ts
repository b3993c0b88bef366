/**
 * `neve build` through a `neve store daemon --builder`, each with a store of its own: what comes of it is what a build here
 * gives, and so are logs and exit codes.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const command = resolve(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/bin/neve.cjs');

/** A build on another, with a source, two outputs that refer to each other's inputs, and a log. */
const expression = `
  let
    make = name: outputs: script: derivation {
      inherit name outputs;
      system = builtins.currentSystem;
      builder = "/bin/sh";
      args = [ "-c" script ];
    };
    first = make "first" [ "out" ] "echo building first; echo first > $out";
    second = make "second" [ "out" "doc" ] ''
      echo building second
      mkdir -p $out/bin
      cp \${./source} $out/bin/program; chmod 755 $out/bin/program
      ln -s \${first} $out/link
      echo $out \${first} > $doc
    '';
  in {
    inherit second;
    failing = make "failing" [ "out" ] "echo last words; exit 7";
    long = make "long" [ "out" ] "echo runs; sleep 1000";
  }`;

let folder: string;
let daemon: ChildProcess;
let url: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'neve-remote-'));
  writeFileSync(join(folder, 'default.nix'), expression);
  writeFileSync(join(folder, 'source'), 'a program\n');
  const socket = join(folder, 'socket');
  url = `grpc+unix:${socket}`;
  const words = [
    'store',
    'daemon',
    '--store',
    './there',
    '--listen',
    `unix:${socket}`,
    '--builder',
    'local:',
  ];
  daemon = spawn(process.execPath, [command, ...words], {
    ...settings(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said] = (await once(daemon.stderr ?? daemon, 'data')) as [Buffer];
  expect(said.toString()).toContain('listening');
});

afterAll(async () => {
  daemon.kill('SIGTERM');
  await once(daemon, 'close');
  expect(readdirSync(join(folder, 'there/builder/builds'))).toEqual([]);
  rmSync(folder, { recursive: true, force: true });
});

function settings() {
  const env = { PATH: process.env['PATH'], HOME: join(folder, 'home'), XDG_DATA_HOME: join(folder, 'data') };
  return { cwd: folder, env };
}

function neve(...words: string[]) {
  return spawnSync(process.execPath, [command, ...words], { ...settings(), encoding: 'utf8' });
}

function build(attribute: string, store: string, builder: string) {
  const words = ['--store', store, '--builder', builder, '--no-link', '--option', 'substitute', 'false'];
  return neve('build', '-f', 'default.nix', '-A', attribute, '--print-build-logs', ...words);
}

test('the same paths with the same contents as those of a build here', () => {
  const here = build('second.all', './here', 'local:');
  expect(here.status, here.stderr).toBe(0);
  const elsewhere = build('second.all', './elsewhere', url);
  expect(elsewhere.status, elsewhere.stderr).toBe(0);
  expect(elsewhere.stdout).toBe(here.stdout);
  expect(elsewhere.stderr).toContain('building second');
  const paths = here.stdout.trim().split('\n');
  expect(paths).toHaveLength(2);
  const info = (store: string) => {
    const { status, stdout, stderr } = neve('store', 'info', '--store', store, '--json', ...paths);
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout, (key, value: unknown) =>
      key === 'registrationTime' ? undefined : value,
    ) as unknown;
  };
  expect(info('./elsewhere')).toEqual(info('./here'));
  const verified = neve('store', 'verify', '--store', './elsewhere');
  expect(verified.status, verified.stderr).toBe(0);
  // Nothing was built on this side.
  expect(existsSync(join(folder, 'elsewhere/builder'))).toBe(false);
});

test('a failing build says the same', () => {
  const here = build('failing', './here', 'local:');
  const elsewhere = build('failing', './elsewhere', url);
  expect(here.status).not.toBe(0);
  expect(elsewhere.status).toBe(here.status);
  expect(elsewhere.stderr).toContain('builder failed with exit code 7');
  // It also says which store has the log.
  expect(elsewhere.stderr.replaceAll('./elsewhere', './here')).toBe(here.stderr);
});

test('an interrupted build ends over there', async () => {
  const words = ['build', '-f', 'default.nix', '-A', 'long', '--store', './elsewhere', '--builder', url];
  const child = spawn(process.execPath, [command, ...words, '--no-link', '--print-build-logs'], settings());
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  await until(() => said.includes('runs'));
  expect(runningSleeps()).toBe(1);
  child.kill('SIGINT');
  await once(child, 'close');
  await until(() => runningSleeps() === 0);
});

/** Below the daemon. */
function runningSleeps(): number {
  const parents = new Map<string, string>();
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      parents.set(pid, parent);
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (pid: string): boolean => {
    for (let at = pid; at !== '' && at !== '0'; at = parents.get(at) ?? '') {
      if (at === String(daemon.pid)) return true;
    }
    return false;
  };
  return [...parents.keys()].filter((pid) => isBelow(pid) && argumentsOf(pid).includes('1000')).length;
}

function argumentsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 45_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('it did not happen within 45 seconds');
    await new Promise((resolve_) => {
      setTimeout(resolve_, 50);
    });
  }
}
