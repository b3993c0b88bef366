// The schema is built here and given to @bufbuild/protobuf, which is the other implementation.
import fc from 'fast-check';
import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import {
  Digest,
  concatBytes,
  decodeHex,
  decodeNixBase32,
  digestLengths,
  encodeHex,
  encodeNixBase32,
  encodeUtf8,
} from '@neve/bytes';
import { B3Digest, SymlinkTarget } from '@neve/castore';
import type { Node } from '@neve/castore';
import { StorePath, storePathSet } from '@neve/nix-compat';
import { decodePathInfo, encodePathInfo } from './index.ts';
import type { PathInfo } from './index.ts';
import { sampleNodes, samplePath, samplePathInfo, sampleSignature } from './testing/index.ts';

// facts of the schema, `<name>: <type>` by number

const messages: Record<string, Record<string, [number, Type | string, 'repeated'?]>> = {
  DirectoryEntry: { name: [1, Type.BYTES], digest: [2, Type.BYTES], size: [3, Type.UINT64] },
  FileEntry: {
    name: [1, Type.BYTES],
    digest: [2, Type.BYTES],
    size: [3, Type.UINT64],
    executable: [4, Type.BOOL],
  },
  SymlinkEntry: { name: [1, Type.BYTES], target: [2, Type.BYTES] },
  Entry: { directory: [1, 'DirectoryEntry'], file: [2, 'FileEntry'], symlink: [3, 'SymlinkEntry'] },
  PathInfo: { entry: [1, 'Entry'], references: [2, Type.BYTES, 'repeated'], narinfo: [3, 'NARInfo'] },
  StorePath: { name: [1, Type.STRING], digest: [2, Type.BYTES] },
  Signature: { name: [1, Type.STRING], data: [2, Type.BYTES] },
  CA: { type: [1, Type.INT32], digest: [2, Type.BYTES] },
  NARInfo: {
    nar_size: [1, Type.UINT64],
    nar_sha256: [2, Type.BYTES],
    signatures: [3, 'Signature', 'repeated'],
    reference_names: [4, Type.STRING, 'repeated'],
    deriver: [5, 'StorePath'],
    ca: [6, 'CA'],
  },
};

const types = [
  'nar-sha256',
  'nar-sha1',
  'nar-sha512',
  'nar-md5',
  'text-sha256',
  'flat-sha1',
  'flat-md5',
  'flat-sha256',
  'flat-sha512',
];

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: 'schema.proto',
        syntax: 'proto3',
        messageType: Object.entries(messages).map(([name, fields]) => ({
          name,
          field: Object.entries(fields).map(([field, [number, type, repeated]]) => ({
            name: field,
            number,
            label: repeated === undefined ? Label.OPTIONAL : Label.REPEATED,
            type: typeof type === 'string' ? Type.MESSAGE : type,
            typeName: typeof type === 'string' ? `.${type}` : '',
          })),
        })),
      },
    ],
  }),
);

function message(name: string): DescMessage {
  return registry.getMessage(name) as DescMessage;
}

/** What another implementation writes for a path info. */
function encodeByLibrary({ storePath, node, ...info }: PathInfo): Uint8Array {
  const name = encodeUtf8(storePath.baseName);
  const entry = {
    directory: () => ({ directory: { name, digest: digestOf(node), size: sizeOf(node) } }),
    file: () => ({
      file: { name, digest: digestOf(node), size: sizeOf(node), executable: isExecutable(node) },
    }),
    symlink: () => ({ symlink: { name, target: node.kind === 'symlink' ? node.target.bytes : undefined } }),
  }[node.kind]();
  const { deriver, contentAddress } = info;
  const narinfo = {
    narSize: BigInt(info.narSize),
    narSha256: info.narHash.bytes,
    signatures: info.signatures.map(({ keyName, bytes }) => ({ name: keyName, data: bytes })),
    referenceNames: info.references.map(({ baseName }) => baseName),
    ...(deriver && {
      deriver: { name: deriver.name.replace(/\.drv$/, ''), digest: decodeNixBase32(deriver.hashPart) },
    }),
    ...(contentAddress && {
      ca: {
        type: types.indexOf(`${contentAddress.method}-${contentAddress.digest.algorithm}`),
        digest: contentAddress.digest.bytes,
      },
    }),
  };
  const references = info.references.map(({ hashPart }) => decodeNixBase32(hashPart));
  return toBinary(message('PathInfo'), create(message('PathInfo'), { entry, references, narinfo } as never));
}

