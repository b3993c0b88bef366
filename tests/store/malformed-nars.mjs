// NARs that no reader may take, made by hand: `{ name, bytes }`.

const magic = 'nix-archive-1';

/**
 * A string of the format: its length as a little-endian number of 64 bits, its bytes, zeroes up to a multiple of 8.
 *
 * @param {string | Uint8Array} text
 * @param {{ length?: bigint, padding?: number }} [options] lies
 */
function str(text, { length, padding = 0 } = {}) {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(length ?? BigInt(bytes.length));
  return Buffer.concat([head, bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8, padding)]);
}

const strings = (/** @type {(string | Uint8Array)[]} */ ...parts) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? str(part) : part)));

const file = (/** @type {string} */ contents) => strings('(', 'type', 'regular', 'contents', contents, ')');
const entry = (/** @type {string | Uint8Array} */ name, /** @type {Buffer} */ node) =>
  strings('entry', '(', 'name', name, 'node', node, ')');
const folder = (/** @type {Buffer[]} */ ...entries) => strings('(', 'type', 'directory', ...entries, ')');
const link = (/** @type {string} */ target) => strings('(', 'type', 'symlink', 'target', target, ')');
const nar = (/** @type {Buffer[]} */ ...parts) => strings(magic, ...parts);

/** @param {number} depth */
function nested(depth) {
  const open = strings('(', 'type', 'directory', 'entry', '(', 'name', 'a', 'node');
  const close = strings(')', ')');
  return Buffer.concat([...Array(depth).fill(open), file(''), ...Array(depth).fill(close)]);
}

/** A NAR with everything in it. */
export const goodNar = nar(
  folder(
    entry('a', file('some contents')),
    entry('b', link('nowhere')),
    entry(
      'c',
      folder(entry('run', strings('(', 'type', 'regular', 'executable', '', 'contents', '#!', ')'))),
    ),
  ),
);

/** @type {readonly { name: string, bytes: Buffer }[]} */
export const malformedNars = [
  { name: 'nothing', bytes: Buffer.alloc(0) },
  { name: 'text', bytes: Buffer.from('<html>404 Not Found</html>\n') },
  { name: 'another magic', bytes: strings('nix-archive-2', file('a')) },
  { name: 'only the magic', bytes: nar() },
  { name: 'bytes after the end', bytes: Buffer.concat([goodNar, Buffer.from('x')]) },
  { name: 'two NARs', bytes: Buffer.concat([goodNar, goodNar]) },
  { name: 'zeroes after the end', bytes: Buffer.concat([goodNar, Buffer.alloc(8)]) },
  ...[3, 8, 20, 24, 64, 100, 150, 200, 333, 8 * 80, -8, -1].map((length) => ({
    name: `the first ${length} bytes`,
    bytes: goodNar.subarray(0, length),
  })),
  { name: 'no type', bytes: nar(strings('(', ')')) },
  { name: 'an unknown type', bytes: nar(strings('(', 'type', 'socket', ')')) },
  { name: 'two types', bytes: nar(strings('(', 'type', 'regular', 'type', 'regular', ')')) },
  { name: 'contents of a link', bytes: nar(strings('(', 'type', 'symlink', 'contents', 'a', ')')) },
  { name: 'a link without target', bytes: nar(strings('(', 'type', 'symlink', ')')) },
  { name: 'a target of a file', bytes: nar(strings('(', 'type', 'regular', 'target', 'a', ')')) },
  {
    name: 'two contents',
    bytes: nar(strings('(', 'type', 'regular', 'contents', 'a', 'contents', 'b', ')')),
  },
  {
    name: 'executable after contents',
    bytes: nar(strings('(', 'type', 'regular', 'contents', 'a', 'executable', '', ')')),
  },
  {
    name: 'executable with a value',
    bytes: nar(strings('(', 'type', 'regular', 'executable', 'yes', 'contents', 'a', ')')),
  },
  { name: 'an executable directory', bytes: nar(strings('(', 'type', 'directory', 'executable', '', ')')) },
  { name: 'an empty target', bytes: nar(link('')) },
  { name: 'a target with NUL', bytes: nar(link('a\0b')) },
  { name: 'a target that is too long', bytes: nar(link('a'.repeat(5000))) },
  ...['', '.', '..', 'a/b', '/', '/etc', '../../evil', 'a\0', '\0'].map((name) => ({
    name: `the name ${JSON.stringify(name)}`,
    bytes: nar(folder(entry(name, file('x')))),
  })),
  { name: 'a name of 256 bytes', bytes: nar(folder(entry('a'.repeat(256), file('x')))) },
  { name: 'equal names', bytes: nar(folder(entry('a', file('x')), entry('a', file('y')))) },
  { name: 'names in the wrong order', bytes: nar(folder(entry('b', file('x')), entry('a', file('y')))) },
  {
    name: 'names in the order of UTF-16',
    bytes: nar(folder(entry('\u{1f600}', file('x')), entry('\uff5e', file('y')))),
  },
  {
    name: 'names in the order of a locale',
    bytes: nar(folder(entry('a', file('x')), entry('B', file('y')))),
  },
  { name: 'an entry without name', bytes: nar(folder(strings('entry', '(', 'node', file('x'), ')'))) },
  { name: 'an entry without node', bytes: nar(folder(strings('entry', '(', 'name', 'a', ')'))) },
  {
    name: 'a node before its name',
    bytes: nar(folder(strings('entry', '(', 'node', file('x'), 'name', 'a', ')'))),
  },
  {
    name: 'two nodes',
    bytes: nar(folder(strings('entry', '(', 'name', 'a', 'node', file('x'), 'node', file('x'), ')'))),
  },
  {
    name: 'padding that is not zero',
    bytes: nar(strings('(', 'type', 'regular', 'contents', str('abc', { padding: 1 }), ')')),
  },
  { name: 'padding of a name', bytes: nar(folder(entry(str('abc', { padding: 1 }), file('x')))) },
  ...[2n ** 64n - 1n, 2n ** 63n, 2n ** 53n, 2n ** 32n, 100n].map((length) => ({
    name: `contents of ${length} bytes that are not there`,
    bytes: nar(strings('(', 'type', 'regular', 'contents', str('abc', { length }))),
  })),
  ...[2n ** 64n - 1n, 2n ** 40n, 2n ** 31n].map((length) => ({
    name: `a name of ${length} bytes`,
    bytes: nar(folder(strings('entry', '(', 'name', str('abc', { length })))),
  })),
  { name: 'a keyword of 2^40 bytes', bytes: nar(strings('(', str('type', { length: 2n ** 40n }))) },
  { name: '100,000 levels', bytes: nar(nested(100_000)) },
];
