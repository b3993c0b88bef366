/** Each service, as a client of a server of the same service, does what its interface says: over TCP and a Unix socket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryBlobs, memoryDirectories } from '@neve/castore';
import { openLocalBlobs } from '@neve/castore/node';
import { blobCompliance, directoryCompliance } from '@neve/castore/testing';
import { memoryPathInfos } from '@neve/store';
import { pathInfoCompliance } from '@neve/store/testing';
import { afterEach, describe, test } from 'vitest';
import { openGrpcBlobs, openGrpcDirectories, openGrpcPathInfos, serveGrpc } from './index.ts';
import type { ServedServices } from './index.ts';

const cleanups: (() => PromiseLike<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'neve-rpc-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  return folder;
}

/** The URL of a server that ends with the test, and disposes of what it served. */
async function serve(transport: string, services: ServedServices): Promise<string> {
  const listen = transport === 'TCP' ? '127.0.0.1:0' : `unix:${join(await temporaryFolder(), 'socket')}`;
  for (const service of [services.blobs, services.directories, services.pathInfos]) {
    cleanups.push(async () => await service?.[Symbol.asyncDispose]());
  }
  const server = await serveGrpc(services, { listen, graceMs: 1000 });
  cleanups.push(() => server[Symbol.asyncDispose]());
  return server.url;
}

describe.each(['TCP', 'a Unix socket'])('over %s', (transport) => {
  describe('blobs that are not split', () => {
    for (const each of blobCompliance) {
      const open = async () => openGrpcBlobs(await serve(transport, { blobs: memoryBlobs() }));
      test(each.name, () => each.run(open, { splits: false, outboards: true }));
    }
  });

  describe('directories', () => {
    for (const each of directoryCompliance) {
      const open = async () =>
        openGrpcDirectories(await serve(transport, { directories: memoryDirectories() }));
      test(each.name, () => each.run(open, { gets: 'any', puts: 'any' }));
    }
  });

  describe('path infos', () => {
    for (const each of pathInfoCompliance) {
      const open = async () => openGrpcPathInfos(await serve(transport, { pathInfos: memoryPathInfos() }));
      test(each.name, () => each.run(open, { puts: true, lists: true, hasInventory: false }));
    }
  });
});

describe('blobs of a local store', () => {
  for (const each of blobCompliance) {
    const open = async () => {
      const blobs = await openLocalBlobs({ path: await temporaryFolder() });
      return openGrpcBlobs(await serve('a Unix socket', { blobs }));
    };
    test(each.name, () => each.run(open, { splits: false, outboards: true }));
  }
});