const digestOf = (node: Node): Uint8Array | undefined =>
  node.kind === 'symlink' ? undefined : node.digest.bytes;
const sizeOf = (node: Node): bigint => BigInt(node.kind === 'symlink' ? 0 : node.size);
const isExecutable = (node: Node): boolean => node.kind === 'file' && node.executable;

// random path infos

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const name = fc.stringMatching(/^[a-zA-Z0-9+_?=-][a-zA-Z0-9+._?=-]{0,60}$/);
const path = (suffix = ''): fc.Arbitrary<StorePath> =>
  fc.tuple(bytes(20), name).map(([digest, it]) => new StorePath(encodeNixBase32(digest), it + suffix));
const size = fc.oneof(fc.maxSafeNat(), fc.nat(300));
const digest = bytes(32).map((it) => new B3Digest(it));
const node: fc.Arbitrary<Node> = fc.oneof(
  fc.record({ kind: fc.constant('directory' as const), digest, size }),
  fc.record({ kind: fc.constant('file' as const), digest, size, executable: fc.boolean() }),
  fc
    .uint8Array({ minLength: 1, maxLength: 300 })
    .map((it) => ({ kind: 'symlink' as const, target: new SymlinkTarget(it.map((byte) => byte || 1)) })),
);
const contentAddress = fc.constantFrom(...types).chain((type) => {
  const [method, algorithm] = type.split('-') as [
    'nar' | 'text' | 'flat',
    'md5' | 'sha1' | 'sha256' | 'sha512',
  ];
  return bytes(digestLengths[algorithm]).map((it) => ({ method, digest: new Digest(algorithm, it) }));
});
const pathInfo: fc.Arbitrary<PathInfo> = fc.record({
  storePath: path(),
  node,
  references: fc.array(path(), { maxLength: 6 }).map(storePathSet),
  narSize: size,
  narHash: bytes(32).map((it) => new Digest('sha256', it)),
  signatures: fc.array(fc.record({ keyName: fc.stringMatching(/^[^:\s]{1,20}$/), bytes: bytes(64) }), {
    maxLength: 4,
  }),
  deriver: fc.option(path('.drv'), { nil: undefined }),
  contentAddress: fc.option(contentAddress, { nil: undefined }),
});

test('what is written is what another implementation writes, and is read again', () => {
  fc.assert(
    fc.property(pathInfo, (it) => {
      const encoded = encodePathInfo(it);
      expect(encodeHex(encoded)).toBe(encodeHex(encodeByLibrary(it)));
      expect(decodePathInfo(encoded)).toEqual(it);
    }),
  );
});

test('reading random bytes throws the error of this package or gives a path info', () => {
  fc.assert(
    fc.property(pathInfo, fc.nat(), fc.nat(255), (it, position, byte) => {
      const encoded = encodePathInfo(it);
      encoded[position % encoded.length] = byte;
      try {
        encodePathInfo(decodePathInfo(encoded));
      } catch (error) {
        expect(error).toMatchObject({ name: 'StoreError', code: 'invalid-path-info' });
      }
    }),
  );
});

test('the result does not share memory with the message', () => {
  const encoded = Buffer.from(encodePathInfo(samplePathInfo('a')));
  const decoded = decodePathInfo(encoded);
  encoded.fill(0);
  expect(decoded).toEqual(samplePathInfo('a'));
});

// What other implementations may send: edits of the message as another implementation sees it.

type Fields = Record<string, never> & {
  entry: { directory: { name: Uint8Array; digest: Uint8Array } };
  references: Uint8Array[];
  narinfo: {
    narSha256: Uint8Array;
    referenceNames: string[];
    signatures: [{ name: string; data: Uint8Array }];
    deriver: { name: string; digest: Uint8Array };
    ca: { type: number; digest: Uint8Array };
  };
};

const whole = samplePathInfo('whole', {
  references: storePathSet([samplePath('a'), samplePath('b')]),
  contentAddress: { method: 'nar', digest: samplePathInfo('x').narHash },
});

function edited(edit: (fields: Fields) => void): Uint8Array {
  const fields = fromBinary(message('PathInfo'), encodePathInfo(whole)) as never as Fields;
  edit(fields);
  return toBinary(message('PathInfo'), fields as never);
}

