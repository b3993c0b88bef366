/**
 * A read set as bytes, in columns, so that thousands of paths are read in a millisecond. Little-endian.
 *
 *      0  u32 × 2   checksum of what follows
 *      8  u32       format, 1
 *     12  u32       number of paths
 *     16  u32       number of signatures
 *     20  u32       bytes of the texts
 *     24  f64 × 6   each signature, in the order of the paths; one of a path comes before the one of what it leads to
 *         u8 × 4    each path: asked; type (index into `types`); 1 has contents, 2 a listing, 4 a target, 8 a signature,
 *                   16 one of what it leads to; 0
 *         texts     UTF-8, each followed by the byte 0: all paths; then contents, listings and targets as the paths have
 *                   them
 *         JSON      everything else
 */
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from '@neve/bytes';
import type { MessageSubject } from '@neve/eval';
import { checksum } from './checksum.ts';
import {
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

const format = 1;
const headerBytes = 24;
const signatureWords = 6;
const types: readonly (SeenType | undefined)[] = [
  undefined,
  'absent',
  'regular',
  'directory',
  'symlink',
  'unknown',
];
const has = { contents: 1, listing: 2, target: 4, signature: 8, followed: 16 } as const;

/** Everything that is not about one path. */
type Rest = {
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
  const signatures: number[] = [];
  const rows = new Uint8Array(reads.paths.size * 4);
  const texts: string[] = [...reads.paths.keys()];
  let at = 0;
  for (const { asked, type, contents, listing, target, signature, followed } of reads.paths.values()) {
    rows[at] = asked;
    rows[at + 1] = types.indexOf(type);
    let parts = 0;
    for (const [bit, text] of [
      [has.contents, contents],
      [has.listing, listing],
      [has.target, target],
    ] as const) {
      if (text === undefined) continue;
      parts |= bit;
      texts.push(text);
    }
    for (const [bit, it] of [
      [has.signature, signature],
      [has.followed, followed],
    ] as const) {
      if (it === undefined) continue;
      parts |= bit;
      signatures.push(...it);
    }
    rows[at + 2] = parts;
    at += 4;
  }
  const text = encodeUtf8(texts.map((it) => `${it}\0`).join(''));
  const rest = encodeUtf8(JSON.stringify(restOf(reads)));
  const numbers = new Uint8Array(Float64Array.from(signatures).buffer);
  const bytes = new Uint8Array(headerBytes + numbers.length + rows.length + text.length + rest.length);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of [
    format,
    reads.paths.size,
    signatures.length / signatureWords,
    text.length,
  ].entries()) {
    view.setUint32(8 + index * 4, word, true);
  }
  let end = headerBytes;
  for (const part of [numbers, rows, text, rest]) {
    bytes.set(part, end);
    end += part.length;
  }
  const [low, high] = checksum(bytes.subarray(8));
  view.setUint32(0, low, true);
  view.setUint32(4, high, true);
  return bytes;
}

/** Undefined when the bytes are damaged, or of another version. */
export function decodeReadSet(encoded: Uint8Array): ReadSet | undefined {
  if (encoded.length < headerBytes) return undefined;
  // Numbers must be aligned.
  const bytes = encoded.byteOffset % 8 === 0 ? encoded : encoded.slice();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number): number => view.getUint32(at, true);
  const [low, high] = checksum(bytes.subarray(8));
  if (word(0) !== low || word(4) !== high || word(8) !== format) return undefined;
  const count = word(12);
  const rowsStart = headerBytes + word(16) * signatureWords * 8;
  const textStart = rowsStart + count * 4;
  const textEnd = textStart + word(20);
  const numbers = new Float64Array(bytes.buffer, bytes.byteOffset + headerBytes, word(16) * signatureWords);
  const reads = withRest(JSON.parse(decodeUtf8(bytes.subarray(textEnd))) as Rest);
  readPaths(reads, {
    count,
    numbers,
    rows: bytes.subarray(rowsStart, textStart),
    texts: decodeUtf8(bytes.subarray(textStart, textEnd)).split('\0'),
  });
  return reads;
}

type Columns = {
  readonly count: number;
  readonly numbers: Float64Array;
  readonly rows: Uint8Array;
  readonly texts: readonly string[];
};

function readPaths({ paths }: ReadSet, { count, numbers, rows, texts }: Columns): void {
  let nextText = count;
  let nextNumber = 0;
  const text = (): string | undefined => texts[nextText++];
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
    read.type = types[rows[index * 4 + 1] ?? 0];
    if ((parts & has.contents) !== 0) read.contents = text();
    if ((parts & has.listing) !== 0) read.listing = text();
    if ((parts & has.target) !== 0) read.target = text();
    if ((parts & has.signature) !== 0) read.signature = signature();
    if ((parts & has.followed) !== 0) read.followed = signature();
    paths.set(texts[index] ?? '', read);
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
