/**
 * A read set as bytes, in columns, so that thousands of paths are compared with the world in a few milliseconds, without
 * an object for each. Little-endian.
 *
 *      0  u32 × 2   checksum of everything after these two checksums, up to the end of the JSON
 *      8  u32 × 2   checksum of the numbers from 16 to 40, the rows and the JSON
 *     16  u32       format, 2
 *     20  u32       number of paths
 *     24  u32       number of signatures
 *     28  u32       bytes of the paths
 *     32  u32       bytes of the answers
 *     36  u32       bytes of the JSON
 *     40  f64 × 6   each signature, in the order of the paths; one of a path comes before the one of what it leads to
 *         u8 × 4    each path: asked; type (index into `seenTypes`); 1 has contents, 2 a listing, 4 a target, 8 a signature,
 *                   16 one of what it leads to; 0
 *         paths     UTF-8, each followed by the byte 0
 *         answers   the same: contents, listings and targets, as the paths have them
 *         JSON      everything else
 *         zeros up to a multiple of 8, and another set that is a part of this one, of the shared region; or nothing
 *
 * Who compares signatures needs no checksum of signatures and paths: what is damaged of these is not what is there.
 */
import { concatBytes, decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from '@neve/bytes';
import type { FileType, MessageSubject } from '@neve/eval';
import { type Checksum, checksum } from './checksum.ts';
import {
  type HeldReads,
  type MessageRead,
  type ObjectRead,
  PathRead,
  ReadSet,
  type SeenType,
  type Signature,
  type TreeRead,
  type VariableRead,
  treeKey,
} from './read-set.ts';

const format = 2;
const headerBytes = 40;
const signatureWords = 6;
export const seenTypes: readonly (SeenType | undefined)[] = [
  undefined,
  'absent',
  'regular',
  'directory',
  'symlink',
  'unknown',
];
/** What a path has, by bits of its row. */
export const has = { contents: 1, listing: 2, target: 4, signature: 8, followed: 16 } as const;

/** Everything that is not about one path. */
export type Rest = {
  readonly startedMs: number;
  readonly clock: number;
  readonly trees: readonly TreeRead[];
  readonly objects: readonly (readonly [string, ObjectRead])[];
  readonly variables: readonly (readonly [string, VariableRead])[];
  readonly obstacles: readonly (readonly [string, number])[];
  readonly made: readonly string[];
  readonly messages: readonly EncodedMessage[];
};

type EncodedMessage = Omit<MessageRead, 'text'> & { readonly text: string };

export function encodeReadSet(reads: ReadSet): Uint8Array {
  const sets = [encodeAlone(reads), ...reads.held.map(({ encoded }) => encoded)];
  return concatBytes(
    sets.flatMap((it, index) => (index === sets.length - 1 ? [it] : [it, new Uint8Array(-it.length & 7)])),
  );
}

function encodeAlone(reads: ReadSet): Uint8Array {
  const { size } = reads.paths;
  // Two for a path at most.
  const signatures = new Float64Array(size * 2 * signatureWords);
  let numberCount = 0;
  const rows = new Uint8Array(size * 4);
  const answers: string[] = [];
  let row = 0;
  for (const read of reads.paths.values()) {
    let parts = 0;
    const answer = (bit: number, text: string | undefined): void => {
      if (text === undefined) return;
      parts |= bit;
      answers.push(text);
    };
    const sign = (bit: number, signature: Signature | undefined): void => {
      if (signature === undefined) return;
      parts |= bit;
      signatures.set(signature, numberCount);
      numberCount += signatureWords;
    };
    answer(has.contents, read.contents);
    answer(has.listing, read.listing);
    answer(has.target, read.target);
    sign(has.signature, read.signature);
    sign(has.followed, read.followed);
    rows[row] = read.asked;
    rows[row + 1] = seenTypes.indexOf(read.type);
    rows[row + 2] = parts;
    row += 4;
  }
  const paths = ended([...reads.paths.keys()]);
  const texts = ended(answers);
  const rest = encodeUtf8(JSON.stringify(restOf(reads)));
  const numbers = new Uint8Array(signatures.buffer, 0, numberCount * 8);
  const bytes = concatBytes([new Uint8Array(headerBytes), numbers, rows, paths, texts, rest]);
  const view = new DataView(bytes.buffer);
  const counts = [size, numberCount / signatureWords, paths.length, texts.length, rest.length];
  for (const [index, word] of [format, ...counts].entries()) view.setUint32(16 + index * 4, word, true);
  setChecksum(view, 8, outerChecksum(layOut(bytes)));
  setChecksum(view, 0, checksum(bytes.subarray(16)));
  return bytes;
}

/** Undefined when the bytes are damaged, or of another version. */
export function decodeReadSet(encoded: Uint8Array): ReadSet | undefined {
  let reads: ReadSet | undefined;
  for (let bytes = encoded; ;) {
    const columns = openColumns(bytes);
    if (columns === undefined || !isWhole(columns)) return undefined;
    const part = withRest(columns.rest());
    readPaths(part, columns);
    if (reads === undefined) reads = part;
    else reads.include(part, 'shared');
    if (columns.next === undefined) return reads;
    bytes = columns.next;
  }
}

/** Encoded reads whose signatures were just found to hold. */
export function heldReads(encoded: Uint8Array): HeldReads {
  const parts: Columns[] = [];
  for (let bytes: Uint8Array | undefined = aligned(encoded); bytes !== undefined;) {
    const columns = layOut(bytes);
    parts.push(columns);
    bytes = columns.next;
  }
  const rests = parts.map(({ rest }) => rest());
  return {
    encoded,
    made: rests.flatMap(({ made }) => made),
    count: parts.reduce((sum, it) => sum + it.count, 0) + rests.reduce((sum, it) => sum + restCount(it), 0),
    types: () => new Map(parts.flatMap(typesIn)),
    decode: () => decodeReadSet(encoded),
  };
}

function restCount({ trees, objects, variables }: Rest): number {
  return trees.length + objects.length + variables.length;
}

const executableBit = 0o100;

/** What is at paths that have a signature, or nothing is. */
function typesIn(columns: Columns): [path: string, type: FileType | undefined][] {
  const { rows, count } = columns;
  const names = columns.paths();
  const numbers = columns.numbers();
  const types: [string, FileType | undefined][] = [];
  let mode = 5;
  for (let index = 0; index < count; index++) {
    const type = seenTypes[rows[index * 4 + 1] ?? 0];
    const parts = rows[index * 4 + 2] ?? 0;
    const name = names[index] ?? '';
    if (type === 'absent') types.push([name, undefined]);
    else if (type !== undefined && (parts & has.signature) !== 0) {
      const isExecutable = type === 'regular' && ((numbers[mode] ?? 0) & executableBit) !== 0;
      types.push([name, isExecutable ? 'executable' : type]);
    }
    if ((parts & has.signature) !== 0) mode += signatureWords;
    if ((parts & has.followed) !== 0) mode += signatureWords;
  }
  return types;
}

function isWhole({ bytes, view, end }: Columns): boolean {
  return isChecksum(view, 0, checksum(bytes.subarray(16, end)));
}

/** The columns of the first set, without a look at the answers. Undefined when what is not compared is damaged. */
export function openColumns(encoded: Uint8Array): Columns | undefined {
  if (encoded.length < headerBytes) return undefined;
  const bytes = aligned(encoded);
  const columns = layOut(bytes);
  const { view } = columns;
  if (view.getUint32(16, true) !== format || columns.end > bytes.length) return undefined;
  return isChecksum(view, 8, outerChecksum(columns)) ? columns : undefined;
}

/** Numbers must be aligned. */
function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
}

