/**
 * Directories and path infos in Google's Bigtable emulator, which `tests/backends/servers/bigtable.mjs` starts. Without
 * `BIGTABLE_EMULATOR_HOST` only what needs no server is tested.
 */
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { Directory, hashBlake3, type DirectoryService } from '@neve/castore';
import { directoryCompliance } from '@neve/castore/testing';
import { encodeHex, encodeUtf8 } from '@neve/bytes';
import { encodePathInfo } from '@neve/store';
import { pathInfoCompliance, samplePathInfo, sampleSignature } from '@neve/store/testing';
import { describe, expect, test } from 'vitest';
import { bigtableMethods } from '../bigtable-methods.ts';
import { assembleRows } from '../bigtable-rows.ts';
import {
  ReadRowsResponseSchema,
  type ReadRowsResponse,
} from '../generated/google/bigtable/v2/bigtable_pb.ts';
import { AccessTokens, openBigtableChannel, parseServiceAccount } from './bigtable-connection.ts';
import { BigtableDirectories } from './bigtable-directories.ts';
import { BigtablePathInfos } from './bigtable-path-infos.ts';
import { BigtableTable, type BigtableOptions } from './bigtable-table.ts';

const emulatorHost = process.env['BIGTABLE_EMULATOR_HOST'];

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

let tables = 0;

async function newTable(): Promise<BigtableOptions> {
  const options = {
    emulatorHost: emulatorHost ?? '',
    projectId: 'project-1',
    instanceName: 'instance-1',
    tableName: `table-${process.pid}-${Date.now()}-${tables++}`,
    familyName: 'cf1',
  };
  await using channel = await openBigtableChannel(options);
  await channel.unary(bigtableMethods.createTable, {
    parent: `projects/${options.projectId}/instances/${options.instanceName}`,
    tableId: options.tableName,
    table: { columnFamilies: { [options.familyName]: {} } },
  });
  return options;
}

describe.skipIf(emulatorHost === undefined)('with the emulator (BIGTABLE_EMULATOR_HOST)', () => {
  describe('directories', () => {
    for (const each of directoryCompliance) {
      const open = async (): Promise<DirectoryService> => BigtableDirectories.open(await newTable());
      test(each.name, () => each.run(open, { gets: 'any', puts: 'any' }));
    }
  });

  describe('path infos', () => {
    for (const each of pathInfoCompliance) {
      const open = async () => BigtablePathInfos.open(await newTable());
      test(each.name, () => each.run(open, { puts: true, lists: true, hasInventory: false }));
    }
  });

  test('rows are laid out as those of Snix', async () => {
    const options = await newTable();
    await using directories = await BigtableDirectories.open(options);
    await directories.put(Directory.of([]));
    await using channel = await openBigtableChannel(options);
    const tableName = `projects/project-1/instances/instance-1/tables/${options.tableName}`;
    const rows = await collect(
      assembleRows(channel.download(bigtableMethods.readRows, { tableName, appProfileId: 'default' })),
    );
    const key = encodeUtf8(encodeHex(hashBlake3(new Uint8Array())));
    expect(rows).toEqual([{ key, cells: [{ family: 'cf1', qualifier: key, value: new Uint8Array() }] }]);
  });

  test('a path info that is replaced leaves one version', async () => {
    const options = await newTable();
    await using pathInfos = await BigtablePathInfos.open(options);
    for (const name of ['a', 'b', 'c']) {
      await pathInfos.put(samplePathInfo('replaced', { signatures: [sampleSignature(name)] }));
    }
    const stored = await pathInfos.get(samplePathInfo('replaced').storePath.hashPart);
    expect(stored?.signatures).toHaveLength(3);
    await using table = await BigtableTable.open(options);
    expect(await collect(table.list())).toHaveLength(1);
  });

  test('path infos that several writers put at once keep all signatures', async () => {
    const options = await newTable();
    await using pathInfos = await BigtablePathInfos.open(options);
    const names = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(
      names.map((name) => pathInfos.put(samplePathInfo('race', { signatures: [sampleSignature(name)] }))),
    );
    const stored = await pathInfos.get(samplePathInfo('race').storePath.hashPart);
    expect(stored?.signatures.map(({ keyName }) => keyName).sort()).toEqual(names);
  });

  test('what is damaged or misplaced is refused', async () => {
    const options = await newTable();
    await using table = await BigtableTable.open(options);
    const directory = Directory.of([]);
    await table.insert(directory.digest.bytes, Uint8Array.of(1));
    const foreign = new Uint8Array(20).fill(7);
    await table.insert(foreign, encodePathInfo(samplePathInfo('elsewhere')));
    await using directories = new BigtableDirectories(table);
    await expect(directories.get(directory.digest)).rejects.toMatchObject({ code: 'corrupt' });
    await using pathInfos = new BigtablePathInfos(table);
    await expect(collect(pathInfos.list())).rejects.toMatchObject({ name: 'StoreError' });
  });

  test('a cell above the limit is refused before it is sent', async () => {
    await using table = await BigtableTable.open(await newTable());
    const large = new Uint8Array(10 * 1024 * 1024 + 1);
    await expect(table.insert(new Uint8Array(32), large)).rejects.toMatchObject({
      code: 'resource-exhausted',
    });
  });
});

