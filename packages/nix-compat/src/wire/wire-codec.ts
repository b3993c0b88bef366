/**
 * How a value is read from a connection and written to one: one object for both, so that they agree. What it looks like
 * depends on what both ends have agreed on, the context.
 */
import { NixCompatError } from '../nix-compat-error.ts';
import type { StoreDirectory } from '../store-directory.ts';
import { type Reading, WireInput, type WireLimits } from './wire-input.ts';
import { WireWriter } from './wire-writer.ts';

export type WireContext = {
  readonly store: StoreDirectory;
  /** What both ends speak; the part behind the point of `1.37`, since no protocol ever had another major version. */
  readonly minor: number;
  /** What both ends know beyond it. */
  readonly features: ReadonlySet<string>;
};

export interface WireCodec<T> {
  /** Throws `NixCompatError` into whoever drives it. */
  read(from: WireInput, context: WireContext): Reading<T>;
  /** Throws `NixCompatError` (`unsupported-protocol`) for a value that this version cannot say. */
  write(to: WireWriter, value: T, context: WireContext): void;
}

export function encodeWire<T>(codec: WireCodec<T>, value: T, context: WireContext): Uint8Array {
  const writer = new WireWriter();
  codec.write(writer, value, context);
  return writer.finish();
}

/** Reads the one value that the bytes are. Throws `NixCompatError`, also when something follows it. */
export function decodeWire<T>(codec: WireCodec<T>, bytes: Uint8Array, context: WireContext & WireLimits): T {
  const input = new WireInput(context);
  input.push(bytes);
  const reading = codec.read(input, context);
  let step = reading.next();
  if (step.done !== true) step = reading.throw(cutOff());
  if (step.done !== true) throw cutOff();
  if (input.available > 0) {
    throw new NixCompatError('bad-message', `${input.available} bytes follow the end of the message`);
  }
  return step.value;
}

export function cutOff(): NixCompatError {
  return new NixCompatError('message-cut-off', 'the other side ended in the middle of a message');
}

/** Runs a reading and says what was read when it fails. */
export function* reading<T>(what: string, inner: Reading<T>): Reading<T> {
  try {
    return yield* inner;
  } catch (cause) {
    if (!(cause instanceof NixCompatError)) throw cause;
    throw new NixCompatError(cause.code, `${what}: ${cause.message}`, { cause });
  }
}
