/**
 * The suite of build services over gRPC, with the builder of this machine behind it: with one castore for both sides, and
 * with one for each.
 */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BuildService } from '@neve/build';
import { localBuilder } from '@neve/build/node';
import { buildServiceCases } from '@neve/build/testing';
import { memoryBlobs, memoryDirectories } from '@neve/castore';
import type { Castore } from '@neve/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openGrpcBuilder, openRemoteBuilder, serveGrpc } from './index.ts';

/** The suite asks for all that a server may refuse. */
const buildPolicy = { hostPaths: ['/'], allowsNoIsolation: true } as const;

const ways: readonly {
  readonly name: string;
  readonly listen: (folder: string) => string;
  readonly castoreOfServer: (client: Castore) => Castore;
  readonly open: (url: string, client: Castore) => Promise<BuildService>;
}[] = [
  {
    name: 'one castore, over a Unix socket',
    listen: (folder) => `unix:${join(folder, 'socket')}`,
    castoreOfServer: (client) => client,
    open: (url) => openGrpcBuilder(url),
  },
  {
    name: 'two castores, over TCP',
    listen: () => '127.0.0.1:0',
    castoreOfServer: newCastore,
    open: (url, client) => openRemoteBuilder(url, client),
  },
];

describe.each(ways)('$name', ({ listen, castoreOfServer, open }) => {
  const client = newCastore();
  const cleanups: (() => PromiseLike<unknown>)[] = [];
  let service: BuildService;
  let system: string;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'neve-rpc-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const server = castoreOfServer(client);
    const builder = await localBuilder({ ...server, folder, sandbox: 'unshare' });
    cleanups.push(async () => {
      await builder[Symbol.asyncDispose]();
      expect(readdirSync(join(folder, 'builds')), 'folders of builds').toEqual([]);
    });
    const served = await serveGrpc({ ...server, builder, buildPolicy }, { listen: listen(folder) });
    cleanups.push(() => served[Symbol.asyncDispose]());
    service = await open(served.url, client);
    cleanups.push(() => service[Symbol.asyncDispose]());
    [system = ''] = await builder.systems();
  });

  afterAll(async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  });

  for (const each of buildServiceCases) {
    test.concurrent(each.name, async () => {
      await each.run({ service, ...client, traits: { system, saysSignal: true, observes: false } });
    });
  }
});

function newCastore(): Castore {
  return { blobs: memoryBlobs(), directories: memoryDirectories() };
}
