/**
 * The vectors were made with `protoc --encode` (libprotoc 3.21.12) from the schema below and hashed with `b3sum` 1.2.0. The
 * property compares with protobuf-es, given the same schema.
 */
import { create, createFileRegistry, toBinary, type DescMessage } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { concatBytes, decodeHex, encodeHex, encodeUtf8 } from '@neve/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { B3Digest } from './b3-digest.ts';
import { CastoreError } from './castore-error.ts';
import { Directory, emptyDirectory, type DirectoryEntry } from './directory.ts';
import { decodeEntry, encodeEntry } from './directory-encoding.ts';
import { equalNodes, type Node } from './node.ts';
import { PathComponent, pathComponent, SymlinkTarget, symlinkTarget } from './path-component.ts';

const emptyBlob = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262';
const helloBlob = '5ca7815adcb484e9a136c11efe69c1d530176d549b5d18d038eb5280b4b3470c';
const keepDigest = '8b5b5d642b646bb8ed504b0862c39413e87e57491497de7bd075953f7b83810e';
const keepEncoding = `12290a052e6b6565701220${emptyBlob}`;

function digest(hex: string): B3Digest {
  return new B3Digest(decodeHex(hex));
}

function file(hex: string, size: number, executable = false): Node {
  return { kind: 'file', digest: digest(hex), size, executable };
}

function named(name: string | Uint8Array, node: Node): DirectoryEntry {
  return { name: typeof name === 'string' ? pathComponent(name) : new PathComponent(name), node };
}

function complicated(size: number): Directory {
  return Directory.of([
    named('keep', { kind: 'directory', digest: digest(keepDigest), size }),
    named('.keep', file(emptyBlob, 0)),
    named('aa', { kind: 'symlink', target: symlinkTarget('/nix/store/somewhereelse') }),
  ]);
}

function complicatedEncoding(size: string): string {
  return (
    `0a2a0a046b6565701220${keepDigest}18${size}12290a052e6b6565701220${emptyBlob}` +
    '1a1e0a02616112182f6e69782f73746f72652f736f6d657768657265656c7365'
  );
}

describe('directories as protoc and b3sum have them', () => {
  const cases: readonly (readonly [string, Directory, string, string])[] = [
    ['empty', emptyDirectory, '', emptyBlob],
    ['one empty file', Directory.of([named('.keep', file(emptyBlob, 0))]), keepEncoding, keepDigest],
    [
      'all kinds',
      complicated(2),
      complicatedEncoding('02'),
      '424a7f6ce08d805d15b428062faae96299a1675d708c3a39261afe38cdd04feb',
    ],
    [
      'all kinds, with the size of the schema',
      complicated(1),
      complicatedEncoding('01'),
      '3f951a15afd586fb3121ef4d13d582e811ce0e5a7f21c0497fd87490e9e2355a',
    ],
    [
      'names that are not text, an executable file, a large size',
      Directory.of([
        named(Uint8Array.of(0xff), file(helloBlob, Number.MAX_SAFE_INTEGER)),
        named(Uint8Array.of(0x80, 0xff), file(helloBlob, 12, true)),
      ]),
      `122a0a0280ff1220${helloBlob}180c2001122e0a01ff1220${helloBlob}18ffffffffffffff0f`,
      'fa96d2a68d6c0e350d2b148bbd309d08ff183f2b9727e312ad92c43fd2a6326f',
    ],
  ];
  test.each(cases)('%s', (_, directory, encoding, hash) => {
    expect(encodeHex(directory.encoded)).toBe(encoding);
    expect(directory.digest.hex).toBe(hash);
    const decoded = Directory.decode(decodeHex(encoding));
    expectEqual(decoded, directory);
    expect(decoded.digest.hex).toBe(hash);
  });

  test('sizes count every entry twice, as Snix does, and once, as the schema says', () => {
    expect([complicated(2).size, complicated(1).plainSize]).toEqual([8, 4]);
    expect([8, 5].map((size) => complicated(2).hasSize(size))).toEqual([true, true]);
    expect([4, 3, 9].map((size) => complicated(2).hasSize(size))).toEqual([false, false, false]);
  });
});

