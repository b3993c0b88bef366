/**
 * Reads a NAR (its grammar stands in nar-writer.ts) that comes in pieces of any size and tells a visitor what is in it.
 *
 * Whatever Nix 2.34.8 refuses is refused here, with one exception: directories may lie deeper than 64. What follows the
 * archive, which Nix leaves unread, is refused unless the reader is told to stop there.
 *
 * File contents are handed on as views of the pieces and never copied or gathered. Every other string is short by its
 * limit, so that memory is bounded by the depth of the tree. Nothing here waits or recurses: a piece is taken by one
 * loop, and whoever pushes the pieces decides when the next one comes.
 */
import { compareBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import {
  defaultNarDepth,
  maxNarNameLength,
  maxNarTargetLength,
  narNameProblem,
  narTargetProblem,
} from './nar-limits.ts';
import { NixCompatError } from './nix-compat-error.ts';

/**
 * What an archive holds, in its order; a `NarWriter` is one. A regular file is `startRegular`, `contents` any number of
 * times and `endRegular`; a directory is `startDirectory`, then `entry` and an object for each entry, and `endDirectory`.
 */
export interface NarVisitor {
  /** Contents of `size` bytes follow. */
  startRegular(size: number, executable: boolean): void;
  /** A view of the piece at hand, not empty, valid as long as the piece is. */
  contents(bytes: Uint8Array): void;
  endRegular(): void;
  /** The target is a copy, not empty and without NUL. */
  symlink(target: Uint8Array): void;
  startDirectory(): void;
  /** The name of the object that comes next. It is a copy, and a name that a directory can have; names are in order. */
  entry(name: Uint8Array): void;
  endDirectory(): void;
}

export type NarParserOptions = {
  /** How deep an object may lie below the root; 1000 unless given. */
  readonly maxDepth?: number;
  /** Leave what follows the archive to the caller instead of refusing it. */
  readonly stopAtEnd?: boolean;
};

/** The string that must come next, or what comes in its place. */
type State =
  | 'magic'
  | 'openNode'
  | 'type'
  | 'kind'
  | 'executableOrContents'
  | 'marker'
  | 'contentsTag'
  | 'size'
  | 'contents'
  | 'padding'
  | 'closeRegular'
  | 'targetTag'
  | 'target'
  | 'closeSymlink'
  | 'entryOrClose'
  | 'openEntry'
  | 'nameTag'
  | 'name'
  | 'nodeTag'
  | 'closeEntry'
  | 'done';

type Tag = { readonly text: string; readonly bytes: Uint8Array };

const tags = {
  magic: tag('nix-archive-1'),
  open: tag('('),
  close: tag(')'),
  type: tag('type'),
  regular: tag('regular'),
  symlink: tag('symlink'),
  directory: tag('directory'),
  executable: tag('executable'),
  contents: tag('contents'),
  target: tag('target'),
  entry: tag('entry'),
  name: tag('name'),
  node: tag('node'),
} as const;

/** Longer than every tag, and enough to show what stands in the place of one. */
const maxTagLength = 32;

/** Bytes of the number in front of each string. */
const lengthSize = 8;

const carrySize = lengthSize + maxNarTargetLength + 1;

export class NarParser {
  readonly #visitor: NarVisitor;
  readonly #maxDepth: number;
  readonly #stopAtEnd: boolean;
  #state: State = 'magic';
  /** For each open directory the last name in it. */
  readonly #lastNames: (Uint8Array | undefined)[] = [];
  #executable = false;
  /** Contents or padding that are still to come. */
  #remaining = 0;
  #padding = 0;
  /** How many bytes earlier pieces had. */
  #taken = 0;
  /** The beginning of a string whose end has not come yet. */
  readonly #carry: Uint8Array = new Uint8Array(carrySize);
  #carried = 0;
  /** The string at hand: where it lies, and where in the archive its length stands. */
  #bytes: Uint8Array = this.#carry;
  #start = 0;
  #length = 0;
  #offset = 0;

  constructor(visitor: NarVisitor, { maxDepth = defaultNarDepth, stopAtEnd = false }: NarParserOptions = {}) {
    this.#visitor = visitor;
    this.#maxDepth = maxDepth;
    this.#stopAtEnd = stopAtEnd;
  }

  /** Whether the whole archive was read. */
  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * Takes the next piece and gives how many of its bytes belong to the archive: all, unless it ended before and
   * `stopAtEnd` is set. Throws `NixCompatError` with the place of the mistake, and what the visitor throws; the parser
   * must not be used after either.
   */
  push(piece: Uint8Array): number {
    let at = 0;
    while (at < piece.length) {
      if (this.#state === 'done') {
        if (this.#stopAtEnd) break;
        throw bad('something follows the end of the archive', this.#taken + at);
      }
      if (this.#state === 'contents') at = this.#takeContents(piece, at);
      else if (this.#state === 'padding') at = this.#takePadding(piece, at);
      else at = this.#takeString(piece, at);
    }
    this.#taken += at;
    return at;
  }

  /** Throws `NixCompatError` unless the archive is complete. */
  end(): void {
    if (this.#state !== 'done') throw bad('the archive is cut off', this.#taken);
  }

  #takeContents(piece: Uint8Array, at: number): number {
    const end = Math.min(piece.length, at + this.#remaining);
    this.#remaining -= end - at;
    this.#visitor.contents(at === 0 && end === piece.length ? piece : piece.subarray(at, end));
    if (this.#remaining === 0) this.#startPadding();
    return end;
  }

  #startPadding(): void {
    this.#remaining = this.#padding;
    this.#state = this.#remaining === 0 ? 'closeRegular' : 'padding';
  }

  #takePadding(piece: Uint8Array, at: number): number {
    if (piece[at] !== 0) throw bad('the padding is not zero', this.#taken + at);
    this.#remaining--;
    if (this.#remaining === 0) this.#state = 'closeRegular';
    return at + 1;
  }

  /** Takes the string that begins at `at`, or what the piece has of it. Gives where it ends. */
  #takeString(piece: Uint8Array, at: number): number {
    if (this.#carried > 0) return this.#carryString(piece, at);
    this.#offset = this.#taken + at;
    if (piece.length - at < lengthSize) return this.#carryString(piece, at);
    const end = at + this.#measure(piece, at);
    if (end > piece.length) return this.#carryString(piece, at);
    this.#acceptAt(piece, { at, end });
    return end;
  }

  /** The same for a string that is not in one piece. */
  #carryString(piece: Uint8Array, at: number): number {
    const afterLength = this.#fillCarry(piece, { at, target: lengthSize });
    if (this.#carried < lengthSize) return afterLength;
    const size = this.#measure(this.#carry, 0);
    const afterString = this.#fillCarry(piece, { at: afterLength, target: size });
    if (this.#carried < size) return afterString;
    this.#carried = 0;
    this.#acceptAt(this.#carry, { at: 0, end: size });
    return afterString;
  }

  /** Moves bytes into the carry until it holds `target` of them or the piece is at its end. Gives where it stopped. */
  #fillCarry(piece: Uint8Array, { at, target }: { at: number; target: number }): number {
    const end = Math.min(piece.length, at + Math.max(0, target - this.#carried));
    this.#carry.set(piece.subarray(at, end), this.#carried);
    this.#carried += end - at;
    return end;
  }

  /** Reads a length, checks that what is expected may be so long, and gives how many bytes there are with padding. */
  #measure(bytes: Uint8Array, at: number): number {
    const length = readLength(bytes, at);
    this.#length = length;
    if (this.#state === 'size') {
      if (length > Number.MAX_SAFE_INTEGER) throw this.#bad('a regular file is larger than 2^53-1 bytes');
      return lengthSize;
    }
    if (length > longest(this.#state)) throw this.#bad(tooLong(this.#state, length));
    return lengthSize + length + (-length & 7);
  }

  #acceptAt(bytes: Uint8Array, { at, end }: { at: number; end: number }): void {
    this.#bytes = bytes;
    this.#start = at + lengthSize;
    if (this.#state === 'size') return this.#acceptSize();
    for (let i = this.#start + this.#length; i < end; i++) {
      if (bytes[i] !== 0) throw bad('the padding is not zero', this.#offset + i - at);
    }
    this.#accept();
  }

  #acceptSize(): void {
    this.#visitor.startRegular(this.#length, this.#executable);
    this.#remaining = this.#length;
    this.#padding = -this.#length & 7;
    if (this.#remaining === 0) this.#startPadding();
    else this.#state = 'contents';
  }

  /** Goes on from the string at hand: one line of the grammar each. */
  #accept(): void {
    switch (this.#state) {
      case 'magic':
        if (!this.#is(tags.magic)) throw this.#bad('this does not look like a Nix archive');
        this.#state = 'openNode';
        return;
      case 'openNode':
        return this.#expect(tags.open, 'type');
      case 'type':
        return this.#expect(tags.type, 'kind');
      case 'kind':
        return this.#acceptKind();
      case 'executableOrContents':
        this.#executable = this.#is(tags.executable);
        if (this.#executable) this.#state = 'marker';
        else this.#expect(tags.contents, 'size');
        return;
      case 'marker':
        // Its limit has made sure that it is empty.
        this.#state = 'contentsTag';
        return;
      case 'contentsTag':
        return this.#expect(tags.contents, 'size');
      case 'closeRegular':
        this.#expect(tags.close, 'closeEntry');
        this.#visitor.endRegular();
        return this.#endNode();
      case 'targetTag':
        return this.#expect(tags.target, 'target');
      case 'target':
        return this.#acceptTarget();
      case 'closeSymlink':
        this.#expect(tags.close, 'closeEntry');
        return this.#endNode();
      case 'entryOrClose':
        return this.#acceptEntryOrClose();
      case 'openEntry':
        return this.#expect(tags.open, 'nameTag');
      case 'nameTag':
        return this.#expect(tags.name, 'name');
      case 'name':
        return this.#acceptName();
      case 'nodeTag':
        return this.#expect(tags.node, 'openNode');
      case 'closeEntry':
        return this.#expect(tags.close, 'entryOrClose');
      case 'size':
      case 'contents':
      case 'padding':
      case 'done':
        throw new Error('these states take no string');
    }
  }

  #acceptKind(): void {
    if (this.#is(tags.regular)) {
      this.#state = 'executableOrContents';
    } else if (this.#is(tags.directory)) {
      this.#lastNames.push(undefined);
      this.#state = 'entryOrClose';
      this.#visitor.startDirectory();
    } else if (this.#is(tags.symlink)) {
      this.#state = 'targetTag';
    } else {
      throw this.#bad(`unknown file type ${this.#show()}`);
    }
  }

  #acceptTarget(): void {
    const target = this.#copy();
    const problem = narTargetProblem(target);
    if (problem !== undefined) throw this.#bad(problem);
    this.#state = 'closeSymlink';
    this.#visitor.symlink(target);
  }

  #acceptEntryOrClose(): void {
    if (this.#is(tags.entry)) {
      if (this.#lastNames.length > this.#maxDepth) {
        throw this.#bad(`directories are nested deeper than ${this.#maxDepth}`);
      }
      this.#state = 'openEntry';
    } else if (this.#is(tags.close)) {
      this.#lastNames.pop();
      this.#visitor.endDirectory();
      this.#endNode();
    } else {
      throw this.#bad(`expected tag 'entry' or ')', got ${this.#show()}`);
    }
  }

  #acceptName(): void {
    const name = this.#copy();
    const problem = narNameProblem(name);
    if (problem !== undefined) throw this.#bad(problem);
    const directory = this.#lastNames.length - 1;
    const last = this.#lastNames[directory];
    if (last !== undefined && compareBytes(last, name) >= 0) {
      throw this.#bad(`entries of a directory are not in order: ${show(name)} comes after ${show(last)}`);
    }
    this.#lastNames[directory] = name;
    this.#state = 'nodeTag';
    this.#visitor.entry(name);
  }

  #endNode(): void {
    this.#state = this.#lastNames.length === 0 ? 'done' : 'closeEntry';
  }

  #expect(expected: Tag, next: State): void {
    if (!this.#is(expected)) throw this.#bad(`expected tag '${expected.text}', got ${this.#show()}`);
    this.#state = next;
  }

  /** Compared in place: an archive of small files is mostly tags. */
  #is({ bytes }: Tag): boolean {
    if (bytes.length !== this.#length) return false;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== this.#bytes[this.#start + i]) return false;
    }
    return true;
  }

  #copy(): Uint8Array {
    return this.#bytes.slice(this.#start, this.#start + this.#length);
  }

  #show(): string {
    return show(this.#copy());
  }

  #bad(problem: string): NixCompatError {
    return bad(problem, this.#offset);
  }
}

/** A 64-bit little-endian number; infinite when it is no safe integer. */
function readLength(bytes: Uint8Array, at: number): number {
  const low = word(bytes, at);
  const high = word(bytes, at + 4);
  return high < 1 << 21 ? high * 2 ** 32 + low : Infinity;
}

function word(bytes: Uint8Array, at: number): number {
  const b = (i: number): number => bytes[at + i] as number;
  return (b(0) | (b(1) << 8) | (b(2) << 16) | (b(3) << 24)) >>> 0;
}

function longest(state: State): number {
  switch (state) {
    case 'marker':
      return 0;
    case 'name':
      return maxNarNameLength;
    case 'target':
      return maxNarTargetLength;
    default:
      return maxTagLength;
  }
}

function tooLong(state: State, length: number): string {
  const size = length === Infinity ? 'more than 2^53-1' : `${length}`;
  switch (state) {
    case 'magic':
      return 'this does not look like a Nix archive';
    case 'marker':
      return `the executable marker has a value of ${size} bytes, not an empty one`;
    case 'name':
      return `a directory entry has a name of ${size} bytes, more than ${maxNarNameLength}`;
    case 'target':
      return `a symbolic link has a target of ${size} bytes, more than ${maxNarTargetLength}`;
    default:
      return `a string of ${size} bytes stands where a tag is expected`;
  }
}

function tag(text: string): Tag {
  return { text, bytes: encodeUtf8(text) };
}

/** As text in quotes, so that no byte of an archive reaches a terminal as it is. */
function show(bytes: Uint8Array): string {
  return JSON.stringify(decodeUtf8(bytes));
}

function bad(problem: string, offset: number): NixCompatError {
  return new NixCompatError('bad-nar', `bad archive: ${problem}, at byte ${offset}`);
}
