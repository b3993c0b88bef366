// Whether an archive is accepted was asked of Nix 2.34.8: each was piped into `nix-store --restore <new path>`. Where
// the answer is another here on purpose, the case says so.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes, concatBytes, encodeUtf8 } from '@neve/bytes';
import {
  type NarEvent,
  NarParser,
  type NarParserOptions,
  type NarVisitor,
  NarWriter,
  NixCompatError,
} from './index.ts';
import { collectNarEvents } from './nar-reader.ts';

/** A string of an archive, or bytes that stand there as they are. */
type Piece = string | { readonly raw: Uint8Array };

function framed(piece: Piece): Uint8Array {
  if (typeof piece !== 'string') return piece.raw;
  const bytes = Uint8Array.from(piece, (character) => character.charCodeAt(0));
  return concatBytes([length(BigInt(bytes.length)).raw, bytes, new Uint8Array(-bytes.length & 7)]);
}

function length(value: bigint): { raw: Uint8Array } {
  const raw = new Uint8Array(8);
  new DataView(raw.buffer).setBigUint64(0, value, true);
  return { raw };
}

function archive(pieces: readonly Piece[]): Uint8Array {
  return concatBytes(pieces.map(framed));
}

/** A string with the last byte of its padding set. */
function badlyPadded(text: string): { raw: Uint8Array } {
  const raw = framed(text);
  raw[raw.length - 1] = 1;
  return { raw };
}

const magic = 'nix-archive-1';
const file = ['(', 'type', 'regular', 'contents', '', ')'];
const link = (target: string): string[] => [magic, '(', 'type', 'symlink', 'target', target, ')'];
const entry = (name: string): string[] => ['entry', '(', 'name', name, 'node', ...file, ')'];
const directory = (...names: string[]): string[] => [
  magic,
  '(',
  'type',
  'directory',
  ...names.flatMap(entry),
  ')',
];

function nested(depth: number): string[] {
  const down = Array.from({ length: depth }, () => [
    '(',
    'type',
    'directory',
    'entry',
    '(',
    'name',
    'd',
    'node',
  ]);
  return [magic, ...down.flat(), ...file, ...down.flatMap(() => [')', ')'])];
}

function parse(bytes: Uint8Array, options?: NarParserOptions): NarEvent[] {
  const events: NarEvent[] = [];
  const parser = new NarParser(
    collectNarEvents((event) => events.push(event)),
    options,
  );
  parser.push(bytes);
  parser.end();
  return events;
}

describe('accepts what Nix accepts', () => {
  test.each<[string, readonly Piece[]]>([
    ['an empty file', [magic, ...file]],
    ['a file with padding', [magic, '(', 'type', 'regular', 'contents', 'a', ')']],
    ['an executable file', [magic, '(', 'type', 'regular', 'executable', '', 'contents', '#!', ')']],
    ['an empty directory', directory()],
    ['a name of 255 bytes', directory('a'.repeat(255))],
    ['a target of 4095 bytes', link('a'.repeat(4095))],
    ['a prefix before what it begins', directory('a', 'a.b', 'ab')],
    ['upper case before lower case', directory('B', 'a')],
    ['names that differ in case', directory('A', 'a')],
    ['a high byte after ASCII', directory('a', '\xff')],
    ['a name of three dots', directory('...')],
    ['an object 63 deep', nested(63)],
  ])('%s', (_, pieces) => {
    expect(parse(archive(pieces)).length).toBeGreaterThan(0);
  });

  test('and directories that lie deeper, as older ones wrote them', () => {
    // Nix 2.34.8: "NAR directory nesting exceeds maximum depth of 64".
    expect(parse(archive(nested(1000)))).toHaveLength(3003 - 1);
  });
});

/** The archive, the string where the mistake is, and what is wrong. */
type Refusal = readonly [string, readonly Piece[], number, string];

