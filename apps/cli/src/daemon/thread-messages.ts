/**
 * What a thread that evaluates and the daemon's main thread say to each other. Messages are copied between threads, so that
 * whatever is said is plain data; what the store is asked for, and what it answers, goes through `portable` and `restored`.
 */
import type { PathSet } from '@neve/eval';
import { byteKey } from '@neve/bytes';
import type { LogRecord, RecordedSpan, SpanContext } from '@neve/telemetry';
import type { RealiseOptions } from '../realise/realise-options.ts';
import type { RealiseTask } from '../realise/realise-session.ts';
import type { Environment } from '../caller.ts';

/** To the thread. */
export type ThreadOrder =
  | {
      readonly kind: 'run';
      /** The command and its words. */
      readonly argv: readonly string[];
      readonly directory: string;
      readonly environment: Environment;
      readonly standardInput: Uint8Array | undefined;
      readonly colour: boolean;
      /** What its spans are part of; without it there are none. */
      readonly trace: SpanContext | undefined;
    }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: PlainError };

/** From the thread. */
export type ThreadReport =
  | { readonly kind: 'output'; readonly file: 1 | 2; readonly bytes: Uint8Array }
  | {
      readonly kind: 'question';
      readonly id: number;
      readonly question: Question;
      /** The span in which it is asked. */
      readonly span: SpanContext | undefined;
    }
  /** One that has ended. */
  | { readonly kind: 'span'; readonly span: RecordedSpan }
  | { readonly kind: 'log'; readonly record: LogRecord }
  /** Of `StoreIO`; nothing is answered. */
  | { readonly kind: 'describe'; readonly added: unknown }
  | {
      readonly kind: 'ended';
      readonly exitCode: number;
      /** What is to be done when the evaluation is over; its exit code is the one that counts. */
      readonly task: RealiseTask | undefined;
      /** Of the evaluation's own memory. */
      readonly memoryBytes: number;
    };

export type Question =
  | { readonly kind: 'open'; readonly options: RealiseOptions }
  | { readonly kind: 'failure' }
  | { readonly kind: 'store'; readonly method: string; readonly parameters: readonly unknown[] };

export type ThreadData = {
  readonly core: WebAssembly.Module;
  /** One number: the bytes of output that nobody has taken yet. */
  readonly waitingOutput: SharedArrayBuffer;
};

/** The thread does not go on while more waits. */
export const maxWaitingOutput: number = 1024 * 1024;

export type PlainError = {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: unknown;
  readonly path: Uint8Array | undefined;
};

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), stack: undefined, code: undefined, path: undefined };
  }
  const { code, path } = error as Error & { readonly code?: unknown; readonly path?: unknown };
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    code: typeof code === 'string' ? code : undefined,
    path: path instanceof Uint8Array ? new Uint8Array(path) : undefined,
  };
}

/** An error of another thread: it is told by its name. */
export function restoredError({ name, message, stack, code, path }: PlainError): Error {
  const error = new Error(message);
  return Object.assign(error, {
    name,
    ...(stack !== undefined && { stack }),
    ...(code !== undefined && { code }),
    ...(path !== undefined && { path }),
  });
}

const pathSetMark = 'path set of another thread';

/** Bytes of their own, so that no larger buffer is copied, and sets of paths as lists. */
export function portable(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(portable);
  if (value instanceof Map) return new Map(Array.from(value, ([key, it]) => [key, portable(it)]));
  if (typeof value !== 'object' || value === null) return value;
  if (isPathSet(value)) return { mark: pathSetMark, paths: Array.from(value.paths(), portable) };
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, portable(it)]));
}

/** The other way round. */
export function restored(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(restored);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array || value instanceof Map) return value;
  if ('mark' in value && value.mark === pathSetMark) {
    return pathSet((value as unknown as { paths: readonly Uint8Array[] }).paths);
  }
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, restored(it)]));
}

function isPathSet(value: object): value is Required<PathSet> {
  return 'paths' in value && typeof value.paths === 'function';
}

function pathSet(paths: readonly Uint8Array[]): PathSet {
  const keys = new Set(paths.map(byteKey));
  return { has: (path) => keys.has(byteKey(path)), paths: () => paths };
}
