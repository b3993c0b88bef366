/**
 * What a daemon can be asked for. A request is the number of the operation and its arguments, and for some a stream; then
 * the daemon sends log frames, and after the one that says `last` its answer, and for one a stream again.
 *
 *     none          nothing
 *     framed        frames (WireReader.frames, writeFrames)
 *     nar           an archive as it is (WireReader.nar)
 *     pulled        the daemon asks for pieces with `read` frames; each is answered with a string of bytes, an empty one
 *                   at the end
 *     pushed        `write` frames before `last`
 */
import type { HashAlgorithm } from '@neve/bytes';
import type { BuildResult } from '../build-result.ts';
import type { ContentAddress, ContentAddressMethod } from '../content-address.ts';
import type { DerivedPath, SingleDerivedPath } from '../derived-path.ts';
import { NixCompatError } from '../nix-compat-error.ts';
import type { UnkeyedValidPathInfo, ValidPathInfo } from '../path-info.ts';
import type { Signature } from '../signature.ts';
import type { StorePath } from '../store-path.ts';
import type { DerivationAt } from '../wire/derivation-codec.ts';
import { type WireCodec, type WireContext, encodeWire, reading } from '../wire/wire-codec.ts';
import type { ClientOptions } from './client-options.ts';
import type { GarbageOptions, GarbageResult } from './garbage-collection.ts';
import { operationCodecs } from './operation-codecs.ts';
import type { KeyedBuildResult } from './worker-build-result.ts';
import type { WorkerDrvOutput, WorkerRealisation, WorkerRealisationAnswer } from './worker-realisation.ts';
import { addToStoreScanning, submitOutput } from './worker-version.ts';

export type BuildMode = 'normal' | 'repair' | 'check';

export type SubstitutablePathInfo = {
  readonly deriver?: StorePath | undefined;
  readonly references: readonly StorePath[];
  /** In bytes; 0 where nobody knows. */
  readonly downloadSize: number;
  readonly narSize: number;
};

export type MissingPaths = {
  readonly willBuild: readonly StorePath[];
  readonly willSubstitute: readonly StorePath[];
  readonly unknown: readonly StorePath[];
  readonly downloadSize: number;
  readonly narSize: number;
};

type OnePath = { readonly path: StorePath };
/** No arguments: `{}`. */
export type Nothing = Readonly<Record<string, never>>;

/** The arguments of each operation. */
export type WorkerRequests = {
  readonly isValidPath: OnePath;
  readonly hasSubstitutes: OnePath;
  readonly queryPathHash: OnePath;
  readonly queryReferences: OnePath;
  readonly queryReferrers: OnePath;
  /**
   * The stream is an archive; since 1.25 it is the file's contents for `flat` and `text`. Before, there are no texts, no
   * references and no repairs.
   */
  readonly addToStore: {
    readonly name: string;
    readonly method: ContentAddressMethod;
    readonly algorithm: HashAlgorithm;
    readonly references: readonly StorePath[];
    readonly repair: boolean;
  };
  readonly addTextToStore: {
    readonly name: string;
    readonly text: Uint8Array;
    readonly references: readonly StorePath[];
  };
  readonly buildPaths: { readonly paths: readonly DerivedPath[]; readonly mode: BuildMode };
  readonly ensurePath: OnePath;
  readonly addTempRoot: OnePath;
  readonly addIndirectRoot: { readonly link: string };
  readonly syncWithGC: Nothing;
  readonly findRoots: Nothing;
  readonly exportPath: OnePath;
  readonly queryDeriver: OnePath;
  readonly setOptions: ClientOptions;
  readonly collectGarbage: GarbageOptions;
  readonly querySubstitutablePathInfo: OnePath;
  readonly queryDerivationOutputs: OnePath;
  readonly queryAllValidPaths: Nothing;
  readonly queryPathInfo: OnePath;
  /** The stream is an export; see export-format.ts. */
  readonly importPaths: Nothing;
  readonly queryDerivationOutputNames: OnePath;
  readonly queryPathFromHashPart: { readonly hashPart: string };
  /** Before 1.22 no content addresses are said. */
  readonly querySubstitutablePathInfos: {
    readonly paths: readonly (readonly [StorePath, ContentAddress | undefined])[];
  };
  readonly queryValidPaths: { readonly paths: readonly StorePath[]; readonly substitute: boolean };
  readonly querySubstitutablePaths: { readonly paths: readonly StorePath[] };
  readonly queryValidDerivers: OnePath;
  readonly optimiseStore: Nothing;
  readonly verifyStore: { readonly checkContents: boolean; readonly repair: boolean };
  readonly buildDerivation: DerivationAt & { readonly mode: BuildMode };
  readonly addSignatures: { readonly path: StorePath; readonly signatures: readonly Signature[] };
  readonly narFromPath: OnePath;
  /** The stream is the object's archive. */
  readonly addToStoreNar: {
    readonly info: ValidPathInfo;
    readonly repair: boolean;
    readonly dontCheckSignatures: boolean;
  };
  readonly queryMissing: { readonly targets: readonly DerivedPath[] };
  readonly queryDerivationOutputMap: OnePath;
  readonly registerDrvOutput: { readonly realisation: WorkerRealisation };
  readonly queryRealisation: { readonly output: WorkerDrvOutput };
  /** The stream is a count (`size`) and so many objects, each an `addedPathInfo` and its archive, references first. */
  readonly addMultipleToStore: { readonly repair: boolean; readonly dontCheckSignatures: boolean };
  /** The stream is the log. */
  readonly addBuildLog: { readonly drvPath: StorePath };
  readonly buildPathsWithResults: { readonly paths: readonly DerivedPath[]; readonly mode: BuildMode };
  readonly addPermRoot: { readonly path: StorePath; readonly root: string };
  readonly submitOutput: { readonly path: SingleDerivedPath; readonly output: string };
  /** The stream is as for `addToStore`. */
  readonly addToStoreScanning: {
    readonly name: string;
    readonly method: ContentAddressMethod;
    readonly algorithm: HashAlgorithm;
  };
};

