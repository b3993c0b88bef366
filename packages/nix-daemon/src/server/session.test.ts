/** Clients of all versions against a daemon in memory; what a Nix does in the same place is the expectation. */
import { Digest, concatBytes, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import {
  type Derivation,
  NarWriter,
  StoreDirectory,
  type StorePath,
  type ValidPathInfo,
  contentAddressedPath,
  derivationPath,
  DerivationHashes,
  fingerprintPathInfo,
  generateSecretKey,
  printDerivation,
  publicKeyOf,
  signFingerprint,
} from '@neve/nix-compat';
import { nodeEd25519 } from '@neve/nix-compat/node';
import { addedPathInfo, encodeWire, realisationWithPath, size } from '@neve/nix-compat/protocols';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoryConnection } from '../testing/memory-connection.ts';
import { type MemoryDaemon, type MemoryDaemonOptions, memoryDaemon } from '../testing/memory-services.ts';
import { TestClient, type TestClientOptions } from '../testing/test-client.ts';
import { serveSession } from './session.ts';

const store = new StoreDirectory('/nix/store', nodeHashes);

/** 1.25 adds in frames, 1.23 has frames at all, 1.21 is asked for pieces, before that archives come as they are. */
const minors = [18, 20, 21, 22, 23, 25, 26, 27, 29, 30, 32, 34, 35, 37, 38];

type Connected = { readonly daemon: MemoryDaemon; readonly client: TestClient; readonly leave: () => void };

async function connect(
  options: Partial<TestClientOptions> &
    MemoryDaemonOptions & {
      readonly isTrusted?: boolean;
      readonly daemon?: MemoryDaemon;
      readonly pieceBytes?: number;
    } = {},
): Promise<Connected & { readonly ended: Promise<void> }> {
  const { isTrusted = true, daemon = memoryDaemon(options), pieceBytes } = options;
  const [near, far] = memoryConnection(pieceBytes);
  const aborter = new AbortController();
  const ended = serveSession(far, {
    daemon,
    isTrusted,
    signal: aborter.signal,
    onBug: (error) => {
      throw error;
    },
  });
  ended.catch(() => undefined);
  const client = await TestClient.open(near, { store, ...options });
  const leave = (): void => {
    near.end();
    aborter.abort(new Error('the client has gone'));
  };
  return { daemon, client, leave, ended };
}

function fileNar(text: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new NarWriter((bytes) => pieces.push(bytes.slice()));
  const contents = encodeUtf8(text);
  writer.startRegular(contents.length, false);
  writer.contents(contents);
  writer.endRegular();
  writer.end();
  return concatBytes(pieces);
}

/** What a client says of a NAR that follows from its contents. */
function contentAddressedInfo(name: string, nar: Uint8Array): ValidPathInfo {
  const contentAddress = { method: 'nar', digest: nodeHashes.hash('sha256', nar) } as const;
  return { ...statedInfo(contentAddressedPath(store, { name, contentAddress }), nar), contentAddress };
}

function statedInfo(path: StorePath, nar: Uint8Array): ValidPathInfo {
  return {
    path,
    ...{ narHash: nodeHashes.hash('sha256', nar), narSize: nar.length, references: [], signatures: [] },
    ...{ registrationTime: 0, ultimate: false, deriver: undefined, contentAddress: undefined },
  };
}

const somePath = store.parse('/nix/store/1rz4g4znpzjwh1xymhjpm42vipw92pr7-some');

/** An input-addressed derivation with the right paths, as text and path. */
async function derivationOf(
  name: string,
  {
    builder = 'write',
    text = 'text',
    inputs = [],
  }: { builder?: string; text?: string; inputs?: readonly StorePath[] } = {},
): Promise<{
  readonly derivation: Derivation;
  readonly text: Uint8Array;
  readonly path: StorePath;
  readonly out: StorePath;
}> {
  const empty: Derivation = {
    name,
    outputs: new Map([['out', { kind: 'deferred' }]]),
    inputSources: inputs,
    inputDerivations: [],
    system: encodeUtf8('any'),
    builder: encodeUtf8(builder),
    args: [],
    environment: new Map([
      ['name', encodeUtf8(name)],
      ['out', new Uint8Array()],
      ['text', encodeUtf8(text)],
    ]),
  };
  const lookUp = (): never => {
    throw new Error('there are no input derivations');
  };
  const hashes = new DerivationHashes({ store, hashes: nodeHashes, lookUp });
  const deferred = await hashes.hashOfOutputs(empty);
  const out = store.makePath('output:out', deferred.byOutput.get('out') as Digest, name);
  const derivation: Derivation = {
    ...empty,
    outputs: new Map([['out', { kind: 'input-addressed', path: out }]]),
    environment: new Map([...empty.environment, ['out', encodeUtf8(store.print(out))]]),
  };
  const path = derivationPath(derivation, { store, hashes: nodeHashes });
  return { derivation, text: printDerivation(derivation, store), path, out };
}

