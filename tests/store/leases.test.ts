/**
 * Commands that write hold a lease before they look at anything, so that no garbage collection takes what they have found.
 * The store that they work on is a server that takes connections and never answers.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Leases } from '@neve/store/node';

const command = resolve(dirname(fileURLToPath(import.meta.url)), '../../apps/cli/bin/neve.cjs');
const absent = '/nix/store/00000000000000000000000000000000-absent';
// Of `nix key generate-secret`.
const secretKey =
  'test-1:sbujXqLaU9GPOj/9pMSolZzlIIG6R528y9NKJ0ewkUbwB4p/H5JmgkmDi/8WnI+VeJbbf0/DTks9Wor8ZgAuPQ==';

let folder: string;
let server: Server;
const sockets: Socket[] = [];
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-leases-'));
  await mkdir(join(folder, 'data/neve/store/db'), { recursive: true });
  await writeFile(join(folder, 'key'), secretKey);
  server = createServer((socket) => sockets.push(socket)).listen(join(folder, 'socket'));
  await once(server, 'listening');
});

afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
  await rm(folder, { recursive: true });
});

test.each<{ readonly words: readonly string[]; readonly holds: boolean }>([
  { words: ['import', 'key'], holds: true },
  { words: ['sign', '--key-file', 'key', absent], holds: true },
  { words: ['root', 'add', 'name', absent], holds: true },
  { words: ['verify', '--repair-from', './other'], holds: true },
  { words: ['copy', '--from', './other', '--all', '--to', 'SERVER'], holds: true },
  // Those that only read need none.
  { words: ['info', absent], holds: false },
])('neve store $words', async ({ words, holds }) => {
  const url = `grpc+unix:${join(folder, 'socket')}`;
  const store = words.includes('SERVER') ? [] : ['--store', url];
  const args = words.map((word) => word.replace('SERVER', url));
  const settings = {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: join(folder, 'home'), XDG_DATA_HOME: join(folder, 'data') },
    stdio: 'ignore',
  } as const;
  const filled = spawnSync(
    process.execPath,
    [command, 'store', 'import', '--store', './other', 'key'],
    settings,
  );
  expect(filled.status).toBe(0);
  const started = spawn(process.execPath, [command, 'store', ...args, ...store], settings);
  child = started;
  await once(server, 'connection');
  await using leases = await Leases.open(join(folder, 'data/neve/store/db'));
  expect(started.exitCode).toBe(null);
  expect((await leases.oldestMs()) !== undefined).toBe(holds);
});