/** What each operation is answered with. */
export type WorkerAnswers = {
  readonly isValidPath: boolean;
  readonly hasSubstitutes: boolean;
  /** In hex. */
  readonly queryPathHash: string;
  readonly queryReferences: readonly StorePath[];
  readonly queryReferrers: readonly StorePath[];
  /** Before 1.25 only the path is told. */
  readonly addToStore: { readonly path: StorePath; readonly info?: UnkeyedValidPathInfo | undefined };
  readonly addTextToStore: StorePath;
  readonly buildPaths: undefined;
  readonly ensurePath: undefined;
  readonly addTempRoot: undefined;
  readonly addIndirectRoot: undefined;
  readonly syncWithGC: undefined;
  readonly findRoots: readonly { readonly link: string; readonly target: StorePath }[];
  /** After the pushed stream. */
  readonly exportPath: undefined;
  readonly queryDeriver: StorePath | undefined;
  readonly setOptions: undefined;
  readonly collectGarbage: GarbageResult;
  readonly querySubstitutablePathInfo: SubstitutablePathInfo | undefined;
  readonly queryDerivationOutputs: readonly StorePath[];
  readonly queryAllValidPaths: readonly StorePath[];
  /** Before 1.17 a path that is not there is an error. */
  readonly queryPathInfo: UnkeyedValidPathInfo | undefined;
  readonly importPaths: readonly StorePath[];
  readonly queryDerivationOutputNames: readonly string[];
  readonly queryPathFromHashPart: StorePath | undefined;
  readonly querySubstitutablePathInfos: readonly (SubstitutablePathInfo & { readonly path: StorePath })[];
  readonly queryValidPaths: readonly StorePath[];
  readonly querySubstitutablePaths: readonly StorePath[];
  readonly queryValidDerivers: readonly StorePath[];
  readonly optimiseStore: undefined;
  /** Whether there are errors left. */
  readonly verifyStore: boolean;
  readonly buildDerivation: BuildResult;
  readonly addSignatures: undefined;
  /** The archive follows. */
  readonly narFromPath: undefined;
  readonly addToStoreNar: undefined;
  readonly queryMissing: MissingPaths;
  readonly queryDerivationOutputMap: ReadonlyMap<string, StorePath | undefined>;
  readonly registerDrvOutput: undefined;
  readonly queryRealisation: WorkerRealisationAnswer;
  readonly addMultipleToStore: undefined;
  readonly addBuildLog: undefined;
  readonly buildPathsWithResults: readonly KeyedBuildResult[];
  readonly addPermRoot: string;
  readonly submitOutput: undefined;
  readonly addToStoreScanning: ValidPathInfo;
};

export type WorkerOperation = keyof WorkerRequests;

/** An operation with its arguments. */
export type WorkerRequest = {
  [Name in WorkerOperation]: { readonly operation: Name; readonly request: WorkerRequests[Name] };
}[WorkerOperation];

export type StreamForm = 'none' | 'framed' | 'nar' | 'pulled' | 'pushed';

type OperationEntry = {
  readonly number: number;
  /** The first version that has it, when that is newer than the oldest. */
  readonly since?: number;
  /** What both sides must know. */
  readonly feature?: string;
};

