/**
 * The messages of a client that has a command run, without the generated code, which takes long to load: a client should
 * have ended before that. The same bytes as the schemas give (`daemon.proto`); unknown fields are skipped.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type DaemonCommand, daemonProtocol } from './daemon-service.ts';

/** What a client heeds. */
export type ClientEvent =
  | { readonly kind: 'output'; readonly file: 1 | 2; readonly bytes: Uint8Array }
  | { readonly kind: 'interruptible'; readonly isInterruptible: boolean }
  | { readonly kind: 'exit'; readonly code: number };

const delimited = WireType.LengthDelimited;

/** Without `protocol`, that of this program. */
export function encodeCommand(
  { words, directory, environment, standardInput, colour, wantsProgress }: Omit<DaemonCommand, 'name'>,
  protocol: number = daemonProtocol,
): Uint8Array {
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
    } else reader.skip(type, field);
  }
  return event;
}
