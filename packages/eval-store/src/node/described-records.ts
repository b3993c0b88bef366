/**
 * What evaluation has described, as bytes: whoever goes on from an image has a store that must hear of it.
 *
 * It is a message of Protocol Buffers, so that two of them one after the other are one. Fields of the record are as the types
 * have them; a path that was filtered says so, since all of it may have been left out.
 *
 *     1 derivation  { 1 name, 2 contents, 3 store path }
 *     2 text        { 1 name, 2 contents, 3 references…, 4 store path }
 *     3 path        { 1 path, 2 name, 3 method, 4 hash algorithm, 5 is filtered, 6 accepted paths…, 7 expected digest,
 *                     8 store path, 9 digest }
 */
import {
  type HashAlgorithm,
  ProtobufReader,
  ProtobufWriter,
  byteKey,
  bytesWireType,
  decodeUtf8,
  encodeUtf8,
} from '@neve/bytes';
import type { IngestionMethod, PathSet } from '@neve/eval';
import type { Added } from './lazy-store-io.ts';

const field = { derivation: 1, text: 2, path: 3 } as const;

export function encodeDescribed(added: Iterable<Added>): Uint8Array {
  const all = new ProtobufWriter(1 << 16);
  for (const it of added) all.message(field[it.kind], encodeRecord(it));
  return all.finish();
}

/** Texts in what is given are views of it. Throws `BytesError` for what is no such message. */
export function* decodeDescribed(bytes: Uint8Array): Iterable<Added> {
  const all = new ProtobufReader(bytes);
  while (all.next()) {
    const record = all.bytes();
    switch (all.field) {
      case field.derivation:
        yield decodeDerivation(record);
        break;
      case field.text:
        yield decodeText(record);
        break;
      case field.path:
        yield decodePath(record);
        break;
    }
  }
}

function encodeRecord(added: Added): Uint8Array {
  const writer = new ProtobufWriter(added.kind === 'path' ? 256 : added.request.contents.length + 512);
  switch (added.kind) {
    case 'derivation': {
      const { name, contents, storePath } = added.request;
      writer.bytes(1, encodeUtf8(name));
      writer.bytes(2, contents);
      writer.bytes(3, encodeUtf8(storePath));
      break;
    }
    case 'text': {
      const { name, contents, references } = added.request;
      writer.bytes(1, encodeUtf8(name));
      writer.bytes(2, contents);
      for (const it of references) writer.message(3, encodeUtf8(it));
      writer.bytes(4, encodeUtf8(added.storePath));
      break;
    }
    case 'path':
      writePath(writer, added);
      break;
  }
  return writer.finish();
}

function writePath(writer: ProtobufWriter, { request, added }: Extract<Added, { kind: 'path' }>): void {
  const { path, name, method, hashAlgorithm, accepted, expected } = request;
  writer.bytes(1, path);
  writer.bytes(2, encodeUtf8(name));
  writer.bytes(3, encodeUtf8(method));
  writer.bytes(4, encodeUtf8(hashAlgorithm));
  writer.boolean(5, accepted !== undefined);
  for (const it of accepted?.paths?.() ?? []) writer.message(6, it);
  if (expected !== undefined) writer.message(7, expected);
  writer.bytes(8, encodeUtf8(added.storePath));
  writer.bytes(9, added.digest);
}

function decodeDerivation(record: Uint8Array): Added {
  const [name, contents, storePath] = fieldsOf(record);
  const request = { name: text(name), contents: bytesOf(contents), storePath: text(storePath) };
  return { kind: 'derivation', request };
}

function decodeText(record: Uint8Array): Added {
  const [name, contents, references = [], storePath] = fieldsOf(record);
  const request = { name: text(name), contents: bytesOf(contents), references: references.map(decodeUtf8) };
  return { kind: 'text', request, storePath: text(storePath) };
}

function decodePath(record: Uint8Array): Added {
  const [path, name, method, algorithm, isFiltered, accepted = [], expected, storePath, digest] =
    fieldsOf(record);
  return {
    kind: 'path',
    request: {
      path: bytesOf(path),
      name: text(name),
      method: text(method) as IngestionMethod,
      hashAlgorithm: text(algorithm) as HashAlgorithm,
      accepted: isFiltered === undefined ? undefined : new KeptPaths(accepted),
      expected: expected?.[0],
    },
    added: { storePath: text(storePath), digest: bytesOf(digest) },
  };
}

/** The values of each field, that of 1 first. Of a number is known only that it is there. */
function fieldsOf(record: Uint8Array): (readonly Uint8Array[] | undefined)[] {
  const reader = new ProtobufReader(record);
  const fields: Uint8Array[][] = [];
  while (reader.next()) {
    const values = (fields[reader.field - 1] ??= []);
    values.push(reader.wireType === bytesWireType ? reader.bytes() : Uint8Array.of(reader.integer()));
  }
  return fields;
}

function bytesOf(values: readonly Uint8Array[] = []): Uint8Array {
  return values[0] ?? new Uint8Array();
}

function text(values: readonly Uint8Array[] | undefined): string {
  return decodeUtf8(bytesOf(values));
}

class KeptPaths implements PathSet {
  readonly #paths: readonly Uint8Array[];
  readonly #keys: ReadonlySet<string>;

  constructor(paths: readonly Uint8Array[]) {
    this.#paths = paths;
    this.#keys = new Set(paths.map(byteKey));
  }

  has(relativePath: Uint8Array): boolean {
    return this.#keys.has(byteKey(relativePath));
  }

  paths(): Iterable<Uint8Array> {
    return this.#paths;
  }
}
