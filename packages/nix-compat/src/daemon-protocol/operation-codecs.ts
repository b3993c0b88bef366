/** How the arguments and the answer of each operation of worker-operations.ts look. */
import { type HashAlgorithm, isHashAlgorithm } from '@neve/bytes';
import type { ContentAddressMethod } from '../content-address.ts';
import { parseMethodAndAlgorithm, printMethodAndAlgorithm } from '../derivation-aterm.ts';
import { NixCompatError } from '../nix-compat-error.ts';
import {
  changedIn,
  listOf,
  mapped,
  optional,
  record,
  silence,
  since,
  texts,
} from '../wire/compound-codecs.ts';
import { type DerivationAt, derivationAt } from '../wire/derivation-codec.ts';
import { bool, bytes, ignoredNumber, oneOf, size, text } from '../wire/primitive-codecs.ts';
import {
  checkedName,
  optionalContentAddress,
  optionalStorePath,
  outputName,
  outputPaths,
  signatures,
  storePath,
  storePathBaseName,
  storePathList,
  storePaths,
} from '../wire/store-codecs.ts';
import { type WireCodec, reading } from '../wire/wire-codec.ts';
import { clientOptions } from './client-options.ts';
import { garbageOptions, garbageResult } from './garbage-collection.ts';
import { keyedBuildResult, workerBuildResult } from './worker-build-result.ts';
import { derivedPath, singleDerivedPath } from './worker-derived-path.ts';
import type {
  BuildMode,
  Nothing,
  SubstitutablePathInfo,
  WorkerAnswers,
  WorkerOperation,
  WorkerRequests,
} from './worker-operations.ts';
import { unkeyedValidPathInfo, validPathInfo } from './worker-path-info.ts';
import { workerDrvOutput, workerRealisation, workerRealisationAnswer } from './worker-realisation.ts';

export type OperationCodecs = {
  readonly [Name in WorkerOperation]: {
    readonly request: WireCodec<WorkerRequests[Name]>;
    readonly answer: WireCodec<WorkerAnswers[Name]>;
  };
};

export const buildMode: WireCodec<BuildMode> = oneOf<BuildMode>('build mode', ['normal', 'repair', 'check']);

const onePath = record({ path: storePath });
const nothing = record<Nothing>({});
const done = ignoredNumber(1);

const build = record({ paths: listOf(derivedPath), mode: since<BuildMode>(15, buildMode, 'normal') });

const pathWithAddress = record({ path: storePath, address: since(22, optionalContentAddress, undefined) });

const substitutablePathInfo: WireCodec<SubstitutablePathInfo> = record<SubstitutablePathInfo>({
  deriver: optionalStorePath,
  references: storePaths,
  downloadSize: size,
  narSize: size,
});

type MethodAndAlgorithm = { readonly method: ContentAddressMethod; readonly algorithm: HashAlgorithm };

/** `text:sha256`, `fixed:sha256`, `fixed:r:sha256`, `fixed:git:sha1`. */
const methodAndAlgorithm: WireCodec<MethodAndAlgorithm> = mapped(text, {
  read(printed) {
    const [, prefix, rest = ''] = /^(fixed:)?(.*)$/s.exec(printed) ?? [];
    const parsed = parseMethodAndAlgorithm(rest);
    if (parsed === undefined || (parsed.method === 'text') === (prefix !== undefined)) {
      throw new NixCompatError('bad-message', `'${printed}' is not the method of a content address`);
    }
    return parsed;
  },
  write({ method, algorithm }: MethodAndAlgorithm) {
    const printed = printMethodAndAlgorithm(method, algorithm);
    return method === 'text' ? printed : `fixed:${printed}`;
  },
});

type AddToStore = WorkerRequests['addToStore'];

const name = mapped(text, { read: checkedName, write: checkedName });

const newAddToStore: WireCodec<AddToStore> = {
  *read(from, context) {
    const itsName = yield* reading('name', name.read(from, context));
    const { method, algorithm } = yield* reading('method', methodAndAlgorithm.read(from, context));
    const references = yield* reading('references', storePaths.read(from, context));
    return { name: itsName, method, algorithm, references, repair: yield* bool.read(from, context) };
  },
  write(to, it, context) {
    name.write(to, it.name, context);
    methodAndAlgorithm.write(to, it, context);
    storePaths.write(to, it.references, context);
    to.bool(it.repair);
  },
};

