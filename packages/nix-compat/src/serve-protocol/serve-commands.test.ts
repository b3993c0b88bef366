import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NixCompatError, isBuildSuccess, buildStatuses } from '../index.ts';
import {
  type ServeAnswers,
  type ServeCommand,
  type ServeRequests,
  encodeServeRequest,
  exportContinues,
  exportedObject,
  serveAnswer,
  serveRequest,
} from '../protocols.ts';
import * as any from '../../tests/protocol-values.ts';
import { type WireCodec, decodeWire, encodeWire } from '../wire/wire-codec.ts';

const options = fc.record({
  maxSilentTime: fc.nat(),
  buildTimeout: fc.nat(),
  maxLogSize: fc.maxSafeNat(),
  repeats: fc.nat(),
  enforceDeterminism: fc.boolean(),
  keepFailed: fc.boolean(),
});
/** What is not said comes back as nothing. */
const info = any.pathInfo.map((it) => ({ ...it, registrationTime: 0, ultimate: false }));
const known = fc.tuple(any.storePath, info).map(([path, its]) => ({ path, ...its }));
const added = fc.tuple(any.storePath, any.pathInfo).map(([path, its]) => ({ path, ...its }));

type Exchange<Name extends ServeCommand> = {
  readonly request: fc.Arbitrary<ServeRequests[Name]>;
  readonly answer: fc.Arbitrary<ServeAnswers[Name]>;
};

const newest: { readonly [Name in ServeCommand]: Exchange<Name> } = {
  queryValidPaths: {
    request: fc.record({ lock: fc.boolean(), substitute: fc.boolean(), paths: any.storePaths }),
    answer: any.storePaths,
  },
  queryPathInfos: { request: fc.record({ paths: any.storePaths }), answer: fc.array(known) },
  dumpStorePath: { request: fc.record({ path: any.storePath }), answer: fc.constant(undefined) },
  importPaths: { request: fc.constant({}), answer: fc.boolean() },
  buildPaths: {
    request: fc.record({ paths: fc.array(any.plainDerivedPath), options }),
    answer: fc
      .tuple(fc.constantFrom(...buildStatuses), fc.string())
      .map(([status, message]) => ({ status, errorMessage: isBuildSuccess(status) ? '' : message })),
  },
  queryClosure: {
    request: fc.record({ includeOutputs: fc.boolean(), paths: any.storePaths }),
    answer: any.storePaths,
  },
  buildDerivation: {
    request: fc.tuple(any.derivationAt, options).map(([at, its]) => ({ ...at, options: its })),
    answer: any
      .buildResult('keyed')
      .map((it) => ({ ...it, cpuUserMicroseconds: undefined, cpuSystemMicroseconds: undefined })),
  },
  addToStoreNar: { request: fc.record({ info: added }), answer: fc.boolean() },
};

const latest = any.speaking(8);

function again<T>(codec: WireCodec<T>, value: T, minor = 8): T {
  return decodeWire(codec, encodeWire(codec, value, any.speaking(minor)), any.speaking(minor));
}

/** Arbitrary records have no prototype. */
function plain(value: unknown): unknown {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null
    ? { ...value }
    : value;
}

describe('what is asked and answered comes out as it went in', () => {
  test.each(Object.keys(newest) as ServeCommand[])('%s', (command) => {
    const { request, answer } = newest[command] as Exchange<ServeCommand>;
    fc.assert(
      fc.property(request, (it) => {
        const read = decodeWire(serveRequest, encodeServeRequest(command, it, latest), latest);
        expect(read).toEqual({ command, request: { ...it } });
      }),
    );
    fc.assert(
      fc.property(answer, (it) => {
        expect(again<unknown>(serveAnswer(command), it)).toEqual(plain(it));
      }),
    );
  });

  test('exported objects', () => {
    const object = fc.record({
      path: any.storePath,
      references: any.storePaths,
      deriver: any.optional(any.drvPath),
    });
    fc.assert(
      fc.property(object, (it) => {
        expect(again(exportedObject, it)).toEqual({ ...it });
      }),
    );
    expect(again(exportContinues, true)).toBe(true);
    expect(again(exportContinues, false)).toBe(false);
  });
});

test('what older versions do without', () => {
  fc.assert(
    fc.property(any.buildResult('hashed'), (it) => {
      const uncounted = { ...it, cpuUserMicroseconds: undefined, cpuSystemMicroseconds: undefined };
      expect(again(serveAnswer('buildDerivation'), it, 6)).toEqual(uncounted);
      const untimed = { ...uncounted, timesBuilt: 0, isNonDeterministic: false, startTime: 0, stopTime: 0 };
      expect(again(serveAnswer('buildDerivation'), it, 2)).toEqual({ ...untimed, builtOutputs: new Map() });
    }),
  );
  fc.assert(
    fc.property(known, (it) => {
      const unsigned = { ...it, narHash: undefined, contentAddress: undefined, signatures: [] };
      expect(again(serveAnswer('queryPathInfos'), [it], 3)).toEqual([unsigned]);
    }),
  );
});

test('garbage gives an error of the format and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(10), (garbage, number) => {
      const raw = Uint8Array.from([number, 0, 0, 0, 0, 0, 0, 0, ...garbage]);
      try {
        decodeWire(serveRequest, raw, latest);
      } catch (error) {
        expect(error).toBeInstanceOf(NixCompatError);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a command that does not exist', () => {
  const raw = Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0);
  expect(() => decodeWire(serveRequest, raw, latest)).toThrow(
    expect.objectContaining({ code: 'unsupported-protocol' }),
  );
});

test('an export that is none', () => {
  const raw = Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0);
  expect(() => decodeWire(exportContinues, raw, latest)).toThrow(
    expect.objectContaining({ code: 'bad-message' }),
  );
  expect(() => decodeWire(exportedObject, raw, latest)).toThrow(
    expect.objectContaining({ code: 'bad-message' }),
  );
});