test.each<readonly [Node, string, string]>([
  [{ kind: 'directory', digest: digest(keepDigest), size: 2 }, '', `0a241220${keepDigest}1802`],
  [file(emptyBlob, 0, true), '', `12241220${emptyBlob}2001`],
  [{ kind: 'symlink', target: symlinkTarget('..') }, 'aa', '1a080a02616112022e2e'],
])('an entry as protoc has it: %#', (node, name, encoding) => {
  expect(encodeHex(encodeEntry(node, encodeUtf8(name)))).toBe(encoding);
  const decoded = decodeEntry(decodeHex(encoding));
  expect(decoded.name).toEqual(encodeUtf8(name));
  expect(equalNodes(decoded.node, node)).toBe(true);
});

// protobuf-es

const optional = Label.OPTIONAL;
const digestAndSize = [
  { name: 'name', number: 1, type: Type.BYTES, label: optional },
  { name: 'digest', number: 2, type: Type.BYTES, label: optional },
  { name: 'size', number: 3, type: Type.UINT64, label: optional },
];
const schema = create(FileDescriptorSetSchema, {
  file: [
    {
      name: 'castore.proto',
      package: 'test',
      syntax: 'proto3',
      messageType: [
        {
          name: 'Directory',
          field: [
            ['directories', 1, 'DirectoryEntry'] as const,
            ['files', 2, 'FileEntry'] as const,
            ['symlinks', 3, 'SymlinkEntry'] as const,
          ].map(([name, number, message]) => ({
            name,
            number,
            type: Type.MESSAGE,
            typeName: `.test.${message}`,
            label: Label.REPEATED,
          })),
        },
        { name: 'DirectoryEntry', field: digestAndSize },
        {
          name: 'FileEntry',
          field: [...digestAndSize, { name: 'executable', number: 4, type: Type.BOOL, label: optional }],
        },
        {
          name: 'SymlinkEntry',
          field: [
            { name: 'name', number: 1, type: Type.BYTES, label: optional },
            { name: 'target', number: 2, type: Type.BYTES, label: optional },
          ],
        },
      ],
    },
  ],
});
const registry = createFileRegistry(schema);

function messageType(name: string): DescMessage {
  const type = registry.getMessage(`test.${name}`);
  if (type === undefined) throw new Error(`the schema has no ${name}`);
  return type;
}

function encodedByProtobufEs({ entries }: Directory): Uint8Array {
  const list = (kind: Node['kind'], message: string) =>
    entries
      .filter(({ node }) => node.kind === kind)
      .map(({ name, node }) =>
        create(messageType(message), {
          name: name.bytes,
          ...(node.kind === 'symlink'
            ? { target: node.target.bytes }
            : { digest: node.digest.bytes, size: BigInt(node.size) }),
          ...(node.kind === 'file' ? { executable: node.executable } : {}),
        }),
      );
  const message = {
    directories: list('directory', 'DirectoryEntry'),
    files: list('file', 'FileEntry'),
    symlinks: list('symlink', 'SymlinkEntry'),
  };
  return toBinary(messageType('Directory'), create(messageType('Directory'), message));
}

const isName = (bytes: Uint8Array): boolean =>
  !bytes.includes(0) && !bytes.includes(0x2f) && !/^\.\.?$/.test(String.fromCharCode(...bytes));
const names = fc
  .oneof(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.uint8Array({ minLength: 1, maxLength: 255 }))
  .filter(isName)
  .map((bytes) => new PathComponent(bytes));
const digests = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new B3Digest(bytes));
const targets = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .filter((bytes) => !bytes.includes(0))
  .map((bytes) => new SymlinkTarget(bytes));
const nodes: fc.Arbitrary<Node> = fc.oneof(
  // 20 of them stay below 2^53.
  fc.record({ kind: fc.constant('directory' as const), digest: digests, size: fc.nat({ max: 2 ** 48 }) }),
  fc.record({
    kind: fc.constant('file' as const),
    digest: digests,
    size: fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat()),
    executable: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('symlink' as const), target: targets }),
);
const directories = fc
  .uniqueArray(fc.record({ name: names, node: nodes }), {
    maxLength: 20,
    selector: ({ name }) => encodeHex(name.bytes),
  })
  .map((entries) => Directory.of(entries));

