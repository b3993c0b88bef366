// Tar and zip archives that must be refused, made by hand: `{ name, bytes, form }`.

import { createHash } from 'node:crypto';
import { deflateRawSync, gzipSync } from 'node:zlib';

const block = 512;

/**
 * @typedef {object} Member
 * @property {string} name
 * @property {string} [type] one character; `0` unless given
 * @property {string} [link]
 * @property {string | Uint8Array} [contents]
 * @property {string | Uint8Array} [size] of the header's 12 bytes, instead of the truth
 * @property {string} [checksum] instead of the right one
 */

/** @param {Member} member */
function member({ name, type = '0', link = '', contents = '', size, checksum }) {
  const bytes = Buffer.from(contents);
  const header = Buffer.alloc(block);
  header.write(name, 0, 100, 'latin1');
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.fill(size ?? `${bytes.length.toString(8).padStart(11, '0')}\0`, 124, 136);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157, 100, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((block - (bytes.length % block)) % block)]);
}

const tar = (/** @type {(Member | Uint8Array)[]} */ ...members) =>
  Buffer.concat([
    ...members.map((it) => (it instanceof Uint8Array ? it : member(it))),
    Buffer.alloc(2 * block),
  ]);

/** @param {Record<string, string>} records */
function pax(records) {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(rest);
    while (String(length).length + Buffer.byteLength(rest) !== length) {
      length = String(length).length + Buffer.byteLength(rest);
    }
    return `${length}${rest}`;
  });
  return member({ name: 'pax', type: 'x', contents: lines.join('') });
}

const paxText = (/** @type {string} */ contents) => member({ name: 'pax', type: 'x', contents });

/** A number as GNU tar has those that are too large for octal digits. */
function base256(/** @type {bigint} */ value) {
  const bytes = Buffer.alloc(12);
  bytes.writeBigInt64BE(value, 4);
  bytes[0] = value < 0n ? 0xff : 0x80;
  if (value < 0n) bytes.fill(0xff, 1, 4);
  return bytes;
}

export const goodTar = tar(
  { name: 'folder/', type: '5' },
  { name: 'folder/file', contents: 'some contents' },
  { name: 'folder/link', type: '2', link: 'nowhere' },
);

const evil = { contents: 'evil' };

/** @type {readonly { name: string, bytes: Buffer }[]} */
const tars = [
  ...['../evil', '../../../../../evil', 'a/../../evil', 'a/../evil', '..'].map((name) => ({
    name: `the path ${name}`,
    bytes: tar({ name, ...evil }),
  })),
  { name: 'a path of pax', bytes: tar(pax({ path: '../evil' }), { name: 'good', ...evil }) },
  { name: 'a path of pax with NUL', bytes: tar(pax({ path: 'a\0b' }), { name: 'good', ...evil }) },
  {
    name: 'a long name of GNU',
    bytes: tar({ name: '././@LongLink', type: 'L', contents: '../evil\0' }, { name: 'good', ...evil }),
  },
  {
    name: 'a file below a link',
    bytes: tar({ name: 'out', type: '2', link: '/tmp' }, { name: 'out/evil', ...evil }),
  },
  { name: 'a file below a file', bytes: tar({ name: 'a', ...evil }, { name: 'a/evil', ...evil }) },
  {
    name: 'a file in place of a folder',
    bytes: tar({ name: 'a/b', ...evil }, { name: 'a', ...evil }),
  },
  { name: 'a hard link that leads out', bytes: tar({ name: 'evil', type: '1', link: '../../etc/passwd' }) },
  { name: 'a hard link to /etc/passwd', bytes: tar({ name: 'evil', type: '1', link: '/etc/passwd' }) },
  { name: 'a hard link to nothing', bytes: tar({ name: 'evil', type: '1', link: 'missing' }) },
  {
    name: 'a hard link to a folder',
    bytes: tar({ name: 'd/', type: '5' }, { name: 'evil', type: '1', link: 'd' }),
  },
  {
    name: 'a hard link to what comes later',
    bytes: tar({ name: 'evil', type: '1', link: 'b' }, { name: 'b', ...evil }),
  },
  { name: 'a link without target', bytes: tar({ name: 'evil', type: '2' }) },
  ...[
    ['3', 'a character device'],
    ['4', 'a block device'],
    ['6', 'a named pipe'],
  ].map(([type = '', name = '']) => ({ name, bytes: tar({ name: 'evil', type }) })),
  { name: 'a wrong checksum', bytes: tar({ name: 'evil', checksum: '000001\0 ' }) },
  { name: 'a checksum that is no number', bytes: tar({ name: 'evil', checksum: 'checksum' }) },
  { name: 'half a header', bytes: goodTar.subarray(0, 300) },
  {
    name: 'contents that are cut off',
    bytes: member({ name: 'evil', contents: 'x'.repeat(2000) }).subarray(0, 1500),
  },
  { name: 'a size that is not there', bytes: member({ name: 'evil', size: '77777777777\0' }) },
  { name: 'a size that is no number', bytes: tar({ name: 'evil', size: 'many bytes\0\0' }) },
  { name: 'a negative size', bytes: tar({ name: 'evil', size: base256(-1n) }) },
  { name: 'a size of 2^62', bytes: tar({ name: 'evil', size: base256(2n ** 62n) }) },
  { name: 'a long name of 2^40 bytes', bytes: tar({ name: 'L', type: 'L', size: base256(2n ** 40n) }) },
  { name: 'records of pax of 2^40 bytes', bytes: tar({ name: 'x', type: 'x', size: base256(2n ** 40n) }) },
  ...['nonsense', '99 path=a\n', '0 path=a\n', '-1 a=b\n', '8 path=a', '6 a=b\n5', '9 path:a\n'].map(
    (text) => ({
      name: `the record ${JSON.stringify(text)} of pax`,
      bytes: tar(paxText(text), { name: 'good', ...evil }),
    }),
  ),
  { name: 'a size of pax that is no number', bytes: tar(pax({ size: '1e3' }), { name: 'good', ...evil }) },
  ...['5,10', '0,1,0,1', '0,99', 'x,y', '0', '-1,1', '9007199254740993,1'].map((map) => ({
    name: `the sparse map ${map}`,
    bytes: tar(
      pax({
        'GNU.sparse.map': map,
        'GNU.sparse.size': '8',
        'GNU.sparse.numblocks': '1',
        'GNU.sparse.name': 'evil',
      }),
      { name: 'sparse', ...evil },
    ),
  })),
  {
    name: 'a sparse file of 2^63 bytes',
    bytes: tar(
      pax({ 'GNU.sparse.map': '0,4', 'GNU.sparse.size': String(2n ** 63n), 'GNU.sparse.numblocks': '1' }),
      { name: 'sparse', ...evil },
    ),
  },
  { name: '200,000 levels', bytes: tar(pax({ path: 'd/'.repeat(200_000) }), { name: 'good', ...evil }) },
  {
    name: 'a path with a long component',
    bytes: tar(pax({ path: 'd'.repeat(300) }), { name: 'good', ...evil }),
  },
  { name: 'text', bytes: Buffer.from('<html>404 Not Found</html>\n'.repeat(50)) },
  { name: 'gzip that is cut off', bytes: gzipSync(goodTar).subarray(0, -20) },
  { name: 'gzip without its end', bytes: gzipSync(goodTar).subarray(0, -4) },
  { name: 'gzip with another sum', bytes: withFlippedByte(gzipSync(goodTar), -6) },
  { name: 'bytes after gzip', bytes: Buffer.concat([gzipSync(goodTar), Buffer.from('nonsense')]) },
  { name: 'xz that is cut off', bytes: Buffer.from('fd377a585a000004e6d6b446', 'hex') },
  { name: 'zstd that is cut off', bytes: Buffer.from('28b52ffd0458', 'hex') },
  { name: 'bzip2 that is none', bytes: Buffer.from('BZh9nonsense and more of it') },
];

