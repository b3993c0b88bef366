// The store is one of the test's own, which notes what it is asked.
import { describe, expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { type EvalIO, EvalIOError } from '@neve/eval';
import {
  type Added,
  type LazyStoreIOOptions,
  type StoreIO,
  createFileSystemIO,
  createLazyStoreIO,
} from './index.ts';

const storePath = '/nix/store/ffffffffffffffffffffffffffffffff-object';
const inStore = encodeUtf8(`${storePath}/file`);

/** Calls of the store, the host's own files, and how often the store was loaded. */
function setUp(
  answers: Partial<StoreIO> = {},
  options: Pick<LazyStoreIOOptions, 'described'> = {},
): {
  io: EvalIO;
  calls: string[];
  /** Names of what was added. */
  told: string[];
  loads: () => number;
  load: () => Promise<void>;
} {
  const calls: string[] = [];
  let loads = 0;
  const answer =
    <T>(name: string, value: T) =>
    async (): Promise<T> => {
      calls.push(name);
      return value;
    };
  const store: StoreIO = {
    readFile: answer('readFile', encodeUtf8('from the store')),
    fileType: answer('fileType', 'regular' as const),
    readDirectory: answer('readDirectory', []),
    readLink: answer('readLink', encodeUtf8('target')),
    hashFile: answer('hashFile', new Uint8Array()),
    addPathToStore: answer('addPathToStore', { storePath, digest: new Uint8Array() }),
    isValidStorePath: answer('isValidStorePath', true),
    toStorePath: answer('toStorePath', storePath),
    realise: async (context) => {
      calls.push(`realise ${context.length}`);
      return context.map(() => storePath);
    },
    fetch: answer('fetch', { storePath, attributes: new Map() }),
    storePathReferences: answer('storePathReferences', []),
    describe: (added: Added) => void calls.push(`describe ${added.kind}`),
    ...answers,
  };
  const host = createFileSystemIO({
    storeDir: '/nix/store',
    physicalStoreDir: undefined,
    readOnly: true,
    environment: {},
    onMessage: () => undefined,
  });
  const load = async (): Promise<StoreIO> => {
    loads++;
    return store;
  };
  const told: string[] = [];
  const onAdded = ({ request }: Added): void => void told.push(request.name);
  const io = createLazyStoreIO({ host, storeDir: '/nix/store', load, onAdded, ...options });
  return { io, calls, told, loads: () => loads, load: () => io.load() };
}

const text = { name: 'a', contents: encodeUtf8('text'), references: [] };

describe('what needs no store', () => {
  test('files of the machine are answered at once', () => {
    const { io, loads } = setUp();
    expect(io.fileType(encodeUtf8('/'))).toBe('directory');
    expect(io.fileType(encodeUtf8('/nix/store'))).toBe(io.fileType(encodeUtf8('/nix/store/')));
    expect(() => io.readFile(encodeUtf8('/nowhere/at/all'))).toThrow("path '/nowhere/at/all' does not exist");
    expect(loads()).toBe(0);
  });

  test('what is added has its path at once, and is there when its contents are wanted by name', async () => {
    const { io, loads } = setUp();
    const added = io.addTextToStore(text) as string;
    // nix-instantiate --eval -E 'builtins.toFile "a" "text"'
    expect(added).toBe('/nix/store/znvscj76jsnvyjqabi70np3mf4lm3gy4-a');
    expect(io.realise?.([{ kind: 'path', storePath: added }])).toEqual([added]);
    void io.writeDerivation({
      name: 'x.drv',
      contents: new Uint8Array(),
      storePath: `${storePath}.drv`,
    });
    expect(io.realise?.([{ kind: 'path', storePath: `${storePath}.drv` }])).toEqual([`${storePath}.drv`]);
    expect(loads()).toBe(0);
  });
});

describe('what needs the store', () => {
  test('it is loaded once, and hears once of everything that was added', async () => {
    const { io, calls, loads, load } = setUp();
    await io.addTextToStore(text);
    await io.writeDerivation({
      name: 'x.drv',
      contents: new Uint8Array(),
      storePath: `${storePath}.drv`,
    });
    expect(decodeUtf8(await io.readFile(inStore))).toBe('from the store');
    await Promise.all([io.fileType(inStore), load()]);
    await io.addTextToStore({ ...text, name: 'later' });
    expect(calls).toEqual(['describe text', 'describe derivation', 'readFile', 'fileType', 'describe text']);
    expect(loads()).toBe(1);
  });

  test('what is added while it is being loaded is not lost', async () => {
    const { io, calls, load } = setUp();
    const loading = load();
    await io.addTextToStore(text);
    await loading;
    expect(calls).toEqual(['describe text']);
  });

  test('it hears first of what was described before, and of that once', async () => {
    const calls: string[] = [];
    const before = { kind: 'text', request: { ...text, name: 'before' }, storePath } as const;
    const describe = ({ kind, request }: Added): void => void calls.push(`${kind} ${request.name}`);
    const { io, load, told } = setUp({ describe }, { described: () => [before] });
    await io.addTextToStore(text);
    await load();
    await load();
    await io.addTextToStore({ ...text, name: 'later' });
    expect(calls).toEqual(['text before', 'text a', 'text later']);
    expect(told).toEqual(['a', 'later']);
  });

  test.each<[string, (io: EvalIO) => unknown]>([
    ['readFile', (io) => io.withContents?.(inStore, (it) => it.length)],
    ['readDirectory', (io) => io.readDirectory(inStore)],
    ['readLink', (io) => io.readLink(inStore)],
    ['hashFile', (io) => io.hashFile({ path: inStore, hashAlgorithm: 'sha256' })],
    ['isValidStorePath', (io) => io.isValidStorePath(encodeUtf8(storePath))],
    ['toStorePath', (io) => io.toStorePath(inStore)],
    [
      'addPathToStore',
      (io) => io.addPathToStore({ path: inStore, name: 'n', method: 'nar', hashAlgorithm: 'sha256' }),
    ],
    ['fetch', (io) => io.fetch?.({ kind: 'url', attributes: new Map(), pure: false })],
    ['storePathReferences', (io) => io.storePathReferences?.(storePath)],
    [
      'realise 2',
      (io) =>
        io.realise?.([
          { kind: 'path', storePath },
          { kind: 'output', drvPath: `${storePath}.drv`, outputName: 'out' },
        ]),
    ],
  ])('%s', async (call, ask) => {
    const { io, calls } = setUp();
    await ask(io);
    expect(calls).toEqual([call]);
  });

  test('an error of a class with the same name becomes one of its own', async () => {
    class Foreign extends Error {
      override readonly name = 'EvalIOError';
      readonly code = 'not-found';
      readonly path = inStore;
    }
    const cause = new Error('because');
    const { io } = setUp({ readFile: async () => Promise.reject(new Foreign('it is gone', { cause })) });
    const error: unknown = await Promise.resolve(io.readFile(inStore)).catch((it: unknown) => it);
    expect(error).toBeInstanceOf(EvalIOError);
    expect(error).toMatchObject({ code: 'not-found', message: 'it is gone', path: inStore, cause });
  });

  test('any other error stays itself', async () => {
    const bug = new TypeError('a bug');
    const { io } = setUp({ readFile: async () => Promise.reject(bug) });
    await expect(io.readFile(inStore)).rejects.toBe(bug);
  });
});
