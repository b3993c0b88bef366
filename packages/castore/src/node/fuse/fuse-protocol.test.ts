/**
 * The layouts, against bytes which a C program made of the structures and constants of `linux/fuse.h` (7.38).
 */
import { decodeHex, encodeHex, encodeUtf8 } from '@neve/bytes';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CastoreError } from '../../castore-error.ts';
import {
  DirentBuffer,
  decodeRequest,
  encodeAttributes,
  encodeEntry,
  encodeInit,
  encodeNoEntry,
  encodeOpen,
  encodeStatfs,
  encodeXattrSize,
  initFlags,
  openFlags,
  writeReplyHeader,
} from './fuse-protocol.ts';
import type { FuseOperation } from './fuse-protocol.ts';

const unique = 0x1122334450;
const forever = 0xffffffff;

const golden = {
  lookup: '2e0000000100000050443322110000000500000000000000e803000064000000921000000000000068656c6c6f00',
  read: '500000000f00000050443322110000000600000000000000e803000064000000921000000000000007000000000000000060452301000000000002000200000063000000000000000000000000000000',
  readdirplus:
    '500000002c00000050443322110000000100000000000000e803000064000000921000000000000007000000000000000300000000000000001000000200000063000000000000000000000000000000',
  readdir:
    '500000001c00000050443322110000000100000000000000e803000064000000921000000000000007000000000000000300000000000000001000000200000063000000000000000000000000000000',
  init: '680000001a00000050443322110000000000000000000000e8030000640000009210000000000000070000002d00000000000200fbffff73030000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',
  getxattr:
    '3c0000001600000050443322110000000900000000000000e8030000640000009210000000000000c800000000000000757365722e6e6576652e7800',
  listxattr:
    '300000001700000050443322110000000900000000000000e8030000640000009210000000000000c800000000000000',
  forget: '300000000200000050443322110000000900000000000000e80300006400000092100000000000000300000000000000',
  batchForget:
    '500000002a00000050443322110000000000000000000000e803000064000000921000000000000002000000000000000a00000000000000010000000000000000000000010000000700000000000000',
  interrupt:
    '300000002400000050443322110000000000000000000000e80300006400000092100000000000004844332211000000',
  access: '300000002200000050443322110000000200000000000000e80300006400000092100000000000000400000000000000',
  releasedir:
    '400000001d00000050443322110000000100000000000000e80300006400000092100000000000000c0000000000000000000000000000000000000000000000',
  mkdir:
    '340000000900000050443322110000000100000000000000e8030000640000009210000000000000ed010000120000006e657700',
  lseek:
    '400000002e00000050443322110000000100000000000000e8030000640000009210000000000000070000000000000003000000000000000010000002000000',
  header: '68000000fbffffff5044332211000000',
  attributes:
    'ffffffff0000000000000000000000000700000001000000010800000200000005000001000000000100000000000000010000000000000001000000000000000000000000000000000000006d81000001000000e803000064000000000000000010000000000000',
  entry:
    '07000000010000000000000000000000ffffffff00000000ffffffff0000000000000000000000000700000001000000010800000200000005000001000000000100000000000000010000000000000001000000000000000000000000000000000000006d81000001000000e803000064000000000000000010000000000000',
  noEntry:
    '00000000000000000000000000000000ffffffff000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000',
  open: '02000000010000000a00000000000000',
  statfs:
    '0000000000000000000000000000000000000000000000000000000000000000000000000000000000100000ff0000000010000000000000000000000000000000000000000000000000000000000000',
  xattrSize: '3300000000000000',
  initReply:
    '070000001f000000000002000160c600400030000010000001000000000100000000000000000000000000000000000000000000000000000000000000000000',
  dirents:
    '03000000000000000200000000000000050000000400000068656c6c6f0000000900000000000000030000000000000008000000080000003132333435363738',
  direntsPlus:
    '00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000100000000000000010000000000000001000000040000002e0000000000000007000000010000000000000000000000ffffffff00000000ffffffff0000000000000000000000000700000001000000010800000200000005000001000000000100000000000000010000000000000001000000000000000000000000000000000000006d81000001000000e8030000640000000000000000100000000000000700000001000000020000000000000003000000080000006162630000000000',
};

const attributes = {
  nodeId: 0x100000007,
  size: 0x200000801,
  seconds: 1,
  mode: 0o100555,
  uid: 1000,
  gid: 100,
};

