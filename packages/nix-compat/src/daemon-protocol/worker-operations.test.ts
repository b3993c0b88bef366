import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NixCompatError } from '../index.ts';
import {
  type WorkerAnswers,
  type WorkerOperation,
  type WorkerRequests,
  addToStoreScanning,
  addedPathInfo,
  deleteDeadSpecificReferrers,
  encodeWorkerRequest,
  hasOperation,
  realisationWithPath,
  requestStream,
  submitOutput,
  workerAnswer,
  workerOperations,
  workerRequest,
} from '../protocols.ts';
import * as any from '../../tests/protocol-values.ts';
import { type WireCodec, type WireContext, decodeWire, encodeWire } from '../wire/wire-codec.ts';

const path = fc.record({ path: any.storePath });
const nothing = fc.constant({});
const done = fc.constant(undefined);
const number = fc.maxSafeNat();
const texts = fc.array(fc.string(), { maxLength: 3 });
const mode = fc.constantFrom('normal' as const, 'repair' as const, 'check' as const);
const algorithm = fc.constantFrom('md5' as const, 'sha1' as const, 'sha256' as const, 'sha512' as const);
const substitutable = fc.record({
  deriver: any.optional(any.drvPath),
  references: any.storePaths,
  downloadSize: number,
  narSize: number,
});
const drvOutput = fc.record({ drvPath: any.drvPath, outputName: any.name });
const clientOptions = fc.record({
  keepFailed: fc.boolean(),
  keepGoing: fc.boolean(),
  tryFallback: fc.boolean(),
  verbosity: fc.nat(7),
  maxBuildJobs: fc.nat(),
  maxSilentTime: fc.nat(),
  verboseBuild: fc.boolean(),
  buildCores: fc.nat(),
  useSubstitutes: fc.boolean(),
  overrides: fc.array(fc.tuple(fc.string(), fc.string())).map((them) => new Map(them)),
});

type Exchange<Name extends WorkerOperation> = {
  readonly request: fc.Arbitrary<WorkerRequests[Name]>;
  readonly answer: fc.Arbitrary<WorkerAnswers[Name]>;
};

