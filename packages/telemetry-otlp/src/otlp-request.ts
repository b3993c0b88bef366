/**
 * What the requests of all three signals have in common (opentelemetry-proto 1.x: common.proto, resource.proto, and the messages
 * `Export…ServiceRequest` and `Export…ServiceResponse` of the collector):
 *
 *     request  = 1: { 1: resource, 2: { 1: scope, 2: item … } }
 *     resource = { 1: attribute … }          scope = { 1: name, 2: version }
 *     answer   = 1: { 1: how many were refused, 2: why }
 */
import { ProtobufReader } from '@neve/bytes';
import type { AttributeValue, Attributes } from '@neve/telemetry';
import { MessageWriter } from './message-writer.ts';

/** Who sends: the attributes of the process, and the version of what measures. */
export type Sender = { readonly resource: Attributes; readonly version: string };

/** A request with `items`, each of which is a message that `write` fills. */
export function encodeRequest<T>(
  { resource, version }: Sender,
  items: readonly T[],
  write: (writer: MessageWriter, item: T) => void,
): Uint8Array {
  const writer = new MessageWriter(4096 + items.length * 256);
  const resourceItems = writer.begin(1);
  const attributes = writer.begin(1);
  writeAttributes(writer, 1, resource);
  writer.end(attributes);
  const scopeItems = writer.begin(2);
  const scope = writer.begin(1);
  writer.text(1, 'neve');
  writer.text(2, version);
  writer.end(scope);
  for (const item of items) {
    const mark = writer.begin(2);
    write(writer, item);
    writer.end(mark);
  }
  writer.end(scopeItems);
  writer.end(resourceItems);
  return writer.finish();
}

/** Those that are undefined are left out. */
// oxlint-disable-next-line eslint/max-params -- where to, and what
export function writeAttributes(writer: MessageWriter, field: number, attributes: Attributes): void {
  for (const name in attributes) {
    const value = attributes[name];
    if (value === undefined) continue;
    const attribute = writer.begin(field);
    writer.name(1, name);
    const mark = writer.begin(2);
    writeAnyValue(writer, value);
    writer.end(mark);
    writer.end(attribute);
  }
}

/** The fields of an `AnyValue`. */
export function writeAnyValue(writer: MessageWriter, value: AttributeValue): void {
  switch (typeof value) {
    case 'string':
      writer.text(1, value);
      return;
    case 'boolean':
      writer.integer(2, value ? 1 : 0);
      return;
    case 'number':
      if (Number.isSafeInteger(value)) writer.integer(3, value);
      else writer.double(4, value);
      return;
    default: {
      const list = writer.begin(5);
      for (const text of value) {
        const item = writer.begin(1);
        writer.text(1, text);
        writer.end(item);
      }
      writer.end(list);
    }
  }
}

/** What a collector says that it has not taken of a request. Undefined where it has taken all, or where nobody can say. */
export function refusedItems(answer: Uint8Array): string | undefined {
  try {
    let count = 0;
    let why = '';
    for (const part = new ProtobufReader(answer); part.next();) {
      if (part.field !== 1) return undefined;
      for (const field = new ProtobufReader(part.bytes()); field.next();) {
        if (field.field === 1) count = field.integer();
        else if (field.field === 2) why = new TextDecoder().decode(field.bytes());
        else return undefined;
      }
    }
    return count === 0 ? undefined : `the collector has refused ${count} items: ${why}`;
  } catch {
    return undefined;
  }
}
