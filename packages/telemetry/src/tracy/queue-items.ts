/**
 * Messages of a Tracy client, version 0.11.1 (protocol 69), as its server reads them: packed little-endian structures of
 * `public/common/TracyProtocol.hpp` and `TracyQueue.hpp`. Pointers are numbers that mean something to the client alone.
 *
 *   item:    [type: u8] then what the type has
 *   string:  [type: u8][pointer: u64][length: u16][bytes]      answers a query, or comes before the item that it is for
 *   single:  [type: u8][length: u16][bytes]                    comes before the item that it is for
 *
 * Times are nanoseconds; those of zones are differences to the last one of the same thread context.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const protocolVersion = 69;
export const broadcastVersion = 3;
/** What a server says first. */
export const shibboleth: Uint8Array = encoder.encode('TracyPrf');
/** Bytes of `shibboleth` and the version of the protocol. */
export const helloSize = 12;
/** A server's query: its type, a pointer, and more. */
export const querySize = 13;
/** Bytes of items in one frame, at most. */
export const maxFrameSize: number = 256 * 1024;

export const handshake = { welcome: 1, protocolMismatch: 2, notAvailable: 3 } as const;

/** Those of the server's queries that a client without symbols and code can be asked. */
export const query = {
  terminate: 0,
  string: 1,
  threadString: 2,
  sourceLocation: 3,
  plotName: 4,
  frameName: 5,
  disconnect: 9,
  sourceCode: 13,
  dataTransfer: 14,
  dataTransferPart: 15,
} as const;

const type = {
  zoneText: 0,
  zoneName: 1,
  message: 2,
  zoneBeginAllocated: 7,
  zoneEnd: 17,
  terminate: 57,
  keepAlive: 58,
  threadContext: 59,
  zoneColor: 65,
  acknowledged: 92,
  noSourceCode: 93,
  singleString: 96,
  stringData: 100,
  threadName: 101,
  plotName: 102,
  sourceLocationPayload: 103,
  frameName: 106,
} as const;

export type StringKind = 'stringData' | 'threadName' | 'plotName' | 'frameName';

/** Strings have a length of 16 bits; so much is kept of each. */
const maxStringBytes = 32_000;

export type Query = { readonly type: number; readonly pointer: bigint };

export function readQuery(bytes: Uint8Array): Query {
  const view = viewOf(bytes);
  return { type: view.getUint8(0), pointer: view.getBigUint64(1, true) };
}

/** Undefined when it is no server of Tracy. */
export function readHello(bytes: Uint8Array): { readonly version: number } | undefined {
  const isTracy = shibboleth.every((byte, index) => bytes[index] === byte);
  return isTracy ? { version: viewOf(bytes).getUint32(shibboleth.length, true) } : undefined;
}

export type WelcomeOptions = {
  readonly programName: string;
  readonly hostInfo: string;
  readonly processId: number;
  /** Seconds since 1970, of the start. */
  readonly epochSeconds: number;
  /** Nanoseconds on the clock of all times. */
  readonly startTime: bigint;
  /** Nothing comes but what begins from now on; `onDemandMessage` follows. */
  readonly isOnDemand: boolean;
};

const onDemandFlag = 1;

/** Says that a zone costs nothing to measure, and that times are nanoseconds. */
export function welcomeMessage(options: WelcomeOptions): Uint8Array {
  const { programName, hostInfo, processId, epochSeconds, startTime, isOnDemand } = options;
  const item = new ItemWriter(1178);
  item.f64(1);
  item.i64(startTime);
  item.i64(startTime);
  // The cost of a zone, and the clock's resolution.
  item.u64(0n);
  item.u64(1n);
  item.u64(BigInt(epochSeconds));
  item.u64(0n);
  item.u64(BigInt(processId));
  // No samples of the stack; flags; no known processor.
  item.i64(0n);
  item.u8(isOnDemand ? onDemandFlag : 0);
  item.u8(0);
  item.text('', 12);
  item.u32(0);
  item.text(programName, 64);
  item.text(hostInfo, 1024);
  return item.bytes;
}

export type BroadcastOptions = {
  readonly programName: string;
  readonly port: number;
  readonly processId: number;
  /** Seconds that it has run; -1 says that it is no longer to be had. */
  readonly activeSeconds: number;
};

/** What a client that waits tells by UDP. */
export function broadcastMessage({
  programName,
  port,
  processId,
  activeSeconds,
}: BroadcastOptions): Uint8Array {
  const item = new ItemWriter(84);
  item.u16(broadcastVersion);
  item.u16(port);
  item.u32(protocolVersion);
  item.u64(BigInt(processId));
  item.u32(activeSeconds);
  item.text(programName, 64);
  return item.bytes;
}

export function terminateItem(): Uint8Array {
  return Uint8Array.of(type.terminate);
}

export function keepAliveItem(): Uint8Array {
  return Uint8Array.of(type.keepAlive);
}