/** What can be said in the newest version, with all features. */
const newest: { readonly [Name in WorkerOperation]: Exchange<Name> } = {
  isValidPath: { request: path, answer: fc.boolean() },
  hasSubstitutes: { request: path, answer: fc.boolean() },
  queryPathHash: { request: path, answer: fc.string() },
  queryReferences: { request: path, answer: any.storePaths },
  queryReferrers: { request: path, answer: any.storePaths },
  addToStore: {
    request: fc.record({
      name: any.name,
      method: fc.constantFrom('text', 'flat', 'nar', 'git'),
      algorithm,
      references: any.storePaths,
      repair: fc.boolean(),
    }),
    answer: fc.record({ path: any.storePath, info: any.pathInfo }),
  },
  addTextToStore: {
    request: fc.record({ name: any.name, text: fc.uint8Array(), references: any.storePaths }),
    answer: any.storePath,
  },
  buildPaths: { request: fc.record({ paths: fc.array(any.derivedPath), mode }), answer: done },
  ensurePath: { request: path, answer: done },
  addTempRoot: { request: path, answer: done },
  addIndirectRoot: { request: fc.record({ link: fc.string() }), answer: done },
  syncWithGC: { request: nothing, answer: done },
  findRoots: {
    request: nothing,
    answer: fc.array(fc.record({ link: fc.string(), target: any.storePath })),
  },
  exportPath: { request: path, answer: done },
  queryDeriver: { request: path, answer: any.optional(any.drvPath) },
  setOptions: { request: clientOptions, answer: done },
  collectGarbage: {
    request: fc.record({
      action: fc.constantFrom('returnLive', 'returnDead', 'deleteDead', 'deleteSpecific'),
      among: fc.oneof(
        fc.constant('all' as const),
        fc.record({ paths: any.storePaths, deleteReferrers: fc.boolean() }),
      ),
      ignoreLiveness: fc.boolean(),
      maxFreed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    }),
    answer: fc.record({ paths: texts, bytesFreed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  },
  querySubstitutablePathInfo: { request: path, answer: any.optional(substitutable) },
  queryDerivationOutputs: { request: path, answer: any.storePaths },
  queryAllValidPaths: { request: nothing, answer: any.storePaths },
  queryPathInfo: { request: path, answer: any.optional(any.pathInfo) },
  importPaths: { request: nothing, answer: fc.array(any.storePath) },
  queryDerivationOutputNames: { request: path, answer: texts },
  queryPathFromHashPart: {
    request: fc.record({ hashPart: fc.string() }),
    answer: any.optional(any.storePath),
  },
  querySubstitutablePathInfos: {
    request: fc.record({ paths: fc.array(fc.tuple(any.storePath, any.optional(any.contentAddress))) }),
    answer: fc.array(fc.tuple(any.storePath, substitutable).map(([its, info]) => ({ path: its, ...info }))),
  },
  queryValidPaths: {
    request: fc.record({ paths: any.storePaths, substitute: fc.boolean() }),
    answer: any.storePaths,
  },
  querySubstitutablePaths: { request: fc.record({ paths: any.storePaths }), answer: any.storePaths },
  queryValidDerivers: { request: path, answer: any.storePaths },
  optimiseStore: { request: nothing, answer: done },
  verifyStore: {
    request: fc.record({ checkContents: fc.boolean(), repair: fc.boolean() }),
    answer: fc.boolean(),
  },
  buildDerivation: {
    request: fc.tuple(any.derivationAt, mode).map(([at, its]) => ({ ...at, mode: its })),
    answer: any.buildResult('keyed'),
  },
  addSignatures: {
    request: fc.record({ path: any.storePath, signatures: any.signatures }),
    answer: done,
  },
  narFromPath: { request: path, answer: done },
  addToStoreNar: {
    request: fc.record({
      info: fc.tuple(any.storePath, any.pathInfo).map(([its, info]) => ({ path: its, ...info })),
      repair: fc.boolean(),
      dontCheckSignatures: fc.boolean(),
    }),
    answer: done,
  },
  queryMissing: {
    request: fc.record({ targets: fc.array(any.derivedPath) }),
    answer: fc.record({
      willBuild: any.storePaths,
      willSubstitute: any.storePaths,
      unknown: any.storePaths,
      downloadSize: number,
      narSize: number,
    }),
  },
  queryDerivationOutputMap: {
    request: path,
    answer: fc.array(fc.tuple(any.name, any.optional(any.storePath))).map((them) => new Map(them)),
  },
  registerDrvOutput: {
    request: fc.record({
      realisation: fc
        .tuple(drvOutput, any.storePath, any.signatures)
        .map(([key, outPath, signatures]) => ({ kind: 'keyed' as const, ...key, outPath, signatures })),
    }),
    answer: done,
  },
  queryRealisation: {
    request: fc.record({ output: drvOutput.map((it) => ({ kind: 'keyed' as const, ...it })) }),
    answer: fc.record({
      kind: fc.constant('keyed' as const),
      realisation: any.optional(fc.record({ outPath: any.storePath, signatures: any.signatures })),
    }),
  },
  addMultipleToStore: {
    request: fc.record({ repair: fc.boolean(), dontCheckSignatures: fc.boolean() }),
    answer: done,
  },
  addBuildLog: { request: fc.record({ drvPath: any.drvPath }), answer: done },
  buildPathsWithResults: {
    request: fc.record({ paths: fc.array(any.derivedPath), mode }),
    answer: fc.array(
      fc.tuple(any.derivedPath, any.buildResult('keyed')).map(([its, result]) => ({ path: its, ...result })),
      { maxLength: 3 },
    ),
  },
  addPermRoot: { request: fc.record({ path: any.storePath, root: fc.string() }), answer: fc.string() },
  submitOutput: { request: fc.record({ path: any.singleDerivedPath, output: any.name }), answer: done },
  addToStoreScanning: {
    request: fc.record({
      name: any.name,
      method: fc.constantFrom('text', 'flat', 'nar', 'git'),
      algorithm,
    }),
    answer: fc.tuple(any.storePath, any.pathInfo).map(([its, info]) => ({ path: its, ...info })),
  },
};

const everything = any.speaking(
  38,
  realisationWithPath,
  deleteDeadSpecificReferrers,
  submitOutput,
  addToStoreScanning,
);

/** Arbitrary null-prototype objects are compared by their fields. */
const plain = <T>(value: T): T => structuredCloneOfFields(value);

function structuredCloneOfFields<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== null) return value;
  return { ...value };
}