/** Where everything is, whether or not it is true. */
function layOut(bytes: Uint8Array): Columns {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [count = 0, signatures = 0, pathBytes = 0, answerBytes = 0, restBytes = 0] = [20, 24, 28, 32, 36].map(
    (it) => view.getUint32(it, true),
  );
  const rowsStart = headerBytes + signatures * signatureWords * 8;
  const pathsStart = rowsStart + count * 4;
  const answersStart = pathsStart + pathBytes;
  const restStart = answersStart + answerBytes;
  const end = restStart + restBytes;
  const texts = (start: number, stop: number): readonly string[] =>
    decodeUtf8(bytes.subarray(start, stop)).split('\0');
  return {
    ...{ bytes, view, count, restStart, end },
    next: end < bytes.length ? bytes.subarray(Math.ceil(end / 8) * 8) : undefined,
    numbers: () =>
      new Float64Array(bytes.buffer, bytes.byteOffset + headerBytes, signatures * signatureWords),
    rows: bytes.subarray(rowsStart, pathsStart),
    paths: () => texts(pathsStart, answersStart),
    answers: () => texts(answersStart, restStart),
    rest: () => JSON.parse(decodeUtf8(bytes.subarray(restStart, end))) as Rest,
  };
}

function outerChecksum({ bytes, rows, restStart, end }: Columns): Checksum {
  return checksum(concatBytes([bytes.subarray(16, headerBytes), rows, bytes.subarray(restStart, end)]));
}