describe('requests', () => {
  const cases: readonly (readonly [keyof typeof golden, number, FuseOperation])[] = [
    ['lookup', 5, { kind: 'lookup', name: encodeUtf8('hello') }],
    ['read', 6, { kind: 'read', offset: 0x123456000, size: 131072 }],
    ['readdirplus', 1, { kind: 'readdir', handle: 7, offset: 3, size: 4096, plus: true }],
    ['readdir', 1, { kind: 'readdir', handle: 7, offset: 3, size: 4096, plus: false }],
    ['init', 0, { kind: 'init', major: 7, minor: 45, maxReadahead: 131072, flags: 0x73fffffb }],
    ['getxattr', 9, { kind: 'getxattr', name: encodeUtf8('user.neve.x'), size: 200 }],
    ['listxattr', 9, { kind: 'listxattr', size: 200 }],
    ['forget', 9, { kind: 'forget', forgotten: [{ nodeId: 9, count: 3 }] }],
    [
      'batchForget',
      0,
      {
        kind: 'forget',
        forgotten: [
          { nodeId: 10, count: 1 },
          { nodeId: 0x100000000, count: 7 },
        ],
      },
    ],
    ['interrupt', 0, { kind: 'interrupt', unique: 0x1122334448 }],
    ['access', 2, { kind: 'access', mask: 4 }],
    ['releasedir', 1, { kind: 'releasedir', handle: 12 }],
    ['mkdir', 1, { kind: 'modify' }],
    ['lseek', 1, { kind: 'unknown', opcode: 46 }],
  ];

  test.each(cases)('%s', (name, nodeId, operation) => {
    const bytes = decodeHex(golden[name]);
    expect(decodeRequest(bytes)).toEqual({ unique, nodeId, operation });
    // What is behind a request in the buffer is of an older one.
    const longer = new Uint8Array(8192).fill(0xee);
    longer.set(bytes);
    expect(decodeRequest(longer)).toEqual({ unique, nodeId, operation });
  });

  test('a request that ends early, or is garbage, is an error of this package or none', () => {
    const samples = cases.map(([name]) => decodeHex(golden[name]));
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.nat(),
        fc.uint8Array({ maxLength: 64 }),
        (sample, cut, noise) => {
          const bytes = sample.slice(0, cut % (sample.length + 1));
          bytes.set(noise.subarray(0, bytes.length));
          try {
            decodeRequest(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(CastoreError);
          }
        },
      ),
    );
  });

  test('every one that is cut is too short', () => {
    for (const [name] of cases) {
      const bytes = decodeHex(golden[name]);
      expect(() => decodeRequest(bytes.subarray(0, bytes.length - 1))).toThrow('too short');
    }
  });
});

describe('replies', () => {
  const check = (name: keyof typeof golden, bytes: Uint8Array): void => {
    expect(encodeHex(bytes)).toBe(golden[name]);
  };

  test('header', () => {
    const bytes = new Uint8Array(16);
    writeReplyHeader(bytes, { unique, error: 5, length: 88 });
    check('header', bytes);
  });

  test('structures', () => {
    check('attributes', encodeAttributes(attributes, forever));
    check('entry', encodeEntry(attributes, forever));
    check('noEntry', encodeNoEntry(forever));
    check('open', encodeOpen(0x100000002, openFlags.keepCache | openFlags.cacheDirectory));
    check('statfs', encodeStatfs(255));
    check('xattrSize', encodeXattrSize(51));
    const flags = Object.values(initFlags).reduce((all, flag) => all | flag, 0);
    check('initReply', encodeInit({ maxReadahead: 131072, flags, maxBackground: 64, maxPages: 256 }));
  });

  test('dirents', () => {
    const buffer = new DirentBuffer(4096, false);
    buffer.add({ name: encodeUtf8('hello'), nodeId: 3, nextOffset: 2, mode: 0o040555 });
    buffer.add({ name: encodeUtf8('12345678'), nodeId: 9, nextOffset: 3, mode: 0o100444 });
    check('dirents', buffer.bytes);
  });

  test('dirents with entries', () => {
    const buffer = new DirentBuffer(4096, true);
    buffer.add({ name: encodeUtf8('.'), nodeId: 1, nextOffset: 1, mode: 0o040555 });
    const entry = { attributes, seconds: forever };
    buffer.add({ name: encodeUtf8('abc'), nodeId: attributes.nodeId, nextOffset: 2, mode: 0o100555, entry });
    check('direntsPlus', buffer.bytes);
  });

  test('dirents end where the next one would not fit', () => {
    const buffer = new DirentBuffer(64, false);
    expect(buffer.hasRoomFor(40)).toBe(true);
    expect(buffer.hasRoomFor(41)).toBe(false);
    buffer.add({ name: encodeUtf8('12345678'), nodeId: 9, nextOffset: 3, mode: 0o100444 });
    expect(buffer.hasRoomFor(8)).toBe(true);
    expect(buffer.hasRoomFor(9)).toBe(false);
  });
});