describe('refuses what Nix refuses', () => {
  test.each<Refusal>([
    ['another magic', ['nix-archive-2', ...file], 0, 'look like a Nix archive'],
    ['a long magic', ['nix-archive-1'.repeat(4), ...file], 0, 'look like a Nix archive'],
    ['no type', [magic, '(', ')'], 2, `expected tag 'type', got ")"`],
    ['another type', [magic, '(', 'type', 'fifo', ')'], 3, 'unknown file type "fifo"'],
    ['a type twice', [magic, '(', 'type', 'regular', 'type'], 4, `expected tag 'contents', got "type"`],
    ['no contents', [magic, '(', 'type', 'regular', ')'], 4, `expected tag 'contents', got ")"`],
    ['no target', [magic, '(', 'type', 'symlink', ')'], 4, `expected tag 'target', got ")"`],
    ['target before type', [magic, '(', 'target', 'a'], 2, `expected tag 'type', got "target"`],
    ['an executable link', [magic, '(', 'type', 'symlink', 'executable'], 4, `expected tag 'target'`],
    [
      'a marker that is not empty',
      [magic, '(', 'type', 'regular', 'executable', 'x', 'contents', '', ')'],
      5,
      'the executable marker has a value of 1 bytes',
    ],
    [
      'two markers',
      [magic, '(', 'type', 'regular', 'executable', '', 'executable', '', 'contents', '', ')'],
      6,
      `expected tag 'contents', got "executable"`,
    ],
    [
      'a marker without contents',
      [magic, '(', 'type', 'regular', 'executable', '', ')'],
      6,
      `expected tag 'contents', got ")"`,
    ],
    [
      'a marker after contents',
      [magic, '(', 'type', 'regular', 'contents', '', 'executable', '', ')'],
      6,
      `expected tag ')', got "executable"`,
    ],
    [
      'contents twice',
      [magic, '(', 'type', 'regular', 'contents', '', 'contents', '', ')'],
      6,
      `expected tag ')', got "contents"`,
    ],
    ['an empty name', directory(''), 7, 'an empty name'],
    ['the name .', directory('.'), 7, "the name '.'"],
    ['the name ..', directory('..'), 7, "the name '..'"],
    ['a name with a slash', directory('a/b'), 7, 'a name with a slash'],
    ['a name with a NUL', directory('a\0b'), 7, 'a name with a NUL'],
    ['a name of 256 bytes', directory('a'.repeat(256)), 7, 'a name of 256 bytes'],
    ['a name twice', directory('a', 'a'), 19, 'not in order: "a" comes after "a"'],
    ['names out of order', directory('b', 'a'), 19, 'not in order: "a" comes after "b"'],
    ['a high byte before ASCII', directory('\xff', 'a'), 19, 'not in order'],
    ['an empty target', link(''), 5, 'an empty target'],
    ['a target with a NUL', link('a\0b'), 5, 'a target with a NUL'],
    ['a target of 4096 bytes', link('a'.repeat(4096)), 5, 'a target of 4096 bytes'],
    [
      'an entry without a name',
      [magic, '(', 'type', 'directory', 'entry', '(', 'node', ...file],
      6,
      `expected tag 'name', got "node"`,
    ],
    [
      'a name after its node',
      [magic, '(', 'type', 'directory', 'entry', '(', 'node', ...file, 'name', 'a', ')', ')'],
      6,
      `expected tag 'name', got "node"`,
    ],
    [
      'an entry without a node',
      [magic, '(', 'type', 'directory', 'entry', '(', 'name', 'a', ')', ')'],
      8,
      `expected tag 'node', got ")"`,
    ],
    [
      'two names of one entry',
      [magic, '(', 'type', 'directory', 'entry', '(', 'name', 'a', 'name', 'b'],
      8,
      `expected tag 'node', got "name"`,
    ],
    [
      'something after a node',
      [magic, '(', 'type', 'directory', 'entry', '(', 'name', 'a', 'node', ...file, 'more', ')'],
      15,
      `expected tag ')', got "more"`,
    ],
    ['a foreign tag', [magic, '(', 'type', 'directory', 'more', ')'], 4, `expected tag 'entry' or ')'`],
    ['a tag of control characters', [magic, '(', '\x1b[2J'], 2, String.raw`got "\u001b[2J"`],
    ['a long tag', [magic, '(', 'type', 'regular'.repeat(6)], 3, 'a string of 42 bytes stands where a tag'],
    ['a huge tag', [magic, length(2n ** 40n)], 1, 'a string of 1099511627776 bytes'],
    [
      'a huge name',
      [magic, '(', 'type', 'directory', 'entry', '(', 'name', length(2n ** 32n + 1n)],
      7,
      'a name of 4294967297 bytes',
    ],
    [
      'a target whose padded length overflows',
      [magic, '(', 'type', 'symlink', 'target', length(2n ** 64n - 4n)],
      5,
      'a target of more than 2^53-1 bytes',
    ],
    [
      'contents of 2^53 bytes',
      [magic, '(', 'type', 'regular', 'contents', length(2n ** 53n)],
      5,
      'larger than 2^53-1',
    ],
    [
      'contents of 2^64-1 bytes',
      [magic, '(', 'type', 'regular', 'contents', length(2n ** 64n - 1n)],
      5,
      'larger than 2^53-1',
    ],
  ])('%s', (_, pieces, index, problem) => {
    const bytes = archive(pieces);
    const offset = archive(pieces.slice(0, index)).length;
    for (const attempt of [() => parse(bytes), () => parsePieces(bytes, 1)]) {
      expect(attempt).toThrow(NixCompatError);
      expect(attempt).toThrow(problem);
      expect(attempt).toThrow(new RegExp(`, at byte ${offset}$`));
    }
  });

  test.each<Refusal>([
    ['of a tag', [magic, badlyPadded('('), ...file.slice(1)], 1, ''],
    ['of a name', [magic, '(', 'type', 'directory', 'entry', '(', 'name', badlyPadded('a')], 7, ''],
    ['of a target', [magic, '(', 'type', 'symlink', 'target', badlyPadded('a'), ')'], 5, ''],
    ['of contents', [magic, '(', 'type', 'regular', 'contents', badlyPadded('a'), ')'], 5, ''],
  ])('padding %s that is not zero', (_, pieces, index) => {
    const offset = archive(pieces.slice(0, index + 1)).length - 1;
    for (const size of [1, 7, 1000]) {
      expect(() => parsePieces(archive(pieces), size)).toThrow(
        new RegExp(`the padding is not zero, at byte ${offset}$`),
      );
    }
  });

  test('everything that is cut off', () => {
    const pieces = [magic, '(', 'type', 'directory', 'entry', '(', 'name', 'a', 'node', '(', 'type'];
    const whole = archive([...pieces, 'regular', 'contents', 'x', ')', ')', ')']);
    for (let size = 0; size < whole.length; size++) {
      expect(() => parse(whole.subarray(0, size))).toThrow(
        new RegExp(`the archive is cut off, at byte ${size}$`),
      );
    }
    expect(parse(whole)).toHaveLength(6);
  });

  test('a file with less contents than its size says', () => {
    const bytes = archive([
      magic,
      '(',
      'type',
      'regular',
      'contents',
      length(2n ** 53n - 1n),
      { raw: encodeUtf8('abc') },
    ]);
    expect(() => parse(bytes)).toThrow('cut off');
  });

  test('directories that are nested too deep', () => {
    expect(() => parse(archive(nested(1001)))).toThrow('nested deeper than 1000');
    expect(() => parse(archive(nested(64)), { maxDepth: 63 })).toThrow('nested deeper than 63');
    expect(parse(archive(nested(63)), { maxDepth: 63 })).toHaveLength(191);
    expect(() => parse(archive(directory('a')), { maxDepth: 0 })).toThrow('nested deeper than 0');
  });
});

