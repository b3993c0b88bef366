import { BuildError, type BuildRequest } from '@neve/build';
import { decodeHex, encodeHex, encodeUtf8 } from '@neve/bytes';
import { B3Digest, type Node, symlinkTarget } from '@neve/castore';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  beyondPlainRequest,
  readBuildRequest,
  readBuildResponse,
  readStreamRequest,
  writeBuildRequest,
  writeBuildResponse,
  writeStreamRequest,
} from './build-messages.ts';
import { buildMethods, streamBuildMethods } from './build-methods.ts';
import { BuildRequestSchema, BuildResponseSchema } from './generated/snix/build/v1/build_pb.ts';

const directory: Node = { kind: 'directory', digest: new B3Digest(new Uint8Array(32).fill(1)), size: 7 };
const file: Node = {
  kind: 'file',
  digest: new B3Digest(new Uint8Array(32).fill(2)),
  size: 300,
  executable: true,
};
const link: Node = { kind: 'symlink', target: symlinkTarget('b') };

const request: BuildRequest = {
  inputs: new Map<string, Node>([
    ['c', link],
    ['b', file],
    ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-dir', directory],
  ]),
  inputsDirectory: 'nix/store',
  command: ['/nix/store/b', '-e', ''],
  workingDirectory: 'build',
  scratchPaths: ['nix/store', 'build'],
  outputs: ['nix/store/out2', 'nix/store/out1'],
  environment: new Map([
    ['B', new Uint8Array()],
    ['A', Uint8Array.of(0xff, 1)],
  ]),
  files: new Map([['build/.attr-1', encodeUtf8('text\n')]]),
  needles: ['zy8c3m4w1q', 'b7x9r2k5vd'].map(encodeUtf8),
  constraints: {
    system: 'x86_64-linux',
    minMemoryBytes: 5_000_000_000,
    readOnlyPaths: ['/dev/kvm'],
    hostPaths: [],
    network: true,
    binSh: true,
    userRange: false,
    isolation: 'full',
  },
  limits: {},
};

/** The same request, printed by protoc 3.21 from the schema of Snix. */
const requestHex =
  '0a4c0a4a0a2461616161616161616161616161616161616161616161616161616161616161612d646972122001010101010101010101010101010101' +
  '0101010101010101010101010101010118070a2c122a0a01621220020202020202020202020202020202020202020202020202020202020202020218' +
  'ac0220010a081a060a0163120162120c2f6e69782f73746f72652f6212022d6512001a056275696c6422056275696c6422096e69782f73746f72652a' +
  '096e69782f73746f7265320e6e69782f73746f72652f6f757431320e6e69782f73746f72652f6f7574323a070a01411202ff013a030a014242220a0c' +
  '7838365f36342d6c696e75781080e497d0121a082f6465762f6b766d200128014a160a0d6275696c642f2e617474722d311205746578740a520a7a79' +
  '3863336d34773171520a6237783972326b357664';
const responseHex =
  '0a0c0a051a03120178120300ac020a280a261224122002020202020202020202020202020202020202020202020202020202020202021801';

describe('as Snix has it', () => {
  test('a request is written sorted', () => {
    const bytes = buildMethods.doBuild.request.encode(writeBuildRequest(request));
    expect(encodeHex(bytes)).toBe(requestHex);
  });

  test('a request is read', () => {
    const read = readBuildRequest(buildMethods.doBuild.request.decode(decodeHex(requestHex)));
    expect({ ...read, inputs: [], environment: [] }).toEqual({
      ...request,
      inputs: [],
      environment: [],
      outputs: ['nix/store/out1', 'nix/store/out2'],
      scratchPaths: ['build', 'nix/store'],
    });
    expect(new Map(read.inputs)).toEqual(request.inputs);
    expect([...read.environment]).toEqual([...request.environment].toReversed());
  });

  test('a result is put into the order of its request', () => {
    const many = { ...request, needles: Array.from({ length: 301 }, () => encodeUtf8('zy8c3m4w1q')) };
    const { outputs } = readBuildResponse(fromBinary(BuildResponseSchema, decodeHex(responseHex)), many);
    expect(outputs).toEqual([
      { node: { ...file, size: 1, executable: false }, needles: [] },
      { node: { kind: 'symlink', target: symlinkTarget('x') }, needles: [0, 300] },
    ]);
    const sorted = { outputs: outputs.toReversed() };
    const bytes = buildMethods.doBuild.answer.encode(writeBuildResponse(sorted));
    expect(encodeHex(bytes)).toBe(responseHex);
  });
});