describe('a stream of rows', () => {
  type Chunk = Parameters<typeof create<typeof ReadRowsResponseSchema>>[1];
  const text = encodeUtf8;

  async function* stream(
    ...chunks: NonNullable<NonNullable<Chunk>['chunks']>
  ): AsyncGenerator<ReadRowsResponse> {
    for (const chunk of chunks) yield create(ReadRowsResponseSchema, { chunks: [chunk] });
  }

  const begin = { rowKey: text('k'), familyName: { value: 'f' }, qualifier: { value: text('q') } };
  const commit = { rowStatus: { case: 'commitRow', value: true } } as const;
  const reset = { rowStatus: { case: 'resetRow', value: true } } as const;

  test('values come in parts, and what is reset does not count', async () => {
    const rows = await collect(
      assembleRows(
        stream(
          { ...begin, value: text('void') },
          reset,
          { ...begin, value: text('he'), valueSize: 5 },
          { value: text('llo') },
          { qualifier: { value: text('r') }, value: text('x'), ...commit },
          { ...begin, rowKey: text('l'), value: text('y'), ...commit },
        ),
      ),
    );
    expect(rows).toEqual([
      {
        key: text('k'),
        cells: [
          { family: 'f', qualifier: text('q'), value: text('hello') },
          { family: 'f', qualifier: text('r'), value: text('x') },
        ],
      },
      { key: text('l'), cells: [{ family: 'f', qualifier: text('q'), value: text('y') }] },
    ]);
  });

  test.each([
    ['inside of a row', stream({ ...begin, value: text('x') })],
    ['without a key', stream({ value: text('x'), ...commit })],
    ['inside of a value', stream({ ...begin, valueSize: 9, ...commit })],
    ['before the one before', stream({ ...begin }, { ...begin, rowKey: text('l'), ...commit })],
  ])('a malformed one: %s', async (message, chunks) => {
    await expect(collect(assembleRows(chunks))).rejects.toThrow(message);
  });
});

describe('access tokens', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

  /** A server that gives tokens, and the claims that it was sent. */
  async function tokenServer(status = 200, lifetime = 3600) {
    const claims: unknown[] = [];
    const server = createServer((request, response) => {
      void collect<Buffer>(request).then((parts) => {
        const form = new URLSearchParams(Buffer.concat(parts).toString());
        const [head = '', claim = '', signature = ''] = (form.get('assertion') ?? '').split('.');
        const verifier = createVerify('RSA-SHA256').update(`${head}.${claim}`);
        expect(verifier.verify(publicKey, signature, 'base64url')).toBe(true);
        claims.push(JSON.parse(Buffer.from(claim, 'base64url').toString()));
        response.writeHead(status, { 'content-type': 'application/json' });
        return response.end(JSON.stringify({ access_token: `token-${claims.length}`, expires_in: lifetime }));
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    const account = {
      client_email: 'neve@example.org',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: tokenUrl,
    };
    const tokens = new AccessTokens(parseServiceAccount(JSON.stringify(account)));
    return { tokens, claims, tokenUrl, [Symbol.asyncDispose]: async () => void server.close() };
  }

  test('a token is asked for with a signed claim, once', async () => {
    await using server = await tokenServer();
    expect(await Promise.all([server.tokens.get(), server.tokens.get()])).toEqual(['token-1', 'token-1']);
    expect(await server.tokens.get()).toBe('token-1');
    expect(server.claims).toMatchObject([{ iss: 'neve@example.org', aud: server.tokenUrl }]);
  });

  test('an old token is renewed', async () => {
    await using server = await tokenServer(200, 1);
    expect(await server.tokens.get()).toBe('token-1');
    expect(await server.tokens.get()).toBe('token-2');
  });

  test('a refusal is told without the key', async () => {
    await using server = await tokenServer(401);
    await expect(server.tokens.get()).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(() => parseServiceAccount('{"private_key":"secret"}')).toThrow(/has no 'client_email'/);
  });
});