test('any directory is encoded as protobuf-es does, and decoded again', () => {
  fc.assert(
    fc.property(directories, (directory) => {
      expect(encodeHex(directory.encoded)).toBe(encodeHex(encodedByProtobufEs(directory)));
      const decoded = Directory.decode(directory.encoded);
      expectEqual(decoded, directory);
      // Not the kept bytes, but those of the entries.
      expect(encodeHex(Directory.of(decoded.entries).encoded)).toBe(encodeHex(directory.encoded));
    }),
  );
});

test('changing any byte gives a refusal or another directory with one encoding', () => {
  fc.assert(
    fc.property(directories, fc.nat(), fc.integer({ min: 1, max: 255 }), (directory, where, change) => {
      if (directory.encoded.length === 0) return;
      const bytes = directory.encoded.slice();
      const index = where % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ change;
      try {
        expect(encodeHex(Directory.of(Directory.decode(bytes).entries).encoded)).toBe(encodeHex(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(CastoreError);
      }
    }),
  );
});

// What is refused

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
  }
  return Uint8Array.from(bytes);
}

function bytesField(number: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const value = concatBytes(contents);
  return concatBytes([varint(number * 8 + 2), varint(value.length), value]);
}

function integerField(number: number, value: number): Uint8Array {
  return concatBytes([varint(number * 8), varint(value)]);
}

const nameField = (name: string): Uint8Array => bytesField(1, encodeUtf8(name));
const digestField = bytesField(2, new Uint8Array(32));
const target = bytesField(2, encodeUtf8('x'));
const directoryEntry = (name: string, size = 2): Uint8Array =>
  bytesField(1, nameField(name), digestField, integerField(3, size));
const fileEntry = (name: string): Uint8Array => bytesField(2, nameField(name), digestField);
const linkEntry = (name: string): Uint8Array => bytesField(3, nameField(name), target);