export const workerOperations: { readonly [Name in WorkerOperation]: OperationEntry } = {
  isValidPath: { number: 1 },
  hasSubstitutes: { number: 3 },
  queryPathHash: { number: 4 },
  queryReferences: { number: 5 },
  queryReferrers: { number: 6 },
  addToStore: { number: 7 },
  addTextToStore: { number: 8 },
  buildPaths: { number: 9 },
  ensurePath: { number: 10 },
  addTempRoot: { number: 11 },
  addIndirectRoot: { number: 12 },
  syncWithGC: { number: 13 },
  findRoots: { number: 14 },
  exportPath: { number: 16 },
  queryDeriver: { number: 18 },
  setOptions: { number: 19 },
  collectGarbage: { number: 20 },
  querySubstitutablePathInfo: { number: 21 },
  queryDerivationOutputs: { number: 22 },
  queryAllValidPaths: { number: 23 },
  queryPathInfo: { number: 26 },
  importPaths: { number: 27 },
  queryDerivationOutputNames: { number: 28 },
  queryPathFromHashPart: { number: 29, since: 11 },
  querySubstitutablePathInfos: { number: 30, since: 12 },
  queryValidPaths: { number: 31, since: 12 },
  querySubstitutablePaths: { number: 32, since: 12 },
  queryValidDerivers: { number: 33, since: 13 },
  optimiseStore: { number: 34, since: 14 },
  verifyStore: { number: 35, since: 14 },
  buildDerivation: { number: 36, since: 14 },
  addSignatures: { number: 37, since: 16 },
  narFromPath: { number: 38, since: 17 },
  addToStoreNar: { number: 39, since: 17 },
  queryMissing: { number: 40, since: 19 },
  queryDerivationOutputMap: { number: 41, since: 22 },
  registerDrvOutput: { number: 42, since: 27 },
  queryRealisation: { number: 43, since: 27 },
  addMultipleToStore: { number: 44, since: 32 },
  addBuildLog: { number: 45, since: 32 },
  buildPathsWithResults: { number: 46, since: 34 },
  addPermRoot: { number: 47, since: 36 },
  submitOutput: { number: 1000, feature: submitOutput },
  addToStoreScanning: { number: 1001, feature: addToStoreScanning },
};

const nameByNumber: ReadonlyMap<number, WorkerOperation> = new Map(
  Object.entries(workerOperations).map(([name, { number }]) => [number, name as WorkerOperation]),
);

/** Whether both sides know an operation. */
export function hasOperation(operation: WorkerOperation, { minor, features }: WireContext): boolean {
  const { since = 0, feature } = workerOperations[operation];
  return minor >= since && (feature === undefined || features.has(feature));
}

/** The stream that follows the arguments. */
export function requestStream(operation: WorkerOperation, { minor }: WireContext): StreamForm {
  switch (operation) {
    case 'addToStore':
      return minor >= 25 ? 'framed' : 'nar';
    case 'addToStoreNar':
      if (minor >= 23) return 'framed';
      return minor >= 21 ? 'pulled' : 'nar';
    case 'addMultipleToStore':
    case 'addBuildLog':
    case 'addToStoreScanning':
      return 'framed';
    case 'importPaths':
      return 'pulled';
    default:
      return 'none';
  }
}

/** The stream that comes with the answer: `pushed` before it, `nar` after it. */
export function answerStream(operation: WorkerOperation): StreamForm {
  if (operation === 'exportPath') return 'pushed';
  return operation === 'narFromPath' ? 'nar' : 'none';
}

/**
 * A request without its stream. Reading one that does not exist, or not in this version, is `unsupported-protocol`: what its
 * arguments are is not known, so that nothing can be read after it.
 */
export const workerRequest: WireCodec<WorkerRequest> = {
  *read(from, context) {
    const number = yield* from.readNumber(0xffff_ffff);
    const operation = nameByNumber.get(number);
    if (operation === undefined) throw unsupported(`invalid operation ${number}`);
    checkOperation(operation, context);
    const codec: WireCodec<unknown> = operationCodecs[operation].request;
    const request = yield* reading(operation, codec.read(from, context));
    // The codec is the one of this operation.
    return { operation, request } as WorkerRequest;
  },
  write(to, { operation, request }, context) {
    checkOperation(operation, context);
    to.number(workerOperations[operation].number);
    (operationCodecs[operation].request as WireCodec<unknown>).write(to, request, context);
  },
};

/** The answer to an operation, without its stream. */
export function workerAnswer<Name extends WorkerOperation>(operation: Name): WireCodec<WorkerAnswers[Name]> {
  return operationCodecs[operation].answer;
}

/** The bytes of a request without its stream. */
export function encodeWorkerRequest<Name extends WorkerOperation>(
  operation: Name,
  request: WorkerRequests[Name],
  context: WireContext,
): Uint8Array {
  // The pair is one of the union, since both are of one name.
  return encodeWire(workerRequest, { operation, request } as unknown as WorkerRequest, context);
}

function checkOperation(operation: WorkerOperation, context: WireContext): void {
  if (hasOperation(operation, context)) return;
  throw unsupported(`version 1.${context.minor} of the protocol, as spoken here, has no ${operation}`);
}

function unsupported(message: string): NixCompatError {
  return new NixCompatError('unsupported-protocol', message);
}