const name = fc.stringMatching(/^[a-zA-Z0-9é𝒳～.+-]{1,12}$/u).filter((it) => !/^\.\.?$/.test(it));
const node = fc.constantFrom(directory, file, link);
const value = fc.uint8Array({ maxLength: 20 }).map((bytes) => bytes.filter((it) => it !== 0));
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((it) => `/${it.join('/')}`);
const limit = fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined });

function mapOf<T>(prefix: string, values: fc.Arbitrary<T>): fc.Arbitrary<ReadonlyMap<string, T>> {
  return fc
    .dictionary(name, values, { maxKeys: 6 })
    .map((it) => new Map(Object.entries(it).map(([key, each]) => [`${prefix}${key}`, each])));
}

const anyRequest: fc.Arbitrary<BuildRequest> = fc
  .record({
    inputs: mapOf('', node),
    command: fc.tuple(path, fc.array(fc.string({ unit: 'grapheme' }).filter((it) => !it.includes('\0')))),
    programName: fc.option(name, { nil: undefined }),
    outputs: fc.uniqueArray(name, { maxLength: 5 }),
    environment: mapOf('', value),
    files: mapOf('build/', value),
    needles: fc.array(fc.stringMatching(/^[a-z0-9]{32}$/).map(encodeUtf8), { maxLength: 4 }),
    constraints: fc.record({
      system: name,
      minMemoryBytes: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      readOnlyPaths: fc.uniqueArray(path, { maxLength: 3 }),
      hostPaths: fc.array(fc.record({ target: path, source: path, optional: fc.boolean() }), {
        maxLength: 3,
      }),
      network: fc.boolean(),
      binSh: fc.boolean(),
      userRange: fc.boolean(),
      isolation: fc.constantFrom('full', 'none'),
    }),
    limits: fc.record({
      timeMs: limit,
      silenceMs: limit,
      logBytes: limit,
      memoryBytes: limit,
      processes: limit,
      scratchBytes: limit,
    }),
  })
  .map(({ command: [program, parameters], programName, outputs, ...others }) => ({
    ...others,
    ...(programName !== undefined && { programName }),
    command: [program, ...parameters],
    outputs: outputs.map((it) => `work/${it}`),
    inputsDirectory: 'nix/store',
    workingDirectory: 'build',
    scratchPaths: ['build', 'work'],
  }));

function byKey<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

test('what is written to our extension is read as it was, but for the order', () => {
  fc.assert(
    fc.property(anyRequest, (written) => {
      const { request: codec } = streamBuildMethods.build;
      const read = readStreamRequest(codec.decode(codec.encode(writeStreamRequest(written))));
      const plain = (it: BuildRequest): unknown => ({
        ...it,
        inputs: byKey(it.inputs),
        environment: byKey(it.environment),
        files: byKey(it.files),
        outputs: it.outputs.toSorted(),
        constraints: { ...it.constraints, readOnlyPaths: it.constraints.readOnlyPaths.toSorted() },
      });
      expect(plain(read)).toEqual(plain(written));
    }),
  );
});

