/**
 * The protocols that Nix's programs speak with each other: the worker protocol of its daemon, the serve protocol of `ssh:`
 * stores, and what both are made of. A part of its own, so that nobody loads it who only evaluates.
 */
export { WireReader } from './wire/wire-reader.ts';
export type { NarStreamOptions, WireStream } from './wire/wire-reader.ts';
export { WireWriter } from './wire/wire-writer.ts';
export type { WireConnection } from './wire/wire-connection.ts';
export { decodeWire, encodeWire } from './wire/wire-codec.ts';
export type { WireCodec, WireContext } from './wire/wire-codec.ts';
export type { Reading, WireInput, WireLimits } from './wire/wire-input.ts';
export { frameStart, writeFrames } from './wire/frames.ts';
export { bool, bytes, size, text, uint32, uint64, uint8 } from './wire/primitive-codecs.ts';
export { listOf, mapOf, optional, record, texts } from './wire/compound-codecs.ts';
export {
  contentAddress,
  optionalContentAddress,
  optionalStorePath,
  signatures,
  storePath,
  storePaths,
} from './wire/store-codecs.ts';
export { derivationAt } from './wire/derivation-codec.ts';
export type { DerivationAt } from './wire/derivation-codec.ts';
export { unkeyedRealisation } from './wire/build-result-codec.ts';
export { exportContinues, exportedObject } from './wire/export-format.ts';
export type { ExportedObject } from './wire/export-format.ts';
export type { ProtocolVersion } from './wire/protocol-version.ts';
export {
  addToStoreScanning,
  deleteDeadSpecificReferrers,
  disableSetOptions,
  latestWorkerVersion,
  oldestWorkerMinor,
  realisationWithPath,
  submitOutput,
} from './daemon-protocol/worker-version.ts';
export { daemonIntroduction, greetClient, greetDaemon, trust } from './daemon-protocol/worker-handshake.ts';
export type {
  DaemonIntroduction,
  Trust,
  WorkerHandshakeOptions,
} from './daemon-protocol/worker-handshake.ts';
export { logFrame } from './daemon-protocol/log-frames.ts';
export type {
  ActivityType,
  DaemonError,
  LogField,
  LogFrame,
  ResultType,
  Verbosity,
} from './daemon-protocol/log-frames.ts';
export {
  answerStream,
  encodeWorkerRequest,
  hasOperation,
  requestStream,
  workerAnswer,
  workerOperations,
  workerRequest,
} from './daemon-protocol/worker-operations.ts';
export type {
  BuildMode,
  MissingPaths,
  StreamForm,
  SubstitutablePathInfo,
  WorkerAnswers,
  WorkerOperation,
  WorkerRequest,
  WorkerRequests,
} from './daemon-protocol/worker-operations.ts';
export { buildMode } from './daemon-protocol/operation-codecs.ts';
export type { ClientOptions } from './daemon-protocol/client-options.ts';
export type { GarbageAction, GarbageOptions, GarbageResult } from './daemon-protocol/garbage-collection.ts';
export { addedPathInfo, unkeyedValidPathInfo, validPathInfo } from './daemon-protocol/worker-path-info.ts';
export { keyedBuildResult, workerBuildResult } from './daemon-protocol/worker-build-result.ts';
export type { KeyedBuildResult } from './daemon-protocol/worker-build-result.ts';
export { derivedPath, singleDerivedPath } from './daemon-protocol/worker-derived-path.ts';
export {
  drvOutput,
  hashedDrvOutput,
  hashedRealisation,
  keyedRealisation,
} from './daemon-protocol/worker-realisation.ts';
export type {
  WorkerDrvOutput,
  WorkerRealisation,
  WorkerRealisationAnswer,
} from './daemon-protocol/worker-realisation.ts';
export {
  greetServeClient,
  greetServer,
  latestServeMinor,
  oldestServeMinor,
} from './serve-protocol/serve-handshake.ts';
export type { ServeHandshakeOptions } from './serve-protocol/serve-handshake.ts';
export { encodeServeRequest, serveAnswer, serveRequest } from './serve-protocol/serve-commands.ts';
export type {
  ServeAnswers,
  ServeCommand,
  ServeRequest,
  ServeRequests,
} from './serve-protocol/serve-commands.ts';
export { serveBuildOptions, serveBuildResult, servePathInfo } from './serve-protocol/serve-messages.ts';
export type { ServeBuildOptions } from './serve-protocol/serve-messages.ts';