describe('what follows the archive', () => {
  // Nix leaves it unread.
  const whole = archive([magic, ...file]);

  test.each<[string, Uint8Array]>([
    ['a byte', new Uint8Array(1)],
    ['a tag', framed(')')],
    ['another archive', whole],
  ])('%s is refused', (_, more) => {
    const problem = `something follows the end of the archive, at byte ${whole.length}`;
    expect(() => parse(concatBytes([whole, more]))).toThrow(problem);
    const parser = new NarParser(collectNarEvents(() => undefined));
    expect(parser.push(whole)).toBe(whole.length);
    expect(() => parser.push(more)).toThrow(problem);
  });

  test('is left to the caller who wants it', () => {
    const parser = new NarParser(
      collectNarEvents(() => undefined),
      { stopAtEnd: true },
    );
    expect(parser.push(whole.subarray(0, 50))).toBe(50);
    expect(parser.done).toBe(false);
    expect(parser.push(concatBytes([whole.subarray(50), whole]))).toBe(whole.length - 50);
    expect(parser.done).toBe(true);
    expect(parser.push(whole)).toBe(0);
    parser.end();
  });
});

test('contents are views of what was pushed', () => {
  const bytes = archive([magic, '(', 'type', 'regular', 'contents', 'snow and ice', ')']);
  const views = parse(bytes).flatMap((event) => (event.kind === 'contents' ? [event.bytes] : []));
  expect(views.map((view) => [view.buffer === bytes.buffer, view.byteOffset, view.length])).toEqual([
    [true, archive([magic, '(', 'type', 'regular', 'contents']).length + 8, 12],
  ]);
});