describe('a message that is no request', () => {
  const good = writeBuildRequest(request);
  const [input, ...inputs] = create(BuildRequestSchema, good).inputs;
  const [variable] = create(BuildRequestSchema, good).environmentVars;
  test.each([
    ['an input twice', { ...good, inputs: [input, input, ...inputs] }, /twice/],
    ['an input that is nothing', { ...good, inputs: [{ ...input, entry: { case: undefined } }] }, /no node/],
    [
      'a digest that is too short',
      { ...good, inputs: [{ entry: { case: 'file', value: { name: Uint8Array.of(97), size: 1n } } }] },
      /no node/,
    ],
    [
      'a name that is not UTF-8',
      {
        ...good,
        inputs: [
          { entry: { case: 'symlink', value: { name: Uint8Array.of(0xff), target: Uint8Array.of(97) } } },
        ],
      },
      /not UTF-8/,
    ],
    [
      'an input without a name',
      { ...good, inputs: [{ entry: { case: 'symlink', value: { target: Uint8Array.of(97) } } }] },
      /name of a file/,
    ],
    ['a variable twice', { ...good, environmentVars: [variable, variable] }, /twice/],
    ['no command', { ...good, commandArgs: [] }, /no command/],
    ['a relative program', { ...good, commandArgs: ['bin/sh'] }, /absolute/],
    ['an absolute output', { ...good, outputs: ['/nix/store/x'] }, /absolute/],
    ['no constraints', { ...good, constraints: undefined }, /no system/],
    [
      'too much memory',
      { ...good, constraints: { ...good.constraints, minMemory: 2n ** 64n - 1n } },
      /more than there can be/,
    ],
  ])('%s', (_, message, problem) => {
    // As it comes from the wire.
    const made = fromBinary(
      BuildRequestSchema,
      toBinary(BuildRequestSchema, create(BuildRequestSchema, message as typeof good)),
    );
    expect(refusal(() => readBuildRequest(made))).toMatchObject({
      code: 'invalid-request',
      message: expect.stringMatching(problem) as unknown,
    });
  });

  test('a request of our extension without the one of Snix', () => {
    const { request: codec } = streamBuildMethods.build;
    expect(refusal(() => readStreamRequest(codec.decode(codec.encode({}))))).toMatchObject({
      code: 'invalid-request',
    });
    const zero = codec.encode({ request: writeBuildRequest(request), limits: { timeMs: 0n } });
    expect(refusal(() => readStreamRequest(codec.decode(zero)))).toMatchObject({
      code: 'invalid-request',
    });
  });
});

describe('an answer that is none', () => {
  const output = (node: Node, needles: readonly number[]) =>
    create(BuildResponseSchema, writeBuildResponse({ outputs: [{ node, needles }] }));
  const one = { ...request, outputs: ['nix/store/out'] };
  test.each([
    ['another number of outputs', output(file, []), request],
    ['a needle that is not in the request', output(file, [2]), one],
    ['needles in another order', output(file, [1, 0]), one],
    ['a needle twice', output(file, [1, 1]), one],
    ['an output without a node', create(BuildResponseSchema, { outputs: [{}] }), one],
    ['an output that is nothing', create(BuildResponseSchema, { outputs: [{ output: {} }] }), one],
  ])('%s', (_, response, asked) => {
    expect(refusal(() => readBuildResponse(response, asked))).toMatchObject({ code: 'io' });
  });
});

test('a needle that is not UTF-8 cannot be sent', () => {
  const needles = [Uint8Array.from({ length: 32 }, () => 0xff)];
  expect(refusal(() => writeBuildRequest({ ...request, needles }))).toMatchObject({ code: 'unsupported' });
});

describe('what Snix cannot be asked for', () => {
  const hostPath = { target: '/x', source: '/host/x', optional: false };
  const { constraints } = request;
  test.each<[string, Partial<BuildRequest>, RegExp | undefined]>([
    ['nothing', {}, undefined],
    ['the name that it has anyway', { programName: 'b' }, undefined],
    ['another name', { programName: 'sh' }, /'sh'/],
    ['a path of the host', { constraints: { ...constraints, hostPaths: [hostPath] } }, /\/host\/x/],
    [
      'an optional path',
      { constraints: { ...constraints, hostPaths: [{ ...hostPath, optional: true }] } },
      undefined,
    ],
    ['users', { constraints: { ...constraints, userRange: true } }, /users/],
    ['no isolation', { constraints: { ...constraints, isolation: 'none' } }, /isolation/],
    ['time and log', { limits: { timeMs: 1, logBytes: 1 } }, undefined],
    ['memory', { limits: { memoryBytes: 1 } }, /memory/],
  ])('%s', (_, change, problem) => {
    const unsaid = beyondPlainRequest({ ...request, ...change });
    if (problem === undefined) expect(unsaid).toBe(undefined);
    else expect(unsaid).toMatch(problem);
  });
});

function refusal(run: () => unknown): BuildError {
  try {
    run();
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error('it is not refused');
}