describe.each(minors)('a client of version 1.%i', (minor) => {
  test('is told about the daemon as far as it can be', async () => {
    const { client } = await connect({ minor, isTrusted: false });
    expect(client.daemon.nixVersion).toBe(minor >= 33 ? 'test' : undefined);
    expect(client.daemon.trust).toBe(minor >= 35 ? 'notTrusted' : 'unknown');
  });

  test('adds, asks for and reads a tree', async () => {
    const { client } = await connect({ minor, pieceBytes: 7 });
    const nar = fileNar('contents');
    const request = {
      name: 'file',
      method: 'nar',
      algorithm: 'sha256',
      references: [],
      repair: false,
    } as const;
    const { path } = await client.ask('addToStore', request, nar);
    expect(path.baseName).toBe(contentAddressedInfo('file', nar).path.baseName);
    expect(await client.ask('isValidPath', { path })).toBe(true);
    expect(await client.ask('isValidPath', { path: somePath })).toBe(false);
    const info = await client.ask('queryPathInfo', { path });
    expect(info).toMatchObject({ narSize: nar.length, references: [] });
    expect(info?.narHash?.equals(nodeHashes.hash('sha256', nar))).toBe(true);
    expect(await client.ask('queryPathInfo', { path: somePath })).toBe(undefined);
    expect(await client.ask('queryPathFromHashPart', { hashPart: path.hashPart })).toEqual(path);
    expect(await client.ask('queryAllValidPaths', {})).toEqual([path]);
    expect(await client.ask('queryValidPaths', { paths: [somePath, path], substitute: false })).toEqual([
      path,
    ]);
    await client.ask('narFromPath', { path });
    expect(await client.readNar()).toEqual(nar);
    // The connection is in step.
    expect(await client.ask('isValidPath', { path })).toBe(true);
  });

  test('adds an archive with what is known of it', async () => {
    const { client } = await connect({ minor });
    const nar = fileNar('archived');
    const info = contentAddressedInfo('archived', nar);
    await client.ask('addToStoreNar', { info, repair: false, dontCheckSignatures: false }, nar);
    expect(await client.ask('isValidPath', { path: info.path })).toBe(true);
    // Once more, which changes nothing.
    await client.ask('addToStoreNar', { info, repair: false, dontCheckSignatures: false }, nar);
    expect(await client.ask('queryReferrers', { path: info.path })).toEqual([]);
  });

  test('builds, and sees the log', async () => {
    const { client, daemon } = await connect({ minor });
    const { text, path, out } = await derivationOf('hello');
    const added = await client.ask('addTextToStore', { name: path.name, text, references: [] });
    expect(added).toEqual(path);
    if (minor >= 19) {
      const missing = await client.ask('queryMissing', {
        targets: [{ kind: 'built', drvPath: { kind: 'opaque', path }, outputs: 'all' }],
      });
      expect(missing.willBuild).toEqual([path]);
    }
    await client.ask('buildPaths', {
      paths: [{ kind: 'built', drvPath: { kind: 'opaque', path }, outputs: ['out'] }],
      mode: 'normal',
    });
    expect(await client.ask('isValidPath', { path: out })).toBe(true);
    expect(daemon.buildsBegun()).toBe(1);
    const told = client.frames.flatMap((it) => {
      if (it.kind === 'next') return [it.text];
      if (it.kind === 'startActivity') return [it.text];
      return it.kind === 'result' && it.type === 'buildLogLine' ? it.fields : [];
    });
    expect(told.join('\n')).toContain(`building '${store.print(path)}'`);
    if (minor >= 20) expect(told).toContain('write hello');
    expect(await client.ask('queryValidDerivers', { path: out })).toEqual([path]);
    expect(await client.ask('queryDerivationOutputNames', { path })).toEqual(['out']);
    if (minor >= 22)
      expect(await client.ask('queryDerivationOutputMap', { path })).toEqual(new Map([['out', out]]));
  });

  test('is told why a build failed', async () => {
    const { client } = await connect({ minor });
    const { text, path } = await derivationOf('broken', { builder: 'fail' });
    await client.ask('addTextToStore', { name: path.name, text, references: [] });
    const paths = [{ kind: 'built', drvPath: { kind: 'opaque', path }, outputs: 'all' }] as const;
    await expect(client.ask('buildPaths', { paths, mode: 'normal' })).rejects.toThrow(
      "Cannot build 'broken'.",
    );
    if (minor >= 34) {
      const [result] = await client.ask('buildPathsWithResults', { paths, mode: 'normal' });
      expect(result).toMatchObject({ status: 'PermanentFailure', errorMessage: "Cannot build 'broken'." });
    }
    expect(await client.ask('isValidPath', { path })).toBe(true);
  });

  test('collects garbage, and keeps what it uses itself', async () => {
    const { client, daemon } = await connect({ minor });
    const nar = fileNar('garbage');
    const other = await connect({ minor, daemon });
    const request = {
      name: 'garbage',
      method: 'nar',
      algorithm: 'sha256',
      references: [],
      repair: false,
    } as const;
    const { path } = await other.client.ask('addToStore', request, nar);
    const options = {
      action: 'deleteDead',
      among: 'all',
      ignoreLiveness: false,
      maxFreed: 2n ** 64n - 1n,
    } as const;
    expect((await client.ask('collectGarbage', options)).paths).toEqual([]);
    const roots = await client.ask('findRoots', {});
    expect(roots.map(({ target }) => target)).toEqual([path]);
    other.leave();
    await other.ended;
    passTime();
    expect((await client.ask('collectGarbage', options)).paths).toEqual([store.print(path)]);
    expect(await client.ask('isValidPath', { path })).toBe(false);
  });
});

