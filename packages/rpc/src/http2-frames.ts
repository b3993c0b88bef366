/**
 * As much of HTTP/2 as a client needs that makes one call on a connection of its own and does not look at headers of answers:
 * what a call says is in its messages.
 *
 *     frame:  length u24 | type u8 | flags u8 | stream u32 | payload
 *     header: a field of the static table | a name of it or a new one, and a value, none of them to be remembered
 *
 * Sources: RFC 9113, sections 3.4, 4.1 and 6; RFC 7541, section 6 and appendix A.
 */
export const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;

const flags = { endStream: 1, acknowledged: 1, endHeaders: 4, padded: 8 } as const;

const headerBytes = 9;
const maxFrameBytes = 16_384;
/** Two to the 31st, without one: nobody is slowed down but by the socket. */
const largestWindow = 0x7fff_ffff;
const firstWindow = 65_535;
const initialWindowSize = 4;
const enablePush = 2;

/** The only stream. */
const stream = 1;

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export type Frame = {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
};

/**
 * What opens a connection and its call. `method` is `/package.Service/Method`; of `metadata`, which has names in lower case,
 * what is longer than a field can be here is left out.
 */
export function openingFrames(method: string, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const settings = [...setting(enablePush, 0), ...setting(initialWindowSize, largestWindow)];
  const fields = [
    // `:method: POST` and `:scheme: http`
    [0x83, 0x86],
    literal(0x04, method),
    literal(0x01, 'localhost'),
    [0x0f, 0x10, ...text('application/grpc')],
    [0x00, ...text('te'), ...text('trailers')],
    ...Object.entries(metadata)
      .filter(([, value]) => value.length <= maxText)
      .map(([name, value]) => [0x00, ...text(name), ...text(value)]),
  ].flat();
  return concat([
    ascii(preface),
    frame(frameTypes.settings, 0, 0, Uint8Array.from(settings)),
    windowUpdate(0, largestWindow - firstWindow),
    frame(frameTypes.headers, flags.endHeaders, stream, Uint8Array.from(fields)),
  ]);
}

export function dataFrames(bytes: Uint8Array): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += maxFrameBytes) {
    frames.push(frame(frameTypes.data, 0, stream, bytes.subarray(at, at + maxFrameBytes)));
  }
  return concat(frames);
}

/** What has to be answered to a frame, if anything. */
export function answerTo({ type, flags: its, payload, stream: of }: Frame): Uint8Array | undefined {
  const isAnswer = (its & flags.acknowledged) !== 0;
  if (type === frameTypes.settings && !isAnswer) {
    return frame(frameTypes.settings, flags.acknowledged, 0, new Uint8Array());
  }
  if (type === frameTypes.ping && !isAnswer) return frame(frameTypes.ping, flags.acknowledged, 0, payload);
  // What was taken may be sent again.
  if (type !== frameTypes.data || payload.length === 0) return undefined;
  return concat([windowUpdate(0, payload.length), windowUpdate(of, payload.length)]);
}

/** Of a data frame, without what fills it up. */
export function dataOf({ flags: its, payload }: Frame): Uint8Array {
  if ((its & flags.padded) === 0) return payload;
  return payload.subarray(1, Math.max(1, payload.length - (payload[0] ?? 0)));
}

/** Whether the server says nothing more in the call. */
export function isEnd({ type, flags: its, stream: of }: Frame): boolean {
  if (type === frameTypes.goAway) return true;
  if (of !== stream) return false;
  const mayEnd = type === frameTypes.data || type === frameTypes.headers;
  return type === frameTypes.reset || (mayEnd && (its & flags.endStream) !== 0);
}

/** Puts frames together of the pieces in which they come. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  #rest: Uint8Array = new Uint8Array();

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws `RangeError` for what no server of HTTP/2 sends. */
  take(bytes: Uint8Array): void {
    let rest = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes]);
    while (rest.length >= headerBytes) {
      const view = new DataView(rest.buffer, rest.byteOffset);
      const size = view.getUint32(0) >>> 8;
      if (size > maxFrameBytes) throw new RangeError('the server does not speak HTTP/2');
      if (rest.length < headerBytes + size) break;
      this.#onFrame({
        type: view.getUint8(3),
        flags: view.getUint8(4),
        stream: view.getUint32(5) & 0x7fff_ffff,
        payload: rest.subarray(headerBytes, headerBytes + size),
      });
      rest = rest.subarray(headerBytes + size);
    }
    this.#rest = rest.slice();
  }
}

// oxlint-disable-next-line eslint/max-params -- the parts of a frame, in order
function frame(type: number, itsFlags: number, of: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8);
  view.setUint8(3, type);
  view.setUint8(4, itsFlags);
  view.setUint32(5, of);
  bytes.set(payload, headerBytes);
  return bytes;
}

function windowUpdate(of: number, size: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, size);
  return frame(frameTypes.windowUpdate, 0, of, payload);
}

function setting(name: number, value: number): readonly number[] {
  const bytes = new Uint8Array(6);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, name);
  view.setUint32(2, value);
  return [...bytes];
}

/** A header with a name of the static table below 15, which is not remembered. */
function literal(name: number, value: string): readonly number[] {
  return [name, ...text(value)];
}

/** Longer ones have a length of several bytes. */
const maxText = 126;

/** Of `maxText` characters at most, not compressed. */
function text(value: string): readonly number[] {
  return [value.length, ...ascii(value)];
}

function ascii(value: string): Uint8Array {
  return Uint8Array.from(value, (character) => character.charCodeAt(0));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
