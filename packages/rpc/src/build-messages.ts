/**
 * Build requests and results as messages, and back. What is written keeps the order that Snix asks for: inputs, paths,
 * variables and files sorted bytewise, outputs as well, so that a result is put back into the order of its request. What is
 * read may be in any order, but has nothing twice.
 */
import {
  BuildError,
  type BuildLimits,
  type BuildOutput,
  type BuildRequest,
  type BuildResult,
  checkBuildRequest,
} from '@neve/build';
import { compareBytes, decodeUtf8, encodeUtf8, equalBytes } from '@neve/bytes';
import { CastoreError, type Node, decodeEntry, encodeEntry } from '@neve/castore';
import { fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import type {
  StreamBuildRequest,
  StreamBuildRequestSchema,
  StreamBuildRequest_Limits,
} from './generated/neve/build/v1/rpc_streambuild_pb.ts';
import type {
  BuildRequest as BuildRequestMessage,
  BuildRequestSchema,
  BuildResponse,
  BuildResponseSchema,
  BuildResponse_Output,
} from './generated/snix/build/v1/build_pb.ts';
import { EntrySchema, type Entry } from './generated/snix/castore/v1/castore_pb.ts';

/** What `snix.build.v1` says of a request, which is one by `checkBuildRequest`. Throws `BuildError` (`unsupported`). */
export function writeBuildRequest(request: BuildRequest): MessageInitShape<typeof BuildRequestSchema> {
  const { constraints } = request;
  return {
    inputs: sortedEntries(request.inputs).map(([name, node]) => writeEntry(node, encodeUtf8(name))),
    commandArgs: [...request.command],
    workingDir: request.workingDirectory,
    scratchPaths: sorted(request.scratchPaths),
    inputsDir: request.inputsDirectory,
    outputs: sorted(request.outputs),
    environmentVars: sortedEntries(request.environment).map(([key, value]) => ({ key, value })),
    constraints: {
      system: constraints.system,
      minMemory: BigInt(constraints.minMemoryBytes),
      availableRoPaths: sorted(new Set(constraints.readOnlyPaths)),
      networkAccess: constraints.network,
      provideBinSh: constraints.binSh,
    },
    additionalFiles: sortedEntries(request.files).map(([path, contents]) => ({ path, contents })),
    refscanNeedles: request.needles.map(needleText),
  };
}

/** All of a request, for our extension. Throws as `writeBuildRequest` does. */
export function writeStreamRequest(request: BuildRequest): MessageInitShape<typeof StreamBuildRequestSchema> {
  const { constraints, programName } = request;
  return {
    request: writeBuildRequest(request),
    ...(programName !== undefined && { programName }),
    limits: writeLimits(request.limits),
    hostPaths: constraints.hostPaths.map(({ target, source, optional }) => ({ target, source, optional })),
    userRange: constraints.userRange,
    noIsolation: constraints.isolation === 'none',
  };
}

/** What a request asks for that `snix.build.v1` cannot say, as the end of a sentence. */
export function beyondPlainRequest({
  command: [program],
  programName,
  constraints,
  limits,
}: BuildRequest): string | undefined {
  if (programName !== undefined && programName !== program.slice(program.lastIndexOf('/') + 1)) {
    return `the name of the program, '${programName}'`;
  }
  const wanted = constraints.hostPaths.find(({ optional }) => !optional);
  if (wanted !== undefined) return `paths of the host, such as '${wanted.source}'`;
  if (constraints.userRange) return 'a range of users';
  if (constraints.isolation === 'none') return 'to be without isolation';
  // Nothing is sent of the log, and whoever calls can look at a clock.
  const { silenceMs, memoryBytes, processes, scratchBytes } = limits;
  const others = { silence: silenceMs, memory: memoryBytes, processes, 'what is written': scratchBytes };
  const limit = Object.entries(others).find(([, value]) => value !== undefined);
  return limit === undefined ? undefined : `a limit for ${limit[0]}`;
}

/** The request of a caller, checked. Throws `BuildError` (`invalid-request`). */
export function readBuildRequest(message: BuildRequestMessage): BuildRequest {
  const request = uncheckedRequest(message);
  checkBuildRequest(request);
  return request;
}

/** The request of a caller of our extension, checked. Throws `BuildError` (`invalid-request`). */
export function readStreamRequest(message: StreamBuildRequest): BuildRequest {
  if (message.request === undefined) throw invalid('there is none in the message');
  const { constraints, ...plain } = uncheckedRequest(message.request);
  const request: BuildRequest = {
    ...plain,
    ...(message.programName !== undefined && { programName: message.programName }),
    constraints: {
      ...constraints,
      hostPaths: message.hostPaths.map(({ target, source, optional }) => ({ target, source, optional })),
      userRange: message.userRange,
      isolation: message.noIsolation ? 'none' : 'full',
    },
    limits: readLimits(message.limits),
  };
  checkBuildRequest(request);
  return request;
}

/** The outputs are in the order of the request that was read. */
export function writeBuildResponse({ outputs }: BuildResult): MessageInitShape<typeof BuildResponseSchema> {
  return {
    outputs: outputs.map(({ node, needles }) => ({ output: writeEntry(node), needles: needles.map(BigInt) })),
  };
}

/** What a server answered to the message of `request`. Throws `BuildError` (`io`) for what is no answer to it. */
export function readBuildResponse({ outputs }: BuildResponse, request: BuildRequest): BuildResult {
  if (outputs.length !== request.outputs.length) {
    const counts = `${outputs.length} outputs where ${request.outputs.length} were asked for`;
    throw wrongAnswer(counts);
  }
  const sent = sorted(request.outputs);
  const byPath = new Map(outputs.map((it, index) => [sent[index], readOutput(it, request.needles.length)]));
  // Each path is there, since no output is in a request twice.
  return { outputs: request.outputs.flatMap((path) => byPath.get(path) ?? []) };
}

function uncheckedRequest(message: BuildRequestMessage): BuildRequest {
  const [program, ...parameters] = message.commandArgs;
  if (program === undefined) throw invalid('it has no command');
  const { constraints } = message;
  return {
    inputs: withoutRepetition(message.inputs.map(readInput), 'the input'),
    inputsDirectory: message.inputsDir,
    command: [program, ...parameters],
    workingDirectory: message.workingDir,
    scratchPaths: message.scratchPaths,
    outputs: message.outputs,
    environment: withoutRepetition(
      message.environmentVars.map(({ key, value }) => [key, value]),
      'the variable',
    ),
    files: withoutRepetition(
      message.additionalFiles.map(({ path, contents }) => [path, contents]),
      'the file',
    ),
    needles: message.refscanNeedles.map(encodeUtf8),
    constraints: {
      system: constraints?.system ?? '',
      minMemoryBytes: readNumber(constraints?.minMemory ?? 0n, 'the memory that it wants'),
      readOnlyPaths: constraints?.availableRoPaths ?? [],
      hostPaths: [],
      network: constraints?.networkAccess ?? false,
      binSh: constraints?.provideBinSh ?? false,
      userRange: false,
      isolation: 'full',
    },
    limits: {},
  };
}

function withoutRepetition<T>(entries: readonly [string, T][], what: string): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const [name, value] of entries) {
    if (map.has(name)) throw invalid(`${what} '${name}' is there twice`);
    map.set(name, value);
  }
  return map;
}

