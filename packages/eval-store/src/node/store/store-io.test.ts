// A store in memory, with files of a folder of the test's own. Paths and messages are those of Nix 2.34.8.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { type AddPathOptions, type EvalIO, EvalIOError } from '@neve/eval';
import { FetchError } from '@neve/fetch';
import { StoreDirectory, parseDerivation } from '@neve/nix-compat';
import { KnownPaths, Realiser, memoryLocks } from '@neve/realise';
import { type StoreServices, narCalculationByRendering } from '@neve/store';
import { memoryStore } from '@neve/store/testing';
import { createFileSystemIO } from '../file-system-io.ts';
import type { StoreIO } from '../lazy-store-io.ts';
import { createStoreIO } from './store-io.ts';

const storeDirectory = new StoreDirectory('/nix/store', nodeHashes);
const missing = '/nix/store/ffffffffffffffffffffffffffffffff-object';

let folder: string;
let store: StoreServices;
let host: EvalIO;
let io: StoreIO;
let built: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'neve-store-io-'));
  mkdirSync(join(folder, 'tree/sub'), { recursive: true });
  writeFileSync(join(folder, 'tree/file'), 'hello');
  writeFileSync(join(folder, 'tree/run'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(folder, 'tree/sub/inner'), 'inner');
  symlinkSync('file', join(folder, 'tree/link'));
  store = memoryStore();
  built = [];
  host = createFileSystemIO({
    storeDir: '/nix/store',
    physicalStoreDir: undefined,
    readOnly: true,
    environment: {},
    onMessage: () => undefined,
  });
  const known = new KnownPaths((contents, path) =>
    parseDerivation(contents, { name: path.name.replace(/\.drv$/, ''), store: storeDirectory }),
  );
  const fetcher = {
    fetch: async () => Promise.reject(new FetchError('unsupported', 'nothing is fetched here')),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const realiser = new Realiser({
    store,
    known,
    substituters: [],
    readDerivation: async () => Promise.reject(new Error('no derivation is read here')),
    storeDirectory,
    hashes: nodeHashes,
    narCalculation: narCalculationByRendering({ ...store, hashes: nodeHashes }),
    builder: {
      allowsSubstitutes: () => true,
      fetchOf: () => undefined,
      prepare: async ({ drvPath }) => {
        built.push(drvPath.name);
        throw new Error('nothing is built here');
      },
    },
    fetcher,
    locks: memoryLocks(),
    limits: { builds: 1, substitutions: 1, downloads: 1 },
    fallback: false,
    keepGoing: false,
  });
  const fetch = (): Promise<never> => fetcher.fetch();
  io = createStoreIO({ store, realiser, storeDirectory, known, fetch });
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Adds something of the folder, as an evaluation does: the machine's files give the path, the store hears of it. */
async function add(path: string, options: Partial<AddPathOptions> = {}): Promise<string> {
  const request: AddPathOptions = {
    path: encodeUtf8(join(folder, path)),
    name: 'source',
    method: 'nar',
    hashAlgorithm: 'sha256',
    ...options,
  };
  const added = await host.addPathToStore(request);
  io.describe({ kind: 'path', request, added });
  return added.storePath;
}

async function addText(name: string, contents: string, references: readonly string[] = []): Promise<string> {
  const request = { name, contents: encodeUtf8(contents), references };
  const storePath = await host.addTextToStore(request);
  io.describe({ kind: 'text', request, storePath });
  return storePath;
}

async function read(path: string): Promise<string> {
  return decodeUtf8(await io.readFile(encodeUtf8(path)));
}

async function isStored(storePath: string): Promise<boolean> {
  return await store.pathInfos.has(storeDirectory.parse(storePath).hashPart);
}

async function failure(answer: unknown): Promise<EvalIOError> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof EvalIOError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('a text is read, and has references, without being made', async () => {
  const inner = await addText('inner', 'x');
  const outer = await addText('outer', inner, [inner]);
  expect(await read(outer)).toBe(inner);
  expect(await io.fileType(encodeUtf8(outer))).toBe('regular');
  expect(await io.storePathReferences(outer)).toEqual([inner]);
  expect(await io.isValidStorePath(encodeUtf8(outer))).toBe(true);
  expect(await io.toStorePath(encodeUtf8(`${outer}/below`))).toBe(outer);
  expect(await isStored(outer)).toBe(false);
});

test('files are imported when they are looked at, and have the path that was computed before', async () => {
  const path = await add('tree');
  expect(await isStored(path)).toBe(false);
  const entries = await io.readDirectory(encodeUtf8(path));
  expect(entries.map(({ name, type }) => `${decodeUtf8(name)} ${type}`).sort()).toEqual([
    'file regular',
    'link symlink',
    'run regular',
    'sub directory',
  ]);
  expect(await isStored(path)).toBe(true);
  expect(await read(`${path}/sub/inner`)).toBe('inner');
  expect(decodeUtf8(await io.readLink(encodeUtf8(`${path}/link`)))).toBe('file');
  expect(await io.fileType(encodeUtf8(`${path}/run`))).toBe('executable');
  expect(await io.fileType(encodeUtf8(`${path}/none`))).toBe(undefined);
  const hash = await io.hashFile({ path: encodeUtf8(`${path}/file`), hashAlgorithm: 'sha256' });
  expect(hash).toEqual(nodeHashes.hash('sha256', encodeUtf8('hello')).bytes);
});

test.each(['nar', 'flat', 'text'] as const)('a file by method %s', async (method) => {
  const path = await add('tree/run', { method });
  expect(await read(path)).toBe('#!/bin/sh\n');
  // Only an archive has an executable bit.
  expect(await io.fileType(encodeUtf8(path))).toBe(method === 'nar' ? 'executable' : 'regular');
});

test('a filtered import is what the machine hashed', async () => {
  const accepted = new Set(['sub', 'sub/inner']);
  const path = await add('tree', { accepted: { has: (it) => accepted.has(decodeUtf8(it)) } });
  const entries = await io.readDirectory(encodeUtf8(path));
  expect(entries.map(({ name }) => decodeUtf8(name))).toEqual(['sub']);
  expect(await isStored(path)).toBe(true);
});

test('files that have changed since they were evaluated are refused', async () => {
  const [whole, flat] = [await add('tree'), await add('tree/file', { method: 'flat' })];
  writeFileSync(join(folder, 'tree/file'), 'HELLO');
  for (const path of [whole, flat]) {
    const error = await failure(io.fileType(encodeUtf8(path)));
    expect(error.message).toContain('has changed since it was evaluated; evaluate again');
    expect(await isStored(path)).toBe(false);
  }
});

test('what is in the store is added again, whole, in part and filtered, as its files would be', async () => {
  const path = await add('tree');
  const inStore = async (below: string, options: Partial<AddPathOptions> = {}): Promise<string> => {
    const request = { name: 'source', method: 'nar', hashAlgorithm: 'sha256', ...options } as const;
    return (await io.addPathToStore({ ...request, path: encodeUtf8(path + below) })).storePath;
  };
  expect(await inStore('')).toBe(path);
  expect(await inStore('/sub')).toBe(await add('tree/sub'));
  expect(await inStore('/run', { method: 'flat' })).toBe(await add('tree/run', { method: 'flat' }));
  const accepted = { has: (it: Uint8Array) => decodeUtf8(it) !== 'sub' };
  const filtered = await inStore('', { accepted, name: 'filtered' });
  expect(filtered).toBe(await add('tree', { accepted, name: 'filtered' }));
  expect(await io.fileType(encodeUtf8(`${filtered}/sub`))).toBe(undefined);
  expect(await read(`${filtered}/file`)).toBe('hello');
  const wrong = failure(inStore('', { expected: new Uint8Array(32) }));
  expect((await wrong).message).toBe(`store path mismatch in (possibly filtered) path added from '${path}'`);
  expect((await failure(inStore('/sub', { method: 'flat' }))).message).toBe(
    `'${path}/sub' is not a regular file`,
  );
});

test('what is not there is told as Nix tells it', async () => {
  const path = encodeUtf8(`${missing}/file`);
  expect((await failure(io.readFile(path))).message).toBe(`path '${missing}/file' does not exist`);
  expect((await failure(io.readDirectory(path))).code).toBe('not-found');
  expect(await io.fileType(path)).toBe(undefined);
  expect(await io.isValidStorePath(encodeUtf8(missing))).toBe(false);
  expect(await io.storePathReferences(missing)).toBe(undefined);
  const required = `path '${missing}' is required, but there is no substituter that can build it`;
  expect((await failure(io.toStorePath(encodeUtf8(missing)))).message).toBe(required);
  expect((await failure(io.realise([{ kind: 'path', storePath: missing }]))).message).toBe(required);
  const noName = '/nix/store/not-a-name';
  expect((await failure(io.toStorePath(encodeUtf8(noName)))).message).toBe(
    `path '${noName}' is not in the Nix store`,
  );
  expect(await io.fileType(encodeUtf8(noName))).toBe(undefined);
});

test('what is looked at in the wrong way is told', async () => {
  const path = await add('tree');
  expect((await failure(io.readFile(encodeUtf8(`${path}/sub`)))).code).toBe('is-directory');
  expect((await failure(io.readDirectory(encodeUtf8(`${path}/file`)))).code).toBe('not-a-directory');
  expect((await failure(io.readLink(encodeUtf8(`${path}/file`)))).code).toBe('not-a-symlink');
});

test('what was described is realised by its name alone; an output is built', async () => {
  const path = await add('tree');
  expect(await io.realise([{ kind: 'path', storePath: path }])).toEqual([path]);
  expect(await isStored(path)).toBe(false);
  const out = storeDirectory.print(
    storeDirectory.makePath('output:out', nodeHashes.hash('sha256', new Uint8Array()), 'x'),
  );
  const contents = encodeUtf8(`Derive([("out","${out}","","")],[],[],"s","b",[],[("out","${out}")])`);
  const drvPath = missing.replace('object', 'x.drv');
  io.describe({
    kind: 'derivation',
    request: { name: 'x.drv', contents, storePath: drvPath },
  });
  expect(await read(drvPath)).toMatch(/^Derive/);
  expect(await io.realise([{ kind: 'derivation', drvPath }])).toEqual([drvPath]);
  expect(built).toEqual([]);
  await expect(io.realise([{ kind: 'output', drvPath, outputName: 'out' }])).rejects.toThrow(
    'nothing is built here',
  );
  expect(built).toEqual(['x.drv']);
  expect((await failure(io.realise([{ kind: 'output', drvPath, outputName: 'doc' }]))).message).toMatch(
    /does not have wanted outputs 'doc'/,
  );
});

test('a failed fetch is a failure of the world', async () => {
  const error = await failure(io.fetch({ kind: 'url', attributes: new Map(), pure: false }));
  expect([error.code, error.message]).toEqual(['io-error', 'nothing is fetched here']);
});