/** The name, whether it is not the usual NAR with SHA-256, whether it is a NAR, and the algorithm. */
const oldAddToStore: WireCodec<AddToStore> = {
  *read(from, context) {
    const itsName = yield* reading('name', name.read(from, context));
    const isUnusual = yield* bool.read(from, context);
    const recursive = yield* from.readNumber(0xff);
    if (recursive > 1)
      throw new NixCompatError('bad-message', `there is no method ${recursive} of adding files`);
    const algorithm = yield* text.read(from, context);
    const common = { name: itsName, references: [], repair: false };
    if (!isUnusual) return { ...common, method: 'nar', algorithm: 'sha256' };
    if (!isHashAlgorithm(algorithm)) {
      throw new NixCompatError('bad-message', `unknown hash algorithm '${algorithm}'`);
    }
    return { ...common, method: recursive === 1 ? 'nar' : 'flat', algorithm };
  },
  write(to, it, context) {
    const { method, algorithm } = it;
    if ((method !== 'nar' && method !== 'flat') || it.references.length > 0 || it.repair) {
      const message = `a daemon before version 1.25 takes no '${it.name}' that is a ${method}, has references or is a repair`;
      throw new NixCompatError('unsupported-protocol', message);
    }
    name.write(to, it.name, context);
    to.bool(method !== 'nar' || algorithm !== 'sha256');
    to.bool(method === 'nar');
    to.text(algorithm);
  },
};

const addedPath: WireCodec<WorkerAnswers['addToStore']> = {
  *read(from, context) {
    const path = yield* storePath.read(from, context);
    return context.minor < 25 ? { path } : { path, info: yield* unkeyedValidPathInfo.read(from, context) };
  },
  write(to, { path, info }, context) {
    storePath.write(to, path, context);
    if (context.minor < 25) return;
    if (info === undefined) throw new Error('since version 1.25 an added path is answered with its info');
    unkeyedValidPathInfo.write(to, info, context);
  },
};

const addToStoreNar: WireCodec<WorkerRequests['addToStoreNar']> = record({
  info: validPathInfo,
  repair: bool,
  dontCheckSignatures: bool,
});

const buildDerivation: WireCodec<WorkerRequests['buildDerivation']> = {
  *read(from, context) {
    const at: DerivationAt = yield* derivationAt.read(from, context);
    return { ...at, mode: yield* reading('mode', buildMode.read(from, context)) };
  },
  write(to, it, context) {
    derivationAt.write(to, it, context);
    buildMode.write(to, it.mode, context);
  },
};

const substitutablePathInfos: WireCodec<WorkerAnswers['querySubstitutablePathInfos']> = listOf({
  *read(from, context) {
    const path = yield* storePath.read(from, context);
    return { path, ...(yield* substitutablePathInfo.read(from, context)) };
  },
  write(to, it, context) {
    storePath.write(to, it.path, context);
    substitutablePathInfo.write(to, it, context);
  },
});

const addToStoreScanning: WireCodec<WorkerRequests['addToStoreScanning']> = {
  *read(from, context) {
    const itsName = yield* reading('name', name.read(from, context));
    return { name: itsName, ...(yield* methodAndAlgorithm.read(from, context)) };
  },
  write(to, it, context) {
    name.write(to, it.name, context);
    methodAndAlgorithm.write(to, it, context);
  },
};

/** Always 0, and once whether to sign. */
const exportPath: WireCodec<WorkerRequests['exportPath']> = {
  *read(from, context) {
    const path = yield* storePath.read(from, context);
    yield* from.readNumber(0xffff_ffff);
    return { path };
  },
  write(to, { path }, context) {
    storePath.write(to, path, context);
    to.number(0);
  },
};