describe('refused', () => {
  test.each<[string, RegExp, (fields: Fields) => void]>([
    [
      'a reference that is too short',
      /reference 1 has 19 bytes/,
      (it) => (it.references[1] = new Uint8Array(19)),
    ],
    ['no entry', /no entry/, (it) => (it.entry = undefined as never)],
    [
      'no node in the entry',
      /neither directory, file nor symlink/,
      (it) => (it.entry = create(message('Entry')) as never),
    ],
    ['a bad digest in the node', /3 bytes/, (it) => (it.entry.directory.digest = new Uint8Array(3))],
    ['a name that is no store path', /too short/, (it) => (it.entry.directory.name = encodeUtf8('hello'))],
    ['no name', /too short/, (it) => (it.entry.directory.name = new Uint8Array())],
    ['a name that is not UTF-8', /not UTF-8/, (it) => (it.entry.directory.name = Uint8Array.of(0xff))],
    ['a NAR hash that is too long', /33 bytes/, (it) => (it.narinfo.narSha256 = new Uint8Array(33))],
    ['fewer names than references', /2 references and 1 names/, (it) => it.narinfo.referenceNames.pop()],
    ['a name of a reference that is none', /reference 0: 'x'/, (it) => (it.narinfo.referenceNames[0] = 'x')],
    [
      'a name of a reference with another hash',
      /reference 1, .* has another hash/,
      (it) => (it.narinfo.referenceNames[1] = samplePath('c').baseName),
    ],
    ['a deriver without a name', /its deriver/, (it) => (it.narinfo.deriver.name = 'a b')],
    [
      'a deriver with a short hash',
      /hash of its deriver has 3/,
      (it) => (it.narinfo.deriver.digest = new Uint8Array(3)),
    ],
    ['no narinfo', /no narinfo/, (it) => (it.narinfo = undefined as never)],
    ['an unknown content address', /unknown type 9/, (it) => (it.narinfo.ca.type = 9)],
    [
      'a content address of the wrong length',
      /20 bytes are not a sha256/,
      (it) => (it.narinfo.ca.digest = new Uint8Array(20)),
    ],
    [
      'a short signature',
      /signature 0 has 63 bytes/,
      (it) => (it.narinfo.signatures[0].data = new Uint8Array(63)),
    ],
    [
      'a key name with a line feed',
      /signature 0 is by a key/,
      (it) => (it.narinfo.signatures[0].name = 'a\nSig'),
    ],
  ])('%s', (_, expected, edit) => {
    expect(() => decodePathInfo(edited(edit))).toThrow(expected);
    expect(() => decodePathInfo(edited(edit))).toThrow(
      expect.objectContaining({ code: 'invalid-path-info' }),
    );
  });
});

describe('accepted', () => {
  test('references in any order', () => {
    const reversed = edited((it) => {
      it.references.reverse();
      it.narinfo.referenceNames.reverse();
    });
    expect(decodePathInfo(reversed)).toEqual(whole);
  });

  test('fields in any order, and unknown ones', () => {
    // Field 15 with the number 1, field 14 with two bytes.
    const unknown = decodeHex('78017202aabb');
    const encoded = encodePathInfo(whole);
    expect(decodePathInfo(concatBytes([unknown, encoded]))).toEqual(whole);
    // The last of several entries counts; here it comes after everything else.
    const entry = concatBytes([Uint8Array.of(0x0a), encoded.subarray(1, 2 + (encoded[1] as number))]);
    expect(decodePathInfo(concatBytes([encoded, entry]))).toEqual(whole);
  });
});

describe('cannot be written', () => {
  test.each<[string, Partial<PathInfo>, string]>([
    [
      'a git object',
      { contentAddress: { method: 'git', digest: samplePathInfo('x').narHash } },
      'unsupported',
    ],
    [
      'a NAR hash that is no SHA-256',
      { narHash: new Digest('sha1', new Uint8Array(20)) },
      'invalid-path-info',
    ],
    ['a deriver that is no derivation', { deriver: samplePath('hello') }, 'invalid-path-info'],
  ])('%s', (_, changes, code) => {
    expect(() => encodePathInfo(samplePathInfo('a', changes))).toThrow(expect.objectContaining({ code }));
  });
});

test('every node and signature of the samples', () => {
  for (const it of sampleNodes()) {
    const sample = samplePathInfo('sample', { node: it, signatures: [sampleSignature('ä-1')] });
    expect(decodePathInfo(encodePathInfo(sample))).toEqual(sample);
  }
});