describe('not a directory', () => {
  test('what the cases below are made of is one', () => {
    const bytes = concatBytes([directoryEntry('b'), directoryEntry('c'), fileEntry('a'), linkEntry('d')]);
    expect(Directory.decode(bytes).entries.map(({ name }) => String(name))).toEqual(['a', 'b', 'c', 'd']);
  });

  const long = 'n'.repeat(256);
  const cases: Readonly<Record<string, readonly Uint8Array[]>> = {
    'directories out of order': [directoryEntry('b'), directoryEntry('a')],
    'files out of order': [fileEntry('b'), fileEntry('a')],
    'symlinks out of order': [linkEntry('b'), linkEntry('a')],
    'the order of UTF-16 instead of bytes': [fileEntry('\u{10000}'), fileEntry('\uffff')],
    'a directory twice': [directoryEntry('a'), directoryEntry('a')],
    'a file twice': [fileEntry('a'), fileEntry('a')],
    'a symlink twice': [linkEntry('a'), linkEntry('a')],
    'a directory and a file of one name': [directoryEntry('a'), fileEntry('a')],
    'a file and a symlink of one name': [fileEntry('a'), linkEntry('a')],
    'a directory and a symlink of one name': [directoryEntry('a'), fileEntry('b'), linkEntry('a')],
    'lists out of order': [fileEntry('a'), directoryEntry('b')],
    'an unknown field': [fileEntry('a'), bytesField(4, encodeUtf8('x'))],
    'an unknown number': [fileEntry('a'), integerField(4, 1)],
    'a field of the wrong type': [integerField(1, 1)],
    'field 0': [Uint8Array.of(0x02, 0x00)],
    'a group': [Uint8Array.of(0x0b, 0x0c)],
    'an unknown field in a directory': [
      bytesField(1, nameField('a'), digestField, integerField(3, 2), integerField(4, 1)),
    ],
    'an unknown field in a file': [bytesField(2, nameField('a'), digestField, integerField(5, 1))],
    'an unknown field in a symlink': [bytesField(3, nameField('a'), target, integerField(3, 1))],
    'a size of 0 written out': [bytesField(2, nameField('a'), digestField, integerField(3, 0))],
    'not executable written out': [bytesField(2, nameField('a'), digestField, integerField(4, 0))],
    'executable as 2': [bytesField(2, nameField('a'), digestField, integerField(4, 2))],
    'an empty digest written out': [bytesField(2, nameField('a'), bytesField(2))],
    'an empty name written out': [bytesField(2, bytesField(1), digestField)],
    'fields out of order': [bytesField(2, digestField, nameField('a'))],
    'a field twice': [bytesField(2, nameField('a'), nameField('b'), digestField)],
    'a number in more bytes than it needs': [
      bytesField(2, nameField('a'), digestField, Uint8Array.of(0x18, 0x81, 0x00)),
    ],
    'a length in more bytes than it needs': [Uint8Array.of(0x12, 0x80, 0x00)],
    'a key in more bytes than it needs': [Uint8Array.of(0x92, 0x00, 0x00)],
    'a number of 11 bytes': [
      bytesField(2, nameField('a'), digestField, Uint8Array.of(0x18), new Uint8Array(10).fill(0x80)),
    ],
    'no digest': [bytesField(2, nameField('a'))],
    'a digest of 31 bytes': [bytesField(2, nameField('a'), bytesField(2, new Uint8Array(31)))],
    'a digest of 33 bytes': [bytesField(1, nameField('a'), bytesField(2, new Uint8Array(33)))],
    'no name': [bytesField(2, digestField)],
    'the name .': [fileEntry('.')],
    'the name ..': [directoryEntry('..')],
    'a name with a slash': [linkEntry('a/b')],
    'a name with NUL': [fileEntry('a\0')],
    'a name of 256 bytes': [fileEntry(long)],
    'a symlink without a target': [bytesField(3, nameField('a'))],
    'a target with NUL': [bytesField(3, nameField('a'), bytesField(2, Uint8Array.of(0)))],
    'a target of 4096 bytes': [bytesField(3, nameField('a'), bytesField(2, new Uint8Array(4096).fill(0x78)))],
    'a size above 2^53 - 1': [directoryEntry('a', 2 ** 53)],
    'sizes that are too large together': [directoryEntry('a', 2 ** 52), directoryEntry('b', 2 ** 52)],
    'an entry that is cut off': [fileEntry('a').subarray(0, -1)],
    'a digest that is cut off': [bytesField(2, nameField('a'), digestField.subarray(0, -1))],
    'nothing but zeros': [new Uint8Array(4)],
  };
  test.each(Object.entries(cases))('%s', (_, parts) => {
    expectRefused(() => Directory.decode(concatBytes(parts)));
  });

  test('an entry is exactly one thing', () => {
    expectRefused(() => decodeEntry(new Uint8Array(0)));
    expectRefused(() => decodeEntry(concatBytes([fileEntry('a'), fileEntry('a')])));
    expectRefused(() => decodeEntry(bytesField(4, nameField('a'))));
  });

  test('names out of order and twice are refused by the constructor', () => {
    const a = named('a', file(emptyBlob, 0));
    const b = named('b', file(emptyBlob, 0));
    expectRefused(() => Directory.fromSorted([b, a]));
    expectRefused(() => Directory.of([a, b, a]));
  });
});

function expectRefused(act: () => unknown): void {
  expect(act).toThrow(expect.objectContaining({ name: 'CastoreError', code: 'invalid-directory' }));
}

function expectEqual(actual: Directory, expected: Directory): void {
  expect(actual.entries.map(({ name }) => name.bytes)).toEqual(
    expected.entries.map(({ name }) => name.bytes),
  );
  for (const [index, { node }] of actual.entries.entries()) {
    expect(equalNodes(node, expected.entries[index]?.node ?? node)).toBe(true);
  }
  expect(actual.size).toBe(expected.size);
}