function again<T>(codec: WireCodec<T>, value: T, context: WireContext): T {
  return decodeWire(codec, encodeWire(codec, value, context), context);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof NixCompatError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('what is asked and answered comes out as it went in', () => {
  test.each(Object.keys(newest) as WorkerOperation[])('%s', (operation) => {
    const { request, answer } = newest[operation] as Exchange<WorkerOperation>;
    fc.assert(
      fc.property(request, (it) => {
        const encoded = encodeWorkerRequest(operation, it, everything);
        expect(decodeWire(workerRequest, encoded, everything)).toEqual({ operation, request: plain(it) });
      }),
    );
    fc.assert(
      fc.property(answer, (it) => {
        expect(again<unknown>(workerAnswer(operation), it, everything)).toEqual(plain(it));
      }),
    );
  });
});

describe('what older versions do without', () => {
  const check = <T>(
    what: string,
    codec: WireCodec<T>,
    minor: number,
    values: fc.Arbitrary<T>,
    expected: (it: T) => T,
  ): void =>
    test(`${what} in 1.${minor}`, () => {
      fc.assert(
        fc.property(values, (it) => {
          const context = any.speaking(minor);
          expect(again(codec, it, context)).toEqual(expected(it));
          // What was lost is lost once.
          expect(again(codec, expected(it), context)).toEqual(expected(it));
        }),
      );
    });

  const result = any.buildResult('hashed');
  const untimed = { timesBuilt: 0, isNonDeterministic: false, startTime: 0, stopTime: 0 };
  const uncounted = { cpuUserMicroseconds: undefined, cpuSystemMicroseconds: undefined };
  const build = workerAnswer('buildDerivation');
  check('a build result', build, 27, result, (it) => ({
    ...it,
    ...untimed,
    ...uncounted,
    builtOutputs: new Map(),
  }));
  check('a build result', build, 28, result, (it) => ({ ...it, ...untimed, ...uncounted }));
  check('a build result', build, 36, result, (it) => ({ ...it, ...uncounted }));
  check('a build result', build, 38, result, (it) => it);

  const info = workerAnswer('queryPathInfo');
  const known = any.pathInfo;
  const unsigned = { ultimate: false, signatures: [], contentAddress: undefined };
  check('a path info', info, 15, known, (it) => it && { ...it, ...unsigned });
  check('a path info', info, 16, known, (it) => it);
  check('a path info', info, 17, any.optional(known), (it) => it);

  const plainPaths = fc
    .array(any.plainDerivedPath)
    .map((paths) => ({ operation: 'queryMissing', request: { targets: paths } }) as const);
  check('what is missing', workerRequest, 29, plainPaths as fc.Arbitrary<never>, (it) => it);

  test('a derivation without outputs stands for all of them before 1.30', () => {
    const bytes = encodeWorkerRequest(
      'queryMissing',
      { targets: [{ kind: 'opaque', path: drv }] },
      any.speaking(30),
    );
    expect(decodeWire(workerRequest, bytes, any.speaking(29))).toEqual({
      operation: 'queryMissing',
      request: { targets: [{ kind: 'built', drvPath: { kind: 'opaque', path: drv }, outputs: 'all' }] },
    });
  });

  const drv = any.store.parse('/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-foo.drv');

  test.each([
    [
      'a derivation itself',
      29,
      () =>
        encodeWorkerRequest('queryMissing', { targets: [{ kind: 'opaque', path: drv }] }, any.speaking(29)),
    ],
    [
      'a text to add',
      24,
      () =>
        encodeWorkerRequest(
          'addToStore',
          { name: 'x', method: 'text', algorithm: 'sha256', references: [], repair: false },
          any.speaking(24),
        ),
    ],
    [
      'a realisation by path',
      37,
      () =>
        encodeWorkerRequest(
          'queryRealisation',
          { output: { kind: 'keyed', drvPath: drv, outputName: 'out' } },
          any.speaking(37),
        ),
    ],
    [
      'garbage among paths',
      38,
      () =>
        encodeWorkerRequest(
          'collectGarbage',
          {
            action: 'deleteDead',
            among: { paths: [drv], deleteReferrers: false },
            ignoreLiveness: false,
            maxFreed: 0n,
          },
          any.speaking(38),
        ),
    ],
  ] as const)('%s cannot be said to 1.%d', (_, __, run) => {
    expect(codeOf(run)).toBe('unsupported-protocol');
  });

  test('adding before 1.25', () => {
    const before = any.speaking(24);
    for (const [method, its] of [
      ['nar', 'sha256'],
      ['nar', 'sha1'],
      ['flat', 'sha256'],
      ['flat', 'md5'],
    ] as const) {
      const request = { name: 'x', method, algorithm: its, references: [], repair: false };
      expect(decodeWire(workerRequest, encodeWorkerRequest('addToStore', request, before), before)).toEqual({
        operation: 'addToStore',
        request,
      });
    }
  });

  test('realisations by hash, in both old forms', () => {
    fc.assert(
      fc.property(any.hashedRealisation, (it) => {
        const realisation = { kind: 'hashed' as const, ...it };
        const request = { realisation };
        const read = (minor: number): unknown =>
          decodeWire(
            workerRequest,
            encodeWorkerRequest('registerDrvOutput', request, any.speaking(minor)),
            any.speaking(minor),
          );
        expect(read(31)).toEqual({ operation: 'registerDrvOutput', request });
        const bare = { realisation: { ...realisation, signatures: [], dependentRealisations: [] } };
        expect(read(30)).toEqual({ operation: 'registerDrvOutput', request: bare });
        const answer = workerAnswer('queryRealisation');
        expect(again(answer, { kind: 'hashed', realisations: [it] }, any.speaking(31))).toEqual({
          kind: 'hashed',
          realisations: [it],
        });
        expect(again(answer, { kind: 'hashed', realisations: [it] }, any.speaking(30))).toEqual({
          kind: 'paths',
          paths: [it.outPath],
        });
      }),
    );
  });

  test('the path infos of addMultipleToStore are those of 1.16 in every version', () => {
    fc.assert(
      fc.property(any.storePath, any.pathInfo, fc.integer({ min: 32, max: 38 }), (its, it, minor) => {
        const info = { path: its, ...it };
        expect(encodeWire(addedPathInfo, info, any.speaking(minor))).toEqual(
          encodeWire(addedPathInfo, info, any.speaking(16)),
        );
      }),
    );
  });
});

describe('what is refused', () => {
  test('an operation that does not exist, or not in this version', () => {
    const unknown = new Uint8Array(8).fill(0).with(0, 99);
    expect(codeOf(() => decodeWire(workerRequest, unknown, everything))).toBe('unsupported-protocol');
    for (const [operation, { number: its, since = 0, feature }] of Object.entries(workerOperations)) {
      const name = operation as WorkerOperation;
      const raw = new Uint8Array(8);
      new DataView(raw.buffer).setUint32(0, its, true);
      if (since > 10) {
        expect(hasOperation(name, any.speaking(since - 1))).toBe(false);
        expect(codeOf(() => decodeWire(workerRequest, raw, any.speaking(since - 1)))).toBe(
          'unsupported-protocol',
        );
      }
      if (feature !== undefined)
        expect(codeOf(() => decodeWire(workerRequest, raw, any.speaking(38)))).toBe('unsupported-protocol');
      expect(hasOperation(name, any.speaking(38, ...(feature === undefined ? [] : [feature])))).toBe(true);
    }
  });

  test('every request that is cut off', () => {
    for (const operation of Object.keys(newest) as WorkerOperation[]) {
      const { request } = newest[operation] as Exchange<WorkerOperation>;
      fc.assert(
        fc.property(request, fc.nat(), (it, at) => {
          const encoded = encodeWorkerRequest(operation, it, everything);
          const cut = encoded.subarray(0, at % encoded.length);
          expect(codeOf(() => decodeWire(workerRequest, cut, everything))).toBe('message-cut-off');
        }),
        { numRuns: 20 },
      );
    }
  });

  test('garbage gives an error of the format and nothing else', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(...Object.values(workerOperations)),
        (garbage, { number: its }) => {
          const raw = new Uint8Array(8 + garbage.length);
          new DataView(raw.buffer).setUint32(0, its, true);
          raw.set(garbage, 8);
          // It throws for what is no error of a format.
          codeOf(() => decodeWire(workerRequest, raw, everything));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('an output of an output of an output, without end', () => {
    const deep = new Uint8Array(8 * 1000);
    for (let i = 0; i < 1000; i++) deep[i * 8] = 1;
    new DataView(deep.buffer).setUint32(0, 1000, true);
    expect(codeOf(() => decodeWire(workerRequest, deep, everything))).toBe('message-too-large');
  });
});

test('how contents are sent', () => {
  const forms = (operation: WorkerOperation): string[] =>
    [17, 20, 21, 22, 23, 24, 25, 38].map((minor) => requestStream(operation, any.speaking(minor)));
  expect(forms('addToStoreNar')).toEqual([
    'nar',
    'nar',
    'pulled',
    'pulled',
    ...Array<string>(4).fill('framed'),
  ]);
  expect(forms('addToStore')).toEqual([...Array<string>(6).fill('nar'), 'framed', 'framed']);
  expect(new Set(forms('addMultipleToStore'))).toEqual(new Set(['framed']));
  expect(new Set(forms('queryPathInfo'))).toEqual(new Set(['none']));
});

test('the path of a fixed output is computed', () => {
  fc.assert(
    fc.property(any.derivationAt, any.storePath, (at, lie) => {
      const outputs = new Map(
        Array.from(
          at.derivation.outputs,
          ([name, it]) => [name, it.kind === 'fixed' ? { ...it, path: lie } : it] as const,
        ),
      );
      const lying = { ...at, derivation: { ...at.derivation, outputs }, mode: 'normal' as const };
      const read = decodeWire(
        workerRequest,
        encodeWorkerRequest('buildDerivation', lying, everything),
        everything,
      );
      expect(read.request).toEqual({ ...at, mode: 'normal' });
    }),
  );
});