/**
 * @param {Buffer} bytes
 * @param {number} index
 */
function withFlippedByte(bytes, index) {
  const copy = Buffer.from(bytes);
  const at = index < 0 ? bytes.length + index : index;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/**
 * A zip archive with one member.
 *
 * @param {{ name: string, contents?: string, flags?: number, method?: number, size?: number, mode?: number, crc?: number }} options
 */
function zip({ name, contents = 'evil', flags = 0, method = 8, size, mode = 0o100644, crc }) {
  const bytes = Buffer.from(contents);
  const packed = method === 8 ? deflateRawSync(bytes) : bytes;
  const nameBytes = Buffer.from(name);
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(flags, 2);
  fields.writeUInt16LE(method, 4);
  fields.writeUInt32LE(crc ?? crc32(bytes), 10);
  fields.writeUInt32LE(packed.length, 14);
  fields.writeUInt32LE(size ?? bytes.length, 18);
  fields.writeUInt16LE(nameBytes.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, nameBytes, packed]);
  const more = Buffer.alloc(14);
  more.writeUInt32LE(mode * 0x10000, 6);
  const unix = Buffer.from([20, 3]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), unix, fields, more, nameBytes]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06', 'latin1'), end]);
}

/** @param {Buffer} bytes */
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

export const goodZip = zip({ name: 'folder/file' });

/** @type {readonly { name: string, bytes: Buffer }[]} */
const zips = [
  ...['../evil', 'a/../../evil', '/evil', 'a\0b', ''].map((name) => ({
    name: `the path ${JSON.stringify(name)}`,
    bytes: zip({ name }),
  })),
  { name: 'contents with another sum', bytes: zip({ name: 'evil', crc: 1 }) },
  {
    name: 'contents that are longer than said',
    bytes: zip({ name: 'evil', contents: 'x'.repeat(100_000), size: 10 }),
  },
  { name: 'contents that are shorter than said', bytes: zip({ name: 'evil', size: 1000 }) },
  { name: 'an encrypted member', bytes: zip({ name: 'evil', flags: 1 }) },
  { name: 'an unknown compression', bytes: zip({ name: 'evil', method: 99 }) },
  { name: 'a device', bytes: zip({ name: 'evil', mode: 0o020644 }) },
  { name: 'the first half', bytes: goodZip.subarray(0, goodZip.length / 2) },
  { name: 'the second half', bytes: goodZip.subarray(goodZip.length / 2) },
  { name: 'text', bytes: Buffer.from(createHash('sha256').update('zip').digest('hex')) },
];

/** @type {readonly { name: string, bytes: Buffer, form: 'tar' | 'zip' }[]} */
export const malformedArchives = [
  ...tars.map((it) => ({ ...it, form: /** @type {const} */ ('tar') })),
  ...zips.map((it) => ({ ...it, form: /** @type {const} */ ('zip') })),
];