function ended(texts: readonly string[]): Uint8Array {
  return encodeUtf8(texts.length === 0 ? '' : `${texts.join('\0')}\0`);
}

// oxlint-disable-next-line eslint/max-params -- as the setters of a view
function setChecksum(view: DataView, at: number, [low, high]: Checksum): void {
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
}

// oxlint-disable-next-line eslint/max-params -- as above
function isChecksum(view: DataView, at: number, [low, high]: Checksum): boolean {
  return view.getUint32(at, true) === low && view.getUint32(at + 4, true) === high;
}

export type Columns = {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly count: number;
  /** Where the JSON begins. */
  readonly restStart: number;
  /** Where it ends. */
  readonly end: number;
  /** The bytes of the set that follows. */
  readonly next: Uint8Array | undefined;
  /** Four bytes a path. */
  readonly rows: Uint8Array;
  /** Six numbers a signature. */
  readonly numbers: () => Float64Array;
  readonly paths: () => readonly string[];
  readonly answers: () => readonly string[];
  readonly rest: () => Rest;
};

function readPaths({ paths }: ReadSet, columns: Columns): void {
  const { count, rows } = columns;
  const numbers = columns.numbers();
  const names = columns.paths();
  const answers = columns.answers();
  let nextAnswer = 0;
  let nextNumber = 0;
  const answer = (): string | undefined => answers[nextAnswer++];
  const signature = (): Signature => {
    const at = nextNumber;
    nextNumber += signatureWords;
    const number = (index: number): number => numbers[at + index] ?? 0;
    return [number(0), number(1), number(2), number(3), number(4), number(5)];
  };
  for (let index = 0; index < count; index++) {
    const read = new PathRead();
    const parts = rows[index * 4 + 2] ?? 0;
    read.asked = rows[index * 4] ?? 0;
    read.type = seenTypes[rows[index * 4 + 1] ?? 0];
    if ((parts & has.contents) !== 0) read.contents = answer();
    if ((parts & has.listing) !== 0) read.listing = answer();
    if ((parts & has.target) !== 0) read.target = answer();
    if ((parts & has.signature) !== 0) read.signature = signature();
    if ((parts & has.followed) !== 0) read.followed = signature();
    paths.set(names[index] ?? '', read);
  }
}

function restOf(reads: ReadSet): Rest {
  return {
    startedMs: reads.startedMs,
    clock: reads.clock,
    trees: [...reads.trees.values()],
    objects: [...reads.objects],
    variables: [...reads.variables],
    obstacles: [...reads.obstacles],
    made: [...reads.made],
    messages: reads.messages.map((it) => ({
      ...it,
      about: plainSubject(it.about),
      text: encodeBase64(it.text),
    })),
  };
}

/** Without the function that reads the source. */
function plainSubject(about: MessageSubject | undefined): MessageSubject | undefined {
  if (about?.position === undefined) return about;
  const { origin, line, column } = about.position;
  return { ...about, position: { origin, line, column } };
}

function withRest(rest: Rest): ReadSet {
  const reads = new ReadSet();
  reads.startedMs = rest.startedMs;
  reads.clock = rest.clock;
  for (const tree of rest.trees) reads.trees.set(treeKey(tree), tree);
  for (const [path, it] of rest.objects) reads.objects.set(path, it);
  for (const [name, it] of rest.variables) reads.variables.set(name, it);
  for (const [reason, regions] of rest.obstacles) reads.obstacles.set(reason, regions);
  for (const path of rest.made) reads.made.add(path);
  for (const it of rest.messages)
    reads.messages.push({ ...it, about: it.about, text: decodeBase64(it.text) });
  return reads;
}
