/**
 * What `nix-store --serve` can be asked for. A request is the number of the command and its arguments, for some with a
 * stream; the answer comes at once. There is no form for errors: the server says what is wrong on its standard error and
 * ends.
 */
import { type BuildResult, type BuildStatus, isBuildSuccess } from '../build-result.ts';
import { addedPathInfo } from '../daemon-protocol/worker-path-info.ts';
import { pathWithOutputs } from '../daemon-protocol/worker-derived-path.ts';
import type { DerivedPath } from '../derived-path.ts';
import { NixCompatError } from '../nix-compat-error.ts';
import type { UnkeyedValidPathInfo, ValidPathInfo } from '../path-info.ts';
import type { StorePath } from '../store-path.ts';
import { buildStatus } from '../wire/build-result-codec.ts';
import { listOf, record, silence } from '../wire/compound-codecs.ts';
import { type DerivationAt, derivationAt } from '../wire/derivation-codec.ts';
import { bool, text } from '../wire/primitive-codecs.ts';
import { storePath, storePaths } from '../wire/store-codecs.ts';
import { type WireCodec, type WireContext, encodeWire, reading } from '../wire/wire-codec.ts';
import {
  type ServeBuildOptions,
  serveBuildOptions,
  serveBuildResult,
  servePathInfo,
} from './serve-messages.ts';

export type ServeRequests = {
  /** `lock`: whether they are kept from garbage collection. */
  readonly queryValidPaths: {
    readonly lock: boolean;
    readonly substitute: boolean;
    readonly paths: readonly StorePath[];
  };
  readonly queryPathInfos: { readonly paths: readonly StorePath[] };
  /** The answer is the archive. */
  readonly dumpStorePath: { readonly path: StorePath };
  /** The stream is an export; see export-format.ts. */
  readonly importPaths: Readonly<Record<string, never>>;
  readonly buildPaths: { readonly paths: readonly DerivedPath[]; readonly options: ServeBuildOptions };
  readonly queryClosure: { readonly includeOutputs: boolean; readonly paths: readonly StorePath[] };
  readonly buildDerivation: DerivationAt & { readonly options: ServeBuildOptions };
  /** The stream is the archive, as it is and `narSize` bytes long. Since 2.5. */
  readonly addToStoreNar: { readonly info: ValidPathInfo };
};

export type ServeAnswers = {
  readonly queryValidPaths: readonly StorePath[];
  /** Of those that are there. */
  readonly queryPathInfos: readonly ValidPathInfo[];
  readonly dumpStorePath: undefined;
  /** Whether it went well. */
  readonly importPaths: boolean;
  readonly buildPaths: { readonly status: BuildStatus; readonly errorMessage: string };
  readonly queryClosure: readonly StorePath[];
  readonly buildDerivation: BuildResult;
  readonly addToStoreNar: boolean;
};

export type ServeCommand = keyof ServeRequests;

/** A command with its arguments. */
export type ServeRequest = {
  [Name in ServeCommand]: { readonly command: Name; readonly request: ServeRequests[Name] };
}[ServeCommand];

/** An empty path ends the list. */
const pathInfos: WireCodec<readonly ValidPathInfo[]> = {
  *read(from, context) {
    const infos: ValidPathInfo[] = [];
    while (true) {
      const path = yield* text.read(from, context);
      if (path === '') return infos;
      const info: UnkeyedValidPathInfo = yield* reading(path, servePathInfo.read(from, context));
      infos.push({ path: context.store.parse(path), ...info });
    }
  },
  write(to, infos, context) {
    for (const info of infos) {
      storePath.write(to, info.path, context);
      servePathInfo.write(to, info, context);
    }
    to.text('');
  },
};

/** A message follows only what failed. */
const buildOutcome: WireCodec<ServeAnswers['buildPaths']> = {
  *read(from, context) {
    const status = yield* buildStatus.read(from, context);
    return { status, errorMessage: isBuildSuccess(status) ? '' : yield* text.read(from, context) };
  },
  write(to, { status, errorMessage }, context) {
    buildStatus.write(to, status, context);
    if (!isBuildSuccess(status)) to.text(errorMessage);
  },
};

const buildDerivation: WireCodec<ServeRequests['buildDerivation']> = {
  *read(from, context) {
    const at = yield* derivationAt.read(from, context);
    return { ...at, options: yield* reading('options', serveBuildOptions.read(from, context)) };
  },
  write(to, it, context) {
    derivationAt.write(to, it, context);
    serveBuildOptions.write(to, it.options, context);
  },
};

type CommandEntries = {
  readonly [Name in ServeCommand]: {
    readonly number: number;
    readonly request: WireCodec<ServeRequests[Name]>;
    readonly answer: WireCodec<ServeAnswers[Name]>;
  };
};

const commands: CommandEntries = {
  queryValidPaths: {
    number: 1,
    request: record({ lock: bool, substitute: bool, paths: storePaths }),
    answer: storePaths,
  },
  queryPathInfos: { number: 2, request: record({ paths: storePaths }), answer: pathInfos },
  dumpStorePath: { number: 3, request: record({ path: storePath }), answer: silence },
  importPaths: { number: 4, request: record<Readonly<Record<string, never>>>({}), answer: bool },
  buildPaths: {
    number: 6,
    request: record({ paths: listOf(pathWithOutputs), options: serveBuildOptions }),
    answer: buildOutcome,
  },
  queryClosure: {
    number: 7,
    request: record({ includeOutputs: bool, paths: storePaths }),
    answer: storePaths,
  },
  buildDerivation: { number: 8, request: buildDerivation, answer: serveBuildResult },
  addToStoreNar: { number: 9, request: record({ info: addedPathInfo }), answer: bool },
};

const nameByNumber: ReadonlyMap<number, ServeCommand> = new Map(
  Object.entries(commands).map(([name, { number }]) => [number, name as ServeCommand]),
);

/** A request without its stream. One that does not exist is `unsupported-protocol`; nothing can be read after it. */
export const serveRequest: WireCodec<ServeRequest> = {
  *read(from, context) {
    const number = yield* from.readNumber(0xffff_ffff);
    const command = nameByNumber.get(number);
    if (command === undefined) {
      throw new NixCompatError('unsupported-protocol', `unknown serve command ${number}`);
    }
    const codec: WireCodec<unknown> = commands[command].request;
    // The codec is the one of this command.
    return { command, request: yield* reading(command, codec.read(from, context)) } as ServeRequest;
  },
  write(to, { command, request }, context) {
    to.number(commands[command].number);
    (commands[command].request as WireCodec<unknown>).write(to, request, context);
  },
};

/** The answer to a command, without its stream. */
export function serveAnswer<Name extends ServeCommand>(command: Name): WireCodec<ServeAnswers[Name]> {
  return commands[command].answer;
}

/** The bytes of a request without its stream. */
export function encodeServeRequest<Name extends ServeCommand>(
  command: Name,
  request: ServeRequests[Name],
  context: WireContext,
): Uint8Array {
  // The pair is one of the union, since both are of one name.
  return encodeWire(serveRequest, { command, request } as unknown as ServeRequest, context);
}