export function acknowledgedItem(): Uint8Array {
  return Uint8Array.of(type.acknowledged);
}

/** There is no source code; the query's number is its pointer. */
export function noSourceCodeItem(pointer: bigint): Uint8Array {
  const item = new ItemWriter(5);
  item.u8(type.noSourceCode);
  item.u32(Number(pointer & 0xffff_ffffn));
  return item.bytes;
}

/** What a server that came late is told before everything else: frames so far, and the time. */
export function onDemandMessage(time: bigint): Uint8Array {
  const item = new ItemWriter(16);
  item.u64(0n);
  item.u64(time);
  return item.bytes;
}

/** What follows is of `thread`, and the next time is one from zero. */
export function threadContextItem(thread: number): Uint8Array {
  const item = new ItemWriter(5);
  item.u8(type.threadContext);
  item.u32(thread);
  return item.bytes;
}

export type ZoneOptions = {
  readonly name: string;
  readonly function: string;
  readonly file: string;
  readonly line: number;
  /** Since the last time of the thread context. */
  readonly elapsed: bigint;
};

/** The place of a zone in a source, which has no address, and the zone's beginning. */
export function zoneBeginItems({ name, function: called, file, line, elapsed }: ZoneOptions): Uint8Array {
  const texts = [limited(called), Uint8Array.of(0), limited(file), Uint8Array.of(0), limited(name)];
  const length = 8 + texts.reduce((sum, text) => sum + text.length, 0);
  const item = new ItemWriter(11 + length + 9);
  item.u8(type.sourceLocationPayload);
  item.u64(0n);
  item.u16(length);
  // The colour: the server's choice.
  item.u32(0);
  item.u32(line);
  for (const text of texts) item.raw(text);
  item.u8(type.zoneBeginAllocated);
  item.i64(elapsed);
  return item.bytes;
}

export function zoneEndItem(elapsed: bigint): Uint8Array {
  const item = new ItemWriter(9);
  item.u8(type.zoneEnd);
  item.i64(elapsed);
  return item.bytes;
}

/** Says more of the newest open zone of the thread. */
export function zoneTextItems(text: string): Uint8Array {
  return withText(text, Uint8Array.of(type.zoneText));
}

/** Names the newest open zone of the thread other than its place does. */
export function zoneNameItems(name: string): Uint8Array {
  return withText(name, Uint8Array.of(type.zoneName));
}

/** Colours the newest open zone of the thread. */
export function zoneColorItem({
  red,
  green,
  blue,
}: Readonly<Record<'red' | 'green' | 'blue', number>>): Uint8Array {
  return Uint8Array.of(type.zoneColor, blue, green, red);
}

/** Something that happened in the thread: `time` is no difference. */
export function messageItems(text: string, time: bigint): Uint8Array {
  const item = new ItemWriter(9);
  item.u8(type.message);
  item.i64(time);
  return withText(text, item.bytes);
}

/** The answer to a query for a string. */
export function stringItem(kind: StringKind, pointer: bigint, text: string): Uint8Array {
  const bytes = limited(text);
  const item = new ItemWriter(11 + bytes.length);
  item.u8(type[kind]);
  item.u64(pointer);
  item.u16(bytes.length);
  item.raw(bytes);
  return item.bytes;
}

function withText(text: string, then: Uint8Array): Uint8Array {
  const bytes = limited(text);
  const item = new ItemWriter(3 + bytes.length + then.length);
  item.u8(type.singleString);
  item.u16(bytes.length);
  item.raw(bytes);
  item.raw(then);
  return item.bytes;
}

/** No zero in it, which ends a string in C, and no more than fits. */
function limited(text: string): Uint8Array {
  const bytes = encoder.encode(text.replaceAll('\0', ' '));
  if (bytes.length <= maxStringBytes) return bytes;
  return encoder.encode(decoder.decode(bytes.subarray(0, maxStringBytes)).replace(/\uFFFD+$/, ''));
}

/** Fills a structure from its beginning on. */
class ItemWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = viewOf(this.bytes);
  }

  u8(value: number): void {
    this.#view.setUint8(this.#skip(1), value);
  }

  u16(value: number): void {
    this.#view.setUint16(this.#skip(2), value, true);
  }

  u32(value: number): void {
    this.#view.setUint32(this.#skip(4), value, true);
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.#skip(8), value, true);
  }

  i64(value: bigint): void {
    this.#view.setBigInt64(this.#skip(8), value, true);
  }

  f64(value: number): void {
    this.#view.setFloat64(this.#skip(8), value, true);
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#skip(bytes.length));
  }

  /** Padded with zeroes, one at least. */
  text(text: string, size: number): void {
    this.bytes.set(encoder.encode(text).subarray(0, size - 1), this.#skip(size));
  }

  #skip(size: number): number {
    const at = this.#at;
    this.#at += size;
    return at;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
