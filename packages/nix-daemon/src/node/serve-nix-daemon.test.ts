/** The daemon on sockets of its own in a temporary folder, over stores in memory. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { type Socket, connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { nodeHashes } from '@neve/bytes/node';
import { StoreDirectory } from '@neve/nix-compat';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { UserRules } from '../server/user-rules.ts';
import { memoryDaemon } from '../testing/memory-services.ts';
import { TestClient } from '../testing/test-client.ts';
import { parseEntries, readPeer } from './peer-credentials.ts';
import { type NixDaemonServer, type ServerEvent, serveNixDaemon } from './serve-nix-daemon.ts';
import { StreamConnection } from './stream-connection.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);
const { username } = userInfo();

let folder: string;
let path: string;
let events: ServerEvent[];
const servers: NixDaemonServer[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'neve-nix-daemon-'));
  path = join(folder, 'socket');
  events = [];
});

afterEach(async () => {
  for (const it of servers.splice(0)) await it[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function serve(rules: UserRules): Promise<NixDaemonServer> {
  const server = await serveNixDaemon(memoryDaemon(), {
    ...{ listen: path, rules, graceMs: 200 },
    onEvent: (event) => events.push(event),
  });
  servers.push(server);
  return server;
}

async function open(): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', reject);
  });
}

async function greet(): Promise<{ readonly client: TestClient; readonly socket: Socket }> {
  const socket = await open();
  return { client: await TestClient.open(new StreamConnection(socket, socket), { store }), socket };
}

describe('who connects', () => {
  test.each<[string, UserRules, string]>([
    ['its owner, who is trusted', { trustedUsers: [username], allowedUsers: [] }, 'trusted'],
    ['somebody who is allowed', { trustedUsers: [], allowedUsers: [username] }, 'notTrusted'],
    ['anybody', { trustedUsers: [], allowedUsers: ['*'] }, 'notTrusted'],
  ])('%s', async (_, rules, trust) => {
    await serve(rules);
    const { client, socket } = await greet();
    expect(client.daemon.trust).toBe(trust);
    expect(await client.ask('queryAllValidPaths', {})).toEqual([]);
    expect(events).toMatchObject([{ kind: 'accepted', pid: process.pid, peer: { user: username } }]);
    socket.destroy();
  });

  test('nobody else', async () => {
    await serve({ trustedUsers: [], allowedUsers: ['somebody-else'] });
    await expect(greet()).rejects.toThrow();
    expect(events).toMatchObject([{ kind: 'refused', peer: { user: username } }]);
  });
});

describe('where it listens', () => {
  const rules: UserRules = { trustedUsers: ['*'], allowedUsers: [] };

  test('anybody may connect, and is asked who that is', async () => {
    await serve(rules);
    expect((await stat(path)).mode & 0o777).toBe(0o666);
  });

  test('in place of a daemon that was killed', async () => {
    const left = createServer();
    await new Promise<void>((resolve) => left.listen(path, resolve));
    // A socket that nobody listens on any more, as after a crash, is made by moving it away and back.
    const { rename } = await import('node:fs/promises');
    await rename(path, `${path}-left`);
    await new Promise<void>((resolve) => left.close(() => resolve()));
    await rename(`${path}-left`, path);
    await serve(rules);
    const { socket } = await greet();
    socket.destroy();
  });

  test('not beside another daemon', async () => {
    await serve(rules);
    await expect(serve(rules)).rejects.toThrow(`another daemon listens on '${path}'`);
  });

  test('not in place of a file', async () => {
    await writeFile(path, 'something');
    await expect(serve(rules)).rejects.toThrow('no socket');
  });

  test('not where systemd has passed nothing on', async () => {
    const options = { listen: 'sd-listen', rules };
    await expect(serveNixDaemon(memoryDaemon(), options)).rejects.toThrow('systemd has passed no socket on');
  });
});

test('it ends although clients do not', async () => {
  const server = await serve({ trustedUsers: ['*'], allowedUsers: [] });
  const { socket } = await greet();
  const silent = await open();
  const closed = [socket, silent].map(
    (it) => new Promise<void>((resolve) => it.once('close', () => resolve()).resume()),
  );
  await server[Symbol.asyncDispose]();
  await Promise.all(closed);
  await expect(open()).rejects.toThrow();
});

test('who is who in the files of the machine', async () => {
  const text = 'root:x:0:0:root:/root:/bin/sh\n\n# note\nusers:x:100:alice,bob\nbroken:x:y\n';
  expect(parseEntries(text)).toMatchObject([
    { name: 'root', id: 0 },
    { name: 'users', id: 100, members: ['alice', 'bob'] },
  ]);
  const { uid, gid } = userInfo();
  expect((await readPeer({ uid, gid })).user).toBe(username);
  expect(await readPeer({ uid: 4_000_000_000, gid: 4_000_000_000 })).toEqual({
    user: '4000000000',
    groups: ['4000000000'],
  });
});