export const operationCodecs: OperationCodecs = {
  isValidPath: { request: onePath, answer: bool },
  hasSubstitutes: { request: onePath, answer: bool },
  queryPathHash: { request: onePath, answer: text },
  queryReferences: { request: onePath, answer: storePaths },
  queryReferrers: { request: onePath, answer: storePaths },
  addToStore: { request: changedIn(25, oldAddToStore, newAddToStore), answer: addedPath },
  addTextToStore: { request: record({ name, text: bytes, references: storePaths }), answer: storePath },
  buildPaths: { request: build, answer: done },
  ensurePath: { request: onePath, answer: done },
  addTempRoot: { request: onePath, answer: done },
  addIndirectRoot: { request: record({ link: text }), answer: done },
  syncWithGC: { request: nothing, answer: done },
  findRoots: { request: nothing, answer: listOf(record({ link: text, target: storePath })) },
  exportPath: { request: exportPath, answer: done },
  queryDeriver: { request: onePath, answer: optionalStorePath },
  setOptions: { request: clientOptions, answer: silence },
  collectGarbage: { request: garbageOptions, answer: garbageResult },
  querySubstitutablePathInfo: { request: onePath, answer: optional(substitutablePathInfo) },
  queryDerivationOutputs: { request: onePath, answer: storePaths },
  queryAllValidPaths: { request: nothing, answer: storePaths },
  queryPathInfo: {
    request: onePath,
    answer: changedIn(17, oldPathInfo(), optional(unkeyedValidPathInfo)),
  },
  importPaths: { request: nothing, answer: storePathList },
  queryDerivationOutputNames: { request: onePath, answer: texts },
  queryPathFromHashPart: { request: record({ hashPart: text }), answer: optionalStorePath },
  querySubstitutablePathInfos: {
    request: record({
      paths: mapped(listOf(pathWithAddress), {
        read: (them) => them.map(({ path, address }) => [path, address] as const),
        write: (them: WorkerRequests['querySubstitutablePathInfos']['paths']) =>
          them.map(([path, address]) => ({ path, address })),
      }),
    }),
    answer: substitutablePathInfos,
  },
  queryValidPaths: {
    request: record({ paths: storePaths, substitute: since(27, bool, false) }),
    answer: storePaths,
  },
  querySubstitutablePaths: { request: record({ paths: storePaths }), answer: storePaths },
  queryValidDerivers: { request: onePath, answer: storePaths },
  optimiseStore: { request: nothing, answer: done },
  verifyStore: { request: record({ checkContents: bool, repair: bool }), answer: bool },
  buildDerivation: { request: buildDerivation, answer: workerBuildResult },
  addSignatures: { request: record({ path: storePath, signatures }), answer: done },
  narFromPath: { request: onePath, answer: silence },
  addToStoreNar: { request: addToStoreNar, answer: silence },
  queryMissing: {
    request: record({ targets: listOf(derivedPath) }),
    answer: record({
      willBuild: storePaths,
      willSubstitute: storePaths,
      unknown: storePaths,
      downloadSize: size,
      narSize: size,
    }),
  },
  queryDerivationOutputMap: { request: onePath, answer: outputPaths },
  registerDrvOutput: { request: record({ realisation: workerRealisation }), answer: silence },
  queryRealisation: { request: record({ output: workerDrvOutput }), answer: workerRealisationAnswer },
  addMultipleToStore: { request: record({ repair: bool, dontCheckSignatures: bool }), answer: silence },
  addBuildLog: { request: record({ drvPath: storePathBaseName }), answer: done },
  buildPathsWithResults: { request: build, answer: listOf(keyedBuildResult) },
  addPermRoot: { request: record({ path: storePath, root: text }), answer: text },
  submitOutput: { request: record({ path: singleDerivedPath, output: outputName }), answer: done },
  addToStoreScanning: { request: addToStoreScanning, answer: validPathInfo },
};

/** An object that is not there is an error before 1.17, so that there is always an info. */
function oldPathInfo(): WireCodec<WorkerAnswers['queryPathInfo']> {
  return {
    read: (from, context) => unkeyedValidPathInfo.read(from, context),
    write(to, info, context) {
      if (info === undefined)
        throw new Error('before version 1.17 a path that is not there is answered with an error');
      unkeyedValidPathInfo.write(to, info, context);
    },
  };
}
