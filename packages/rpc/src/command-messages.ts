/**
 * The messages of a client that has a command run, without the generated code, which takes long to load: a client should
 * have ended before that. The same bytes as the schemas give (`daemon.proto`); unknown fields are skipped.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type DaemonCommand, type DaemonProgress, daemonProtocol, progressKinds } from './daemon-service.ts';

/** What a client heeds. */
export type ClientEvent =
  | { readonly kind: 'output'; readonly file: 1 | 2; readonly bytes: Uint8Array }
  | { readonly kind: 'interruptible'; readonly isInterruptible: boolean }
  | { readonly kind: 'progress'; readonly progress: DaemonProgress }
  | { readonly kind: 'exit'; readonly code: number };

const delimited = WireType.LengthDelimited;

/** Without `protocol`, that of this program. */
export function encodeCommand(
  command: Omit<DaemonCommand, 'name'>,
  protocol: number = daemonProtocol,
): Uint8Array {
  const { words, directory, environment, standardInput, colour, wantsProgress, showsProgress } = command;
  const writer = new BinaryWriter();
  writer.tag(1, delimited).fork();
  writer.tag(1, WireType.Varint).uint32(protocol);
  for (const word of words) writer.tag(2, delimited).string(word);
  writer.tag(3, delimited).string(directory);
  for (const [name, value] of Object.entries(environment)) {
    writer.tag(4, delimited).fork();
    writer.tag(1, delimited).string(name).tag(2, delimited).string(value).join();
  }
  if (standardInput !== undefined) writer.tag(5, delimited).bytes(standardInput);
  if (colour) writer.tag(6, WireType.Varint).bool(true);
  if (wantsProgress) writer.tag(7, WireType.Varint).bool(true);
  if (showsProgress) writer.tag(8, WireType.Varint).bool(true);
  return writer.join().finish();
}

export function encodeSignal(name: string): Uint8Array {
  const writer = new BinaryWriter();
  return writer.tag(2, delimited).fork().tag(1, delimited).string(name).join().finish();
}

/** `undefined` for what a client need not know. Throws for bytes that are no message. */
export function decodeEvent(message: Uint8Array): ClientEvent | undefined {
  const reader = new BinaryReader(message);
  let event: ClientEvent | undefined;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if ((field === 1 || field === 2) && type === delimited) {
      event = { kind: 'output', file: field, bytes: reader.bytes() };
    } else if (field === 3 && type === WireType.Varint) event = { kind: 'exit', code: reader.uint32() };
    else if (field === 4 && type === WireType.Varint) {
      event = { kind: 'interruptible', isInterruptible: reader.bool() };
    } else if (field === 5 && type === delimited) {
      const progress = decodeProgress(reader.bytes());
      event = progress && { kind: 'progress', progress };
    } else reader.skip(type, field);
  }
  return event;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** `undefined` for a kind that is not known here. Fields that were not sent are left out. */
function decodeProgress(message: Uint8Array): DaemonProgress | undefined {
  const reader = new BinaryReader(message);
  const fields: Mutable<Omit<DaemonProgress, 'kind'>> = {};
  const inputs: string[] = [];
  let kind: DaemonProgress['kind'] | undefined;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type === WireType.Varint) {
      const value = Number(reader.uint64());
      if (field === 1) kind = progressKinds[value - 1];
      else if (field === 7) fields.bytes = value;
      else if (field === 8) fields.totalBytes = value;
      else if (field === 9) fields.narSize = value;
      else if (field === 10) fields.expectedMs = value;
    } else if (type !== delimited) reader.skip(type, field);
    else if (field === 2) fields.storePath = reader.string();
    else if (field === 3) fields.detail = reader.string();
    else if (field === 4) fields.log = reader.bytes();
    else if (field === 5) inputs.push(reader.string());
    else if (field === 6) fields.derivation = reader.string();
    else reader.skip(type, field);
  }
  if (kind === undefined) return undefined;
  return { kind, ...fields, ...(inputs.length > 0 && { inputs }) };
}
