/**
 * The canonical encoding of a directory, which is what its digest is made of and what stores and wires carry. It is the
 * protobuf message `Directory` of `snix.castore.v1`, written by hand because a hash depends on every byte:
 *
 *     Directory       directories = 1*   files = 2*   symlinks = 3*      each list in bytewise order of the names
 *     DirectoryEntry  name = 1   digest = 2   size = 3
 *     FileEntry       name = 1   digest = 2   size = 3   executable = 4
 *     SymlinkEntry    name = 1   target = 2
 *     Entry           one of: directory = 1   file = 2   symlink = 3     a node; a name only where the context has one
 *
 * Fields are in ascending order, defaults are left out, numbers are as short as possible. Reading refuses everything else,
 * so that a directory has one encoding and `encode(decode(bytes))` is `bytes`.
 */
import { BytesError, ProtobufReader, ProtobufWriter, varintLength } from '@neve/bytes';
import { B3Digest } from './b3-digest.ts';
import { CastoreError } from './castore-error.ts';
import type { Node } from './node.ts';
import { PathComponent, SymlinkTarget } from './path-component.ts';

type Entry = { readonly name: PathComponent; readonly node: Node };

const fields = { directory: 1, file: 2, symlink: 3 } as const;

/** `entries` are in order. */
export function encodeDirectory(entries: readonly Entry[]): Uint8Array {
  const writer = new ProtobufWriter(64 + entries.length * 72);
  for (const kind of ['directory', 'file', 'symlink'] as const) {
    for (const { name, node } of entries) {
      if (node.kind === kind) writeNode(writer, { field: fields[kind], name: name.bytes, node });
    }
  }
  return writer.finish();
}

/** The entries in bytewise order of their names. Throws `CastoreError` (`invalid-directory`). */
export function decodeDirectoryEntries(bytes: Uint8Array): readonly Entry[] {
  return refusing('invalid-directory', () => {
    const lists: Record<Node['kind'], Entry[]> = { directory: [], file: [], symlink: [] };
    const reader = new ProtobufReader(bytes);
    let lastField = 1;
    while (reader.next()) {
      if (reader.field < lastField) throw bad(`field ${reader.field} comes after field ${lastField}`);
      lastField = reader.field;
      const kind = kindOfField(reader.field);
      const entry = readNamedNode(kind, reader.bytes());
      const last = lists[kind].at(-1);
      const order = last === undefined ? -1 : last.name.compare(entry.name);
      if (order === 0) throw bad(`there are two entries named '${entry.name.toString()}'`);
      if (order > 0) throw bad(`the entry '${entry.name.toString()}' is out of order`);
      lists[kind].push(entry);
    }
    return mergeSorted(lists);
  });
}

/** The message `Entry` with a node and, for the root of something with a name, that name. */
export function encodeEntry(node: Node, name: Uint8Array = noBytes): Uint8Array {
  const writer = new ProtobufWriter(128);
  writeNode(writer, { field: fields[node.kind], name, node });
  return writer.finish();
}

/** Reads the message `Entry`; the name may be empty. Throws `CastoreError` (`invalid-directory`). */
export function decodeEntry(bytes: Uint8Array): { readonly name: Uint8Array; readonly node: Node } {
  return refusing('invalid-directory', () => {
    const reader = new ProtobufReader(bytes);
    if (!reader.next()) throw bad('an entry says neither directory, file nor symlink');
    const result = readNode(kindOfField(reader.field), reader.bytes());
    if (reader.next()) throw bad('an entry is more than one of directory, file and symlink');
    return result;
  });
}

const noBytes = new Uint8Array(0);

function kindOfField(field: number): Node['kind'] {
  if (field === fields.directory) return 'directory';
  if (field === fields.file) return 'file';
  if (field === fields.symlink) return 'symlink';
  throw bad(`there is an unknown field ${field}`);
}

type NamedNode = { readonly field: number; readonly name: Uint8Array; readonly node: Node };

function writeNode(writer: ProtobufWriter, { field, name, node }: NamedNode): void {
  writer.startMessage(field, encodedLength(name, node));
  writer.bytes(1, name);
  if (node.kind === 'symlink') {
    writer.bytes(2, node.target.bytes);
    return;
  }
  writer.bytes(2, node.digest.bytes);
  writer.integer(3, node.size);
  if (node.kind === 'file') writer.boolean(4, node.executable);
}

function encodedLength(name: Uint8Array, node: Node): number {
  const nameLength = lengthOfBytes(name.length);
  if (node.kind === 'symlink') return nameLength + lengthOfBytes(node.target.bytes.length);
  const size = node.size === 0 ? 0 : 1 + varintLength(node.size);
  const executable = node.kind === 'file' && node.executable ? 2 : 0;
  return nameLength + lengthOfBytes(node.digest.bytes.length) + size + executable;
}

function lengthOfBytes(length: number): number {
  return length === 0 ? 0 : 1 + varintLength(length) + length;
}

function readNamedNode(kind: Node['kind'], bytes: Uint8Array): Entry {
  const { name, node } = readNode(kind, bytes);
  return { name: new PathComponent(name), node };
}

/** The fields of one of the three entry messages, in order and without defaults. */
function readNode(kind: Node['kind'], bytes: Uint8Array): { readonly name: Uint8Array; readonly node: Node } {
  const reader = new ProtobufReader(bytes);
  let name = noBytes;
  let second = noBytes;
  let size = 0;
  let executable = false;
  let last = 0;
  while (reader.next()) {
    if (reader.field <= last) throw bad(`a field ${reader.field} of an entry is out of order or repeated`);
    last = reader.field;
    if (reader.field === 1) name = present(reader.bytes());
    else if (reader.field === 2) second = present(reader.bytes());
    else if (reader.field === 3 && kind !== 'symlink') size = nonZero(reader.integer());
    else if (reader.field === 4 && kind === 'file') executable = isTrue(reader.integer());
    else throw bad(`an entry for a ${kind} has an unknown field ${reader.field}`);
  }
  if (kind === 'symlink') return { name, node: { kind, target: new SymlinkTarget(second) } };
  const digest = new B3Digest(second);
  return { name, node: kind === 'file' ? { kind, digest, size, executable } : { kind, digest, size } };
}

function present(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) throw bad('a default is written out');
  return bytes.slice();
}

function nonZero(value: number): number {
  if (value === 0) throw bad('a default is written out');
  return value;
}

function isTrue(value: number): true {
  if (value !== 1) throw bad('a boolean is not 1');
  return true;
}

/** Three sorted lists become one; a name that is in two of them is refused by `Directory.fromSorted`. */
function mergeSorted(lists: Record<Node['kind'], Entry[]>): readonly Entry[] {
  const filled = [lists.directory, lists.file, lists.symlink].filter((list) => list.length > 0);
  const [first] = filled;
  if (first === undefined) return [];
  return filled.length === 1 ? first : filled.flat().sort((a, b) => a.name.compare(b.name));
}

function bad(problem: string): CastoreError {
  return new CastoreError('invalid-directory', `not a directory: ${problem}`);
}

/** Converts what lower layers throw about the bytes. */
function refusing<T>(code: 'invalid-directory', read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof BytesError || (cause instanceof CastoreError && cause.code !== code)) {
      throw new CastoreError(code, `not a directory: ${cause.message}`, { cause });
    }
    throw cause;
  }
}
