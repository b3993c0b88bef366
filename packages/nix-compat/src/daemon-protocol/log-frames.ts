/**
 * What a daemon sends while it works, before it answers: log messages, activities and their results, requests for data, and
 * at the end `last`, which an answer follows, or `error`, which none follows.
 *
 *     0x6f6c6d67 next     text                         0x53545254 start    id, level, type, text, fields, parent
 *     0x64617461 read     wanted size                  0x53544f50 stop     id
 *     0x64617416 write    bytes                        0x52534c54 result   id, type, fields
 *     0x616c7473 last                                  0x63787470 error    see below
 *
 * An error is, since 1.26, `"Error"`, level, `"Error"`, message, 0, traces (each 0 and a text); before, message and exit
 * status. Clients before 1.20 know no activities.
 */
import { activityNumbers, resultNumbers } from '../logger-numbers.ts';
import { NixCompatError } from '../nix-compat-error.ts';
import { listOf, record } from '../wire/compound-codecs.ts';
import { bytes, openNames, size, text, uint32, uint64 } from '../wire/primitive-codecs.ts';
import { type WireCodec, reading } from '../wire/wire-codec.ts';

/** How much a message matters: 0 an error, 1 a warning, 3 an information, 7 the least. */
export type Verbosity = number;

/** A number where a newer Nix has one that is not known here. */
export type ActivityType = keyof typeof activityNumbers | number;
export type ResultType = keyof typeof resultNumbers | number;

export const activityType: WireCodec<ActivityType> = openNames(activityNumbers);
export const resultType: WireCodec<ResultType> = openNames(resultNumbers);

export type LogField = bigint | string;

export type DaemonError = {
  readonly level: Verbosity;
  readonly message: string;
  /** What the daemon was doing, the innermost first. */
  readonly traces: readonly string[];
  /** What a command that fails with it exits with; only before 1.26. */
  readonly exitStatus?: number;
};

/** An activity's id is the daemon's choice, and 0 no activity. */
export type LogFrame =
  | { readonly kind: 'next'; readonly text: string }
  | { readonly kind: 'read'; readonly size: number }
  | { readonly kind: 'write'; readonly bytes: Uint8Array }
  | { readonly kind: 'last' }
  | { readonly kind: 'error'; readonly error: DaemonError }
  | {
      readonly kind: 'startActivity';
      readonly id: bigint;
      readonly level: Verbosity;
      readonly type: ActivityType;
      readonly text: string;
      readonly fields: readonly LogField[];
      readonly parent: bigint;
    }
  | { readonly kind: 'stopActivity'; readonly id: bigint }
  | {
      readonly kind: 'result';
      readonly id: bigint;
      readonly type: ResultType;
      readonly fields: readonly LogField[];
    };

const field: WireCodec<LogField> = {
  *read(from, context) {
    const type = yield* from.readNumber(0xffff_ffff);
    if (type === 0) return yield* from.readUint64();
    if (type === 1) return yield* text.read(from, context);
    throw bad(`there is no type ${type} of fields`);
  },
  write(to, value) {
    to.number(typeof value === 'bigint' ? 0 : 1);
    if (typeof value === 'bigint') to.uint64(value);
    else to.text(value);
  },
};

const fields: WireCodec<readonly LogField[]> = listOf(field);

/** Nix has no form for positions. */
const noPosition: WireCodec<undefined> = {
  *read(from) {
    if ((yield* from.readNumber(Number.MAX_SAFE_INTEGER)) !== 0)
      throw bad('the position of an error has no form');
    return undefined;
  },
  write: (to) => to.number(0),
};

const trace: WireCodec<string> = {
  *read(from, context) {
    yield* noPosition.read(from, context);
    return yield* text.read(from, context);
  },
  write(to, value) {
    to.number(0);
    to.text(value);
  },
};

const error: WireCodec<DaemonError> = {
  *read(from, context) {
    const type = yield* text.read(from, context);
    if (type !== 'Error') throw bad(`there is no type '${type}' of errors`);
    const level = yield* from.readNumber(0xffff_ffff);
    // A name, which means nothing any more.
    yield* text.read(from, context);
    const message = yield* text.read(from, context);
    yield* noPosition.read(from, context);
    return { level, message, traces: yield* reading('traces', listOf(trace).read(from, context)) };
  },
  write(to, { level, message, traces }, context) {
    to.text('Error');
    to.number(level);
    to.text('Error');
    to.text(message);
    to.number(0);
    listOf(trace).write(to, traces, context);
  },
};

const oldError: WireCodec<DaemonError> = {
  *read(from, context) {
    const message = yield* text.read(from, context);
    return { level: 0, message, traces: [], exitStatus: yield* from.readNumber(0xffff_ffff) };
  },
  write(to, { message, exitStatus = 1 }) {
    to.text(message);
    to.number(exitStatus);
  },
};

type FrameOf<Kind extends LogFrame['kind']> = Extract<LogFrame, { readonly kind: Kind }>;
type Body<Kind extends LogFrame['kind']> = WireCodec<Omit<FrameOf<Kind>, 'kind'>>;

const bodies: {
  readonly [Kind in LogFrame['kind']]: { readonly number: number; readonly body: Body<Kind> };
} = {
  next: { number: 0x6f6c6d67, body: record({ text }) },
  read: { number: 0x64617461, body: record({ size }) },
  write: { number: 0x64617416, body: record({ bytes }) },
  last: { number: 0x616c7473, body: record({}) },
  error: {
    number: 0x63787470,
    body: {
      *read(from, context) {
        return { error: yield* (context.minor >= 26 ? error : oldError).read(from, context) };
      },
      write: (to, it, context) => (context.minor >= 26 ? error : oldError).write(to, it.error, context),
    },
  },
  startActivity: {
    number: 0x53545254,
    body: record<Omit<FrameOf<'startActivity'>, 'kind'>>({
      id: uint64,
      level: uint32,
      type: activityType,
      text,
      fields,
      parent: uint64,
    }),
  },
  stopActivity: { number: 0x53544f50, body: record({ id: uint64 }) },
  result: {
    number: 0x52534c54,
    body: record<Omit<FrameOf<'result'>, 'kind'>>({ id: uint64, type: resultType, fields }),
  },
};

const kindByNumber: ReadonlyMap<number, LogFrame['kind']> = new Map(
  Object.entries(bodies).map(([kind, { number }]) => [number, kind as LogFrame['kind']]),
);

/** To write what a client before 1.20 does not know is `unsupported-protocol`. */
export const logFrame: WireCodec<LogFrame> = {
  *read(from, context) {
    const number = yield* from.readNumber(Number.MAX_SAFE_INTEGER);
    const kind = kindByNumber.get(number);
    if (kind === undefined) throw bad(`there is no log frame 0x${number.toString(16)}`);
    const body = yield* reading(kind, bodies[kind].body.read(from, context));
    // The body is the one of this kind, by the table.
    return { kind, ...body } as LogFrame;
  },
  write(to, frame, context) {
    const isActivity =
      frame.kind === 'startActivity' || frame.kind === 'stopActivity' || frame.kind === 'result';
    if (isActivity && context.minor < 20) {
      throw new NixCompatError('unsupported-protocol', 'a client before version 1.20 knows no activities');
    }
    to.number(bodies[frame.kind].number);
    (bodies[frame.kind].body as WireCodec<LogFrame>).write(to, frame, context);
  },
};

function bad(message: string): NixCompatError {
  return new NixCompatError('bad-message', message);
}
