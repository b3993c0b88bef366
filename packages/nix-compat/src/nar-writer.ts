/**
 * Writes a NAR, Nix's archive of one file-system object, piece by piece into a sink.
 *
 *     nar       = str("nix-archive-1") node
 *     node      = str("(") str("type") kind str(")")
 *     kind      = str("regular") [str("executable") str("")] str("contents") str(bytes)
 *               | str("symlink") str("target") str(bytes)
 *               | str("directory") entry*
 *     entry     = str("entry") str("(") str("name") str(bytes) str("node") node str(")")
 *     str(s)    = the length of s as a 64-bit little-endian number, s, zeroes up to a multiple of 8
 *
 * Entries are in bytewise order of their names, no name twice; a name is not empty, `.` or `..` and has neither `/`
 * nor NUL; a target is not empty and has no NUL; how long both may be is in nar-limits.ts. The writer refuses everything
 * else, and an object that is left open. The caller walks the tree in that order; nothing is kept but one buffer and the
 * last name of each open directory. What the sink gets is valid only during the call. Most archives are small and many:
 * the buffer of a finished one is the next one's.
 */
import { compareBytes, concatBytes, encodeUtf8 } from '@neve/bytes';
import { narNameProblem, narTargetProblem } from './nar-limits.ts';
import type { NarVisitor } from './nar-parser.ts';
import { NixCompatError } from './nix-compat-error.ts';

const bufferSize = 1 << 16;

/** What the last archive has left behind. */
let spareBuffer: Uint8Array | undefined;

/** An open directory: the last name written in it, and whether that entry still waits for its node. */
type OpenDirectory = { lastName: Uint8Array | undefined; entryOpen: boolean };

export class NarWriter implements NarVisitor {
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #buffer: Uint8Array;
  #used = 0;
  readonly #open: OpenDirectory[] = [];
  readonly #tokens: Tokens;
  /** Bytes of the open regular file that are still to come, and how it is padded. */
  #remaining = -1;
  #padding = 0;
  #rootWritten = false;

  constructor(sink: (bytes: Uint8Array) => void) {
    this.#sink = sink;
    this.#buffer = spareBuffer ?? new Uint8Array(bufferSize);
    spareBuffer = undefined;
    this.#tokens = tokens();
    this.#put(this.#tokens.magic);
  }

  /** Begins a regular file of `size` bytes, which `contents` must then give. */
  startRegular(size: number, executable: boolean): void {
    this.#startNode();
    this.#put(executable ? this.#tokens.executable : this.#tokens.regular);
    this.#putLength(size);
    this.#remaining = size;
    this.#padding = -size & 7;
  }

  /** The next bytes of the open regular file. */
  contents(bytes: Uint8Array): void {
    if (bytes.length > this.#remaining) throw bad('a regular file has more contents than its size says');
    this.#remaining -= bytes.length;
    this.#put(bytes);
  }

  endRegular(): void {
    if (this.#remaining !== 0) throw bad('a regular file has fewer contents than its size says');
    this.#remaining = -1;
    this.#put(zeroes.subarray(0, this.#padding));
    this.#endNode();
  }

  symlink(target: Uint8Array): void {
    const problem = narTargetProblem(target);
    if (problem !== undefined) throw bad(problem);
    this.#startNode();
    this.#put(this.#tokens.symlink);
    this.#putString(target);
    this.#endNode();
  }

  startDirectory(): void {
    this.#startNode();
    this.#put(this.#tokens.directory);
    this.#open.push({ lastName: undefined, entryOpen: false });
  }

  /** The name of the next entry; its node follows. */
  entry(name: Uint8Array): void {
    const directory = this.#open.at(-1);
    if (directory === undefined || directory.entryOpen || this.#remaining >= 0)
      throw bad('an entry outside a directory');
    const problem = narNameProblem(name);
    if (problem !== undefined) throw bad(problem);
    if (directory.lastName !== undefined && compareBytes(directory.lastName, name) >= 0) {
      throw bad('entries of a directory are not in order');
    }
    directory.lastName = name;
    directory.entryOpen = true;
    this.#put(this.#tokens.entry);
    this.#putString(name);
    this.#put(this.#tokens.node);
  }

  endDirectory(): void {
    const directory = this.#open.pop();
    if (directory === undefined || directory.entryOpen || this.#remaining >= 0)
      throw bad('the end of no directory');
    this.#endNode();
  }

  /** Gives the sink what is left. Throws unless one whole object was written. */
  end(): void {
    if (!this.#rootWritten || this.#open.length > 0 || this.#remaining >= 0)
      throw bad('an unfinished archive');
    this.#flush();
    spareBuffer = this.#buffer;
  }

  #startNode(): void {
    const directory = this.#open.at(-1);
    const expected = directory === undefined ? !this.#rootWritten : directory.entryOpen;
    if (!expected || this.#remaining >= 0) throw bad('an object where none may be');
    this.#rootWritten = true;
  }

  /** Closes a node and, inside a directory, the entry around it. */
  #endNode(): void {
    this.#put(this.#tokens.close);
    const directory = this.#open.at(-1);
    if (directory === undefined) return;
    directory.entryOpen = false;
    this.#put(this.#tokens.close);
  }

  #putString(bytes: Uint8Array): void {
    this.#putLength(bytes.length);
    this.#put(bytes);
    this.#put(zeroes.subarray(0, -bytes.length & 7));
  }

  #putLength(length: number): void {
    if (this.#used + 8 > bufferSize) this.#flush();
    writeLength(this.#buffer, this.#used, length);
    this.#used += 8;
  }

  /** Small pieces are gathered, large ones go straight to the sink. */
  #put(bytes: Uint8Array): void {
    if (this.#used + bytes.length > bufferSize) this.#flush();
    if (bytes.length > bufferSize) {
      this.#sink(bytes);
      return;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #flush(): void {
    if (this.#used > 0) this.#sink(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}

function bad(problem: string): NixCompatError {
  return new NixCompatError('bad-nar', `bad archive: ${problem}`);
}

function writeLength(target: Uint8Array, offset: number, length: number): void {
  // A byte array keeps the lowest eight bits of what it is given.
  for (let i = 0, rest = length; i < 8; i++, rest = Math.floor(rest / 256)) target[offset + i] = rest;
}

const zeroes = new Uint8Array(8);

/** Several strings as they stand in an archive. */
function framed(...texts: readonly string[]): Uint8Array {
  return concatBytes(
    texts.map((text) => {
      const bytes = encodeUtf8(text);
      const result = new Uint8Array(8 + bytes.length + (-bytes.length & 7));
      writeLength(result, 0, bytes.length);
      result.set(bytes, 8);
      return result;
    }),
  );
}

/** The constant pieces between names, contents and targets. */
function makeTokens() {
  return {
    magic: framed('nix-archive-1'),
    regular: framed('(', 'type', 'regular', 'contents'),
    executable: framed('(', 'type', 'regular', 'executable', '', 'contents'),
    symlink: framed('(', 'type', 'symlink', 'target'),
    directory: framed('(', 'type', 'directory'),
    entry: framed('entry', '(', 'name'),
    node: framed('node'),
    close: framed(')'),
  };
}

type Tokens = ReturnType<typeof makeTokens>;

let madeTokens: Tokens | undefined;

function tokens(): Tokens {
  madeTokens ??= makeTokens();
  return madeTokens;
}