/** Stores in memory do not know when something was used to the minute. */
function passTime(): void {
  vi.setSystemTime(Date.now() + 120_000);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('several objects at once', async () => {
  const { client } = await connect();
  const nars = ['one', 'two', 'three'].map((text) => ({ text, nar: fileNar(text) }));
  const infos = nars.map(({ text, nar }) => contentAddressedInfo(text, nar));
  const stream = concatBytes([
    encodeWire(size, infos.length, client.context),
    ...infos.flatMap((info, index) => [
      encodeWire(addedPathInfo, info, client.context),
      nars[index]?.nar ?? new Uint8Array(),
    ]),
  ]);
  await client.ask('addMultipleToStore', { repair: false, dontCheckSignatures: false }, stream);
  const paths = infos.map(({ path }) => path);
  expect(await client.ask('queryValidPaths', { paths, substitute: false })).toHaveLength(3);
});

describe('what is added must be true', () => {
  const nar = fileNar('contents');
  const info = contentAddressedInfo('true', nar);
  const other = fileNar('other contents');
  test.each<[string, ValidPathInfo, Uint8Array, RegExp]>([
    ['another NAR', info, other, /^hash mismatch importing path '.*-true';\n {2}specified: sha256-/],
    ['a size too large', { ...info, narSize: nar.length + 8 }, nar, /^size mismatch importing path/],
    ['an archive cut off', info, nar.subarray(0, -8), /ends|end of|cut off/],
    ['no archive', info, new Uint8Array(100), /does not look like a Nix archive/],
    ['no signature', statedInfo(somePath, nar), nar, /because it lacks a signature by a trusted key$/],
    [
      'another content address',
      { ...info, path: somePath },
      nar,
      /because it lacks a signature by a trusted key$/,
    ],
    ['a reference that is not there', { ...withReference(nar) }, nar, /^path '.*-some' is not valid$/],
  ])('%s', async (_, stated, stream, message) => {
    const { client } = await connect({ isTrusted: false });
    const request = { info: stated, repair: false, dontCheckSignatures: true };
    await expect(client.ask('addToStoreNar', request, stream)).rejects.toThrow(message);
    expect(await client.ask('queryAllValidPaths', {})).toEqual([]);
  });

  test('a wrong content address is found out although the client is trusted', async () => {
    const { client } = await connect();
    const contentAddress = { method: 'nar', digest: nodeHashes.hash('sha256', other) } as const;
    const request = { info: { ...info, contentAddress }, repair: false, dontCheckSignatures: true };
    await expect(client.ask('addToStoreNar', request, nar)).rejects.toThrow(
      /^ca hash mismatch importing path/,
    );
  });

  test('a trusted client may do without signatures', async () => {
    const { client } = await connect();
    const request = { info: statedInfo(somePath, nar), repair: false, dontCheckSignatures: true };
    await client.ask('addToStoreNar', request, nar);
    expect(await client.ask('isValidPath', { path: somePath })).toBe(true);
    // Another name with the same hash part is another path.
    const path = store.parse(`/nix/store/${somePath.hashPart}-else`);
    expect(await client.ask('isValidPath', { path })).toBe(false);
  });

  test('a signature by a trusted key is enough', async () => {
    const key = generateSecretKey('k', nodeEd25519);
    const unsigned = statedInfo(somePath, nar);
    const fingerprint = fingerprintPathInfo(store, {
      ...unsigned,
      storePath: somePath,
      narHash: nodeHashes.hash('sha256', nar),
    });
    const signatures = [signFingerprint(fingerprint, key, nodeEd25519)];
    const { client } = await connect({ isTrusted: false, publicKeys: [publicKeyOf(key)] });
    await client.ask(
      'addToStoreNar',
      { info: { ...unsigned, signatures }, repair: false, dontCheckSignatures: false },
      nar,
    );
    expect((await client.ask('queryPathInfo', { path: somePath }))?.signatures).toHaveLength(1);
  });

  test('a derivation must have the outputs that follow from it', async () => {
    const { client } = await connect({ isTrusted: false });
    const { derivation } = await derivationOf('honest');
    const lying: Derivation = {
      ...derivation,
      outputs: new Map([['out', { kind: 'input-addressed', path: somePath }]]),
      environment: new Map([...derivation.environment, ['out', encodeUtf8(store.print(somePath))]]),
    };
    const text = printDerivation(lying, store);
    await expect(client.ask('addTextToStore', { name: 'honest.drv', text, references: [] })).rejects.toThrow(
      `derivation has incorrect output '${store.print(somePath)}'`,
    );
    expect(await client.ask('queryAllValidPaths', {})).toEqual([]);
  });
});

describe('who is not trusted', () => {
  const refusals: readonly [string, (client: TestClient) => Promise<unknown>, string][] = [
    [
      'repairs nothing',
      (client) => client.ask('verifyStore', { checkContents: false, repair: true }),
      'you are not privileged to repair paths',
    ],
    [
      'adds no logs',
      (client) => client.ask('addBuildLog', { drvPath: somePath }, encodeUtf8('log')),
      'you are not privileged to add logs',
    ],
    [
      'makes no links',
      (client) => client.ask('addPermRoot', { path: somePath, root: '/link' }),
      'you are not privileged to create perm roots',
    ],
    [
      'repairs no builds',
      (client) => client.ask('buildPaths', { paths: [], mode: 'repair' }),
      "repairing is not allowed because you are not in 'trusted-users'",
    ],
  ];
  test.each(refusals)('%s', async (_, ask, message) => {
    const { client } = await connect({ isTrusted: false });
    await expect(ask(client)).rejects.toThrow(message);
    expect(await client.ask('queryAllValidPaths', {})).toEqual([]);
  });

  test('builds no input-addressed derivation that the daemon does not see', async () => {
    const { client } = await connect({ isTrusted: false });
    const { derivation, path } = await derivationOf('unseen');
    await expect(
      client.ask('buildDerivation', { drvPath: path, derivation, mode: 'normal' }),
    ).rejects.toThrow('you are not privileged to build input-addressed derivations');
  });

  test('is told which settings are left alone', async () => {
    const { client } = await connect({ isTrusted: false });
    const options = {
      ...{
        keepFailed: false,
        keepGoing: false,
        tryFallback: false,
        verbosity: 3,
        maxBuildJobs: 1,
        maxSilentTime: 0,
      },
      ...{
        verboseBuild: true,
        buildCores: 0,
        useSubstitutes: true,
        overrides: new Map([['sandbox', 'false']]),
      },
    };
    await client.ask('setOptions', options);
    expect(client.frames).toEqual([
      { kind: 'next', text: expect.stringContaining("setting 'sandbox'") as string },
    ]);
  });
});

test('a trusted client has a derivation built that is in no store', async () => {
  const { client } = await connect();
  const { derivation, path, out } = await derivationOf('remote');
  const result = await client.ask('buildDerivation', { drvPath: path, derivation, mode: 'normal' });
  expect(result.status).toBe('Built');
  expect(result.builtOutputs.get('out')?.outPath).toEqual(out);
  const again = await client.ask('buildDerivation', { drvPath: path, derivation, mode: 'normal' });
  expect(again.status).toBe('AlreadyValid');
  expect(await client.ask('isValidPath', { path })).toBe(false);
});

test('a log is kept', async () => {
  const { client, daemon } = await connect();
  await client.ask('addBuildLog', { drvPath: somePath }, encodeUtf8('a log'));
  expect(daemon.logsAdded.get(somePath.baseName)).toBe('a log');
});

describe('the build trace', () => {
  const derivationHash = new Digest('sha256', new Uint8Array(32).fill(7));
  test.each([30, 31, 34, 38])('by hash, version 1.%i', async (minor) => {
    const { client } = await connect({ minor, features: new Set(), requireSignatures: false });
    const { path } = await client.ask(
      'addToStore',
      { name: 'x', method: 'nar', algorithm: 'sha256', references: [], repair: false },
      fileNar('x'),
    );
    const output = { kind: 'hashed', derivationHash, outputName: 'out' } as const;
    expect(await client.ask('queryRealisation', { output })).toEqual(
      minor >= 31 ? { kind: 'hashed', realisations: [] } : { kind: 'paths', paths: [] },
    );
    await client.ask('registerDrvOutput', {
      realisation: { ...output, outPath: path, signatures: [], dependentRealisations: [] },
    });
    expect(await client.ask('queryRealisation', { output })).toMatchObject(
      minor >= 31 ? { realisations: [{ outPath: path }] } : { paths: [path] },
    );
  });

  test('needs a signature', async () => {
    const { client } = await connect({ features: new Set() });
    const { path } = await client.ask(
      'addToStore',
      { name: 'x', method: 'nar', algorithm: 'sha256', references: [], repair: false },
      fileNar('x'),
    );
    const realisation = {
      kind: 'hashed',
      derivationHash,
      outputName: 'out',
      outPath: path,
      signatures: [],
      dependentRealisations: [],
    } as const;
    await expect(client.ask('registerDrvOutput', { realisation })).rejects.toThrow(
      'lacks a signature by a trusted key',
    );
  });

  test('by derivation', async () => {
    const { client } = await connect({ features: new Set([realisationWithPath]), requireSignatures: false });
    const { text, path } = await derivationOf('traced');
    await client.ask('addTextToStore', { name: path.name, text, references: [] });
    const output = { kind: 'keyed', drvPath: path, outputName: 'out' } as const;
    expect(await client.ask('queryRealisation', { output })).toEqual({ kind: 'keyed' });
    await client.ask('registerDrvOutput', { realisation: { ...output, outPath: path, signatures: [] } });
    expect(await client.ask('queryRealisation', { output })).toMatchObject({
      realisation: { outPath: path },
    });
  });
});

describe('garbage among given paths', () => {
  test('is refused for what is alive', async () => {
    const { client } = await connect();
    const { path } = await client.ask(
      'addToStore',
      { name: 'x', method: 'nar', algorithm: 'sha256', references: [], repair: false },
      fileNar('x'),
    );
    const among = { paths: [path], deleteReferrers: false };
    const options = {
      action: 'deleteSpecific',
      among,
      ignoreLiveness: false,
      maxFreed: 2n ** 64n - 1n,
    } as const;
    await expect(client.ask('collectGarbage', options)).rejects.toThrow(
      `Cannot delete path '${store.print(path)}' since it is still alive.`,
    );
    await expect(client.ask('collectGarbage', { ...options, ignoreLiveness: true })).rejects.toThrow(
      'you are not allowed to ignore liveness',
    );
  });

  test('goes with its referrers, if they may', async () => {
    const daemon = memoryDaemon({ requireSignatures: false });
    const adding = await connect({ daemon });
    const nar = fileNar('x');
    const one = statedInfo(store.parse('/nix/store/1rz4g4znpzjwh1xymhjpm42vipw92pr7-one'), nar);
    const two = {
      ...statedInfo(store.parse('/nix/store/2rz4g4znpzjwh1xymhjpm42vipw92pr7-two'), nar),
      references: [one.path],
    };
    for (const info of [one, two]) {
      await adding.client.ask('addToStoreNar', { info, repair: false, dontCheckSignatures: true }, nar);
    }
    adding.leave();
    await adding.ended;
    passTime();
    const { client } = await connect({ daemon });
    const options = { ignoreLiveness: false, maxFreed: 2n ** 64n - 1n } as const;
    const without = { paths: [one.path], deleteReferrers: false };
    await expect(
      client.ask('collectGarbage', { ...options, action: 'deleteSpecific', among: without }),
    ).rejects.toThrow('still alive');
    const withReferrers = { paths: [one.path], deleteReferrers: true };
    const { paths } = await client.ask('collectGarbage', {
      ...options,
      action: 'deleteSpecific',
      among: withReferrers,
    });
    expect(paths).toEqual([store.print(one.path), store.print(two.path)]);
  });
});

describe('clients that share builds', () => {
  test('a build goes on for who still wants it', async () => {
    const daemon = memoryDaemon();
    const [first, second] = [await connect({ daemon }), await connect({ daemon })];
    const { text, path } = await derivationOf('long', { builder: 'wait' });
    await first.client.ask('addTextToStore', { name: path.name, text, references: [] });
    const paths = [{ kind: 'built', drvPath: { kind: 'opaque', path }, outputs: 'all' }] as const;
    const builds = [first, second].map(({ client }) => client.ask('buildPaths', { paths, mode: 'normal' }));
    for (const it of builds) it.catch(() => undefined);
    await vi.waitFor(() => expect(daemon.buildsBegun()).toBe(1), { timeout: 15_000 });
    first.leave();
    await first.ended;
    expect(daemon.background.size).toBeGreaterThan(0);
    second.leave();
    await second.ended;
    await Promise.all(daemon.background);
    expect(daemon.temporaryRoots.oldestWriterMs()).toBe(undefined);
    expect(daemon.temporaryRoots.list()).toEqual([]);
  });
});

describe('who does not keep to the protocol', () => {
  test.each<[string, Uint8Array]>([
    ['garbage', encodeUtf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['nothing', new Uint8Array()],
    ['half a greeting', new Uint8Array([0x63, 0x78])],
  ])('%s', async (_, bytes) => {
    const [near, far] = memoryConnection();
    const options = {
      daemon: memoryDaemon(),
      isTrusted: true,
      signal: new AbortController().signal,
      onBug: () => undefined,
    };
    const ended = serveSession(far, options);
    await near.send(bytes);
    near.end();
    await expect(ended).rejects.toThrow();
  });

  test('is told of a message that cannot be read, and left', async () => {
    const [near, far] = memoryConnection();
    const options = {
      daemon: memoryDaemon(),
      isTrusted: true,
      signal: new AbortController().signal,
      onBug: () => undefined,
    };
    const ended = serveSession(far, options);
    ended.catch(() => undefined);
    const client = await TestClient.open(near, { store });
    const outside = {
      baseName: '../../etc/passwd',
      hashPart: '',
      name: '',
      isDerivation: false,
    } as unknown as StorePath;
    await expect(client.ask('isValidPath', { path: outside })).rejects.toThrow(/etc\/passwd|store path/);
    await expect(ended).rejects.toThrow();
  });
});

function withReference(nar: Uint8Array): ValidPathInfo {
  const contentAddress = { method: 'nar', digest: nodeHashes.hash('sha256', nar) } as const;
  const references = [somePath];
  const path = contentAddressedPath(store, { name: 'refers', contentAddress, references });
  return { ...statedInfo(path, nar), contentAddress, references };
}

describe('repair', () => {
  const wanted = (path: StorePath) =>
    [{ kind: 'built', drvPath: { kind: 'opaque', path }, outputs: 'all' }] as const;

  /** What the client builds, and loses the contents of. */
  async function damagedBuild(): Promise<Connected & { readonly drv: StorePath; readonly out: StorePath }> {
    const connected = await connect();
    const { client, daemon } = connected;
    const { text, path: drv, out } = await derivationOf('lost');
    await client.ask('addTextToStore', { name: drv.name, text, references: [] });
    await client.ask('buildPaths', { paths: wanted(drv), mode: 'normal' });
    await loseContents(out, daemon);
    return { ...connected, drv, out };
  }

  async function loseContents(path: StorePath, { store: services }: MemoryDaemon): Promise<void> {
    const pathInfo = await services.pathInfos.get(path.hashPart);
    if (pathInfo?.node.kind !== 'file') throw new Error('a file is expected');
    await services.blobs.inventory?.remove([pathInfo.node.digest], { unusedSinceMs: Infinity });
  }

  test('of a build builds again what is damaged, and only that', async () => {
    const { client, daemon, drv, out } = await damagedBuild();
    // What came from a cache may not name its deriver.
    const pathInfo = await daemon.store.pathInfos.get(out.hashPart);
    if (pathInfo !== undefined) await daemon.store.pathInfos.put({ ...pathInfo, deriver: undefined });
    await client.ask('buildPaths', { paths: wanted(drv), mode: 'normal' });
    expect(daemon.buildsBegun()).toBe(1);
    await client.ask('buildPaths', { paths: wanted(drv), mode: 'repair' });
    expect(daemon.buildsBegun()).toBe(2);
    await client.ask('narFromPath', { path: out });
    expect(await client.readNar()).toEqual(fileNar('text out'));
    await client.ask('buildPaths', { paths: wanted(drv), mode: 'repair' });
    expect(daemon.buildsBegun()).toBe(2);
  });

  test('of the store leaves what nobody can make, and says so', async () => {
    const { client, daemon, out } = await damagedBuild();
    const nar = fileNar('nobody can make it');
    const info = contentAddressedInfo('alone', nar);
    await client.ask('addToStoreNar', { info, repair: false, dontCheckSignatures: false }, nar);
    await loseContents(info.path, daemon);
    expect(await client.ask('verifyStore', { checkContents: true, repair: false })).toBe(true);
    expect(await client.ask('verifyStore', { checkContents: true, repair: true })).toBe(true);
    expect(client.frames).toContainEqual({
      kind: 'next',
      text: `error: cannot repair path '${store.print(info.path)}'\n`,
    });
    expect(await client.ask('queryAllValidPaths', {})).toContainEqual(info.path);
    await client.ask('narFromPath', { path: out });
    expect(await client.readNar()).toEqual(fileNar('text out'));
    // Whoever has it can add it anew.
    await client.ask('addToStoreNar', { info, repair: true, dontCheckSignatures: false }, nar);
    expect(await client.ask('verifyStore', { checkContents: true, repair: false })).toBe(false);
  });

  test('of what is added stores it again, for who is trusted', async () => {
    const trusted = await connect();
    const { daemon } = trusted;
    const untrusted = await connect({ daemon, isTrusted: false });
    const nar = fileNar('added');
    const info = contentAddressedInfo('added', nar);
    const ask = { info, repair: true, dontCheckSignatures: false };
    await trusted.client.ask('addToStoreNar', ask, nar);
    await loseContents(info.path, daemon);
    await untrusted.client.ask('addToStoreNar', ask, nar);
    expect(await trusted.client.ask('verifyStore', { checkContents: false, repair: false })).toBe(true);
    await trusted.client.ask('addToStoreNar', ask, nar);
    expect(await trusted.client.ask('verifyStore', { checkContents: false, repair: false })).toBe(false);
  });
});
