import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Composition, Registry, composeFromUrls, parseComposition } from '@neve/compose';
import { blobKind, directoryKind, memoryBlobs } from '@neve/castore';
import { expect, test } from 'vitest';
import { parseGrpcAddress } from '../grpc-address.ts';
import { registerRpcServices, serveGrpc } from './index.ts';

function registry(): Registry {
  const made = new Registry();
  registerRpcServices(made);
  return made;
}

test('blobs by URL', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'neve-rpc-'));
  const blobs = memoryBlobs();
  const server = await serveGrpc({ blobs }, { listen: `unix:${join(folder, 'socket')}` });
  const digest = await blobs.put(Uint8Array.of(1, 2, 3));
  {
    const config = composeFromUrls({ blob: `${server.url}?wait-connect=1` }, registry());
    await using composition = new Composition(config);
    expect(await (await composition.get(blobKind)).has(digest)).toBe(true);
  }
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test('Bigtable without a key and without an emulator is refused when it is started', async () => {
  const toml = `[directoryservices.root]
type = "bigtable"
instance_name = "i"
project_id = "p"
table_name = "t"
family_name = "f"
`;
  await using composition = new Composition(parseComposition(toml, 'store.toml', registry()));
  await expect(composition.get(directoryKind)).rejects.toThrow(/service account/);
});

test.each([
  [
    'grpc+unix:/run/neve.sock',
    { target: 'unix:/run/neve.sock', isEncrypted: false, waitsForConnection: false },
  ],
  ['grpc+unix:///run/neve.sock?wait-connect=1', { target: 'unix:/run/neve.sock', waitsForConnection: true }],
  ['grpc+http://[::1]:8000', { target: 'dns:[::1]:8000' }],
  ['grpc+http://localhost', { target: 'dns:localhost:80' }],
  ['grpc+https://example.org/', { target: 'dns:example.org:443', isEncrypted: true }],
  ['grpc+http://localhost?wait-connect=0', { waitsForConnection: false }],
])('the address %s', (url, expected) => {
  expect(parseGrpcAddress(url)).toMatchObject(expected);
});

test.each([
  ['grpc+unix://host/run/neve.sock', /no host/],
  ['grpc+unix:neve.sock', /begins with a slash/],
  ['grpc+http://localhost/some/path', /no path/],
  ['grpc+http:', /no host/],
  ['grpc+tcp://localhost', /unix, http or https/],
  ['grpc://localhost', /unix, http or https/],
  ['http://localhost', /must begin with/],
  ['grpc+http://user@localhost', /no user/],
  ['grpc+http://localhost?retry=1', /retry=1/],
])('%s is no address', (url, message) => {
  expect(() => parseGrpcAddress(url)).toThrow(message);
});