function readInput(entry: Entry, index: number): [string, Node] {
  try {
    const { name, node } = decodeEntry(toBinary(EntrySchema, entry));
    const text = decodeUtf8(name);
    if (equalBytes(encodeUtf8(text), name)) return [text, node];
  } catch (cause) {
    if (!(cause instanceof CastoreError)) throw cause;
    throw invalid(`input ${index} is no node: ${cause.message}`);
  }
  throw invalid(`the name of input ${index} is not UTF-8`);
}

function readOutput({ output, needles }: BuildResponse_Output, needleCount: number): BuildOutput {
  if (output === undefined) throw wrongAnswer('an output without a node');
  const indices = needles.map(Number);
  if (indices.some((it, at) => it >= needleCount || it <= (indices[at - 1] ?? -1))) {
    throw wrongAnswer(`the needles ${indices.join(', ')} of ${needleCount}`);
  }
  try {
    return { node: decodeEntry(toBinary(EntrySchema, output)).node, needles: indices };
  } catch (cause) {
    if (!(cause instanceof CastoreError)) throw cause;
    throw wrongAnswer(`an output that is no node: ${cause.message}`);
  }
}

function writeEntry(node: Node, name?: Uint8Array): Entry {
  return fromBinary(EntrySchema, encodeEntry(node, name));
}

function writeLimits(limits: BuildLimits): Record<keyof BuildLimits, bigint | undefined> {
  return {
    timeMs: wholeNumber(limits.timeMs),
    silenceMs: wholeNumber(limits.silenceMs),
    logBytes: wholeNumber(limits.logBytes),
    memoryBytes: wholeNumber(limits.memoryBytes),
    processes: wholeNumber(limits.processes),
    scratchBytes: wholeNumber(limits.scratchBytes),
  };
}

/** A limit above all numbers of this kind is none that anybody reaches. */
function wholeNumber(limit: number | undefined): bigint | undefined {
  return limit === undefined ? undefined : BigInt(Math.min(Math.ceil(limit), Number.MAX_SAFE_INTEGER));
}

function readLimits(limits: StreamBuildRequest_Limits | undefined): BuildLimits {
  const read = (name: keyof BuildLimits): number | undefined => {
    const value = limits?.[name];
    return value === undefined ? undefined : readNumber(value, `the limit '${name}'`);
  };
  return {
    timeMs: read('timeMs'),
    silenceMs: read('silenceMs'),
    logBytes: read('logBytes'),
    memoryBytes: read('memoryBytes'),
    processes: read('processes'),
    scratchBytes: read('scratchBytes'),
  };
}

function readNumber(value: bigint, what: string): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw invalid(`${what} is ${value}, which is more than there can be`);
}

function needleText(needle: Uint8Array, index: number): string {
  const text = decodeUtf8(needle);
  if (equalBytes(encodeUtf8(text), needle)) return text;
  throw new BuildError('unsupported', `needle ${index} is not UTF-8, and no other can be sent to a builder`);
}

function sorted(texts: Iterable<string>): string[] {
  return [...texts].sort(compareText);
}

function sortedEntries<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => compareText(a, b));
}

function compareText(a: string, b: string): number {
  return compareBytes(encodeUtf8(a), encodeUtf8(b));
}

function invalid(problem: string): BuildError {
  return new BuildError('invalid-request', `the build request is invalid: ${problem}`);
}

function wrongAnswer(what: string): BuildError {
  return new BuildError('io', `the builder answered with ${what}`);
}