test('names and targets are copies', () => {
  const bytes = archive([
    magic,
    '(',
    'type',
    'directory',
    'entry',
    '(',
    'name',
    'a',
    'node',
    '(',
    'type',
    'symlink',
    'target',
    'b',
    ')',
    ')',
    ')',
  ]);
  const events = parse(bytes);
  bytes.fill(0);
  expect(events).toEqual([
    { kind: 'startDirectory' },
    { kind: 'entry', name: encodeUtf8('a') },
    { kind: 'symlink', target: encodeUtf8('b') },
    { kind: 'endDirectory' },
  ]);
});

// Random trees

type Tree =
  | { readonly contents: Uint8Array; readonly executable: boolean }
  | { readonly target: Uint8Array }
  | { readonly entries: readonly (readonly [Uint8Array, Tree])[] };

/** Names and targets of any bytes, UTF-8 or not. */
const name = fc
  .uint8Array({ minLength: 1, maxLength: 20 })
  .filter(
    (bytes) => !bytes.includes(0) && !bytes.includes(0x2f) && !/^\.\.?$/.test(String.fromCharCode(...bytes)),
  );
const target = fc.uint8Array({ minLength: 1, maxLength: 300 }).filter((bytes) => !bytes.includes(0));

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.record({ contents: fc.uint8Array({ maxLength: 600 }), executable: fc.boolean() }),
    fc.record({ target }),
    fc.record({
      entries: fc
        .uniqueArray(fc.tuple(name, tie('tree')), {
          maxLength: 6,
          comparator: ([left], [right]) => compareBytes(left, right) === 0,
        })
        .map((entries) => entries.toSorted(([left], [right]) => compareBytes(left, right))),
    }),
  ),
}));

function writeTree(visitor: NarVisitor, tree: Tree): void {
  if ('contents' in tree) {
    visitor.startRegular(tree.contents.length, tree.executable);
    if (tree.contents.length > 0) visitor.contents(tree.contents);
    visitor.endRegular();
  } else if ('target' in tree) {
    visitor.symlink(tree.target);
  } else {
    visitor.startDirectory();
    for (const [name, child] of tree.entries) {
      visitor.entry(name);
      writeTree(visitor, child);
    }
    visitor.endDirectory();
  }
}

function written(write: (writer: NarWriter) => void): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new NarWriter((bytes) => parts.push(bytes.slice()));
  write(writer);
  writer.end();
  return concatBytes(parts);
}

/** Pushes pieces of one size; gives the events with contents joined. */
function parsePieces(bytes: Uint8Array, size: number): NarEvent[] {
  const events: NarEvent[] = [];
  const parser = new NarParser(collectNarEvents((event) => events.push(event)));
  for (let at = 0; at < bytes.length; at += size) parser.push(bytes.slice(at, at + size));
  parser.end();
  return joinContents(events);
}

function joinContents(events: readonly NarEvent[]): NarEvent[] {
  const joined: NarEvent[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (event.kind === 'contents' && last?.kind === 'contents') {
      joined[joined.length - 1] = { kind: 'contents', bytes: concatBytes([last.bytes, event.bytes]) };
    } else {
      joined.push(event);
    }
  }
  return joined;
}

test('what was written is read, in pieces of any size', () => {
  const property = fc.property(tree, fc.integer({ min: 1, max: 400 }), (tree, size) => {
    const expected: NarEvent[] = [];
    writeTree(
      collectNarEvents((event) => expected.push(event)),
      tree,
    );
    const bytes = written((writer) => writeTree(writer, tree));
    expect(parse(bytes)).toEqual(expected);
    expect(parsePieces(bytes, size)).toEqual(expected);
  });
  fc.assert(property, { numRuns: 200 });
});

test('what is read is written the same', () => {
  const property = fc.property(tree, fc.integer({ min: 1, max: 400 }), (tree, size) => {
    const bytes = written((writer) => writeTree(writer, tree));
    const again = written((writer) => {
      const parser = new NarParser(writer);
      for (let at = 0; at < bytes.length; at += size) parser.push(bytes.slice(at, at + size));
      parser.end();
    });
    expect(again).toEqual(bytes);
  });
  fc.assert(property, { numRuns: 200 });
});

test('a changed archive is refused or is the writing of another tree', () => {
  const change = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) });
  const property = fc.property(tree, change, (tree, { at, value }) => {
    const bytes = written((writer) => writeTree(writer, tree));
    bytes[at % bytes.length] = value;
    let again: Uint8Array;
    try {
      again = written((writer) => {
        const parser = new NarParser(writer);
        parser.push(bytes);
        parser.end();
      });
    } catch (error) {
      expect(error).toBeInstanceOf(NixCompatError);
      return;
    }
    expect(again).toEqual(bytes);
  });
  fc.assert(property, { numRuns: 500 });
});
