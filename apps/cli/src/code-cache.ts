/**
 * V8's compiled code of the scripts that one command ran, in a file: compiling them again takes longer than everything
 * else that a small command does. V8 looks whether the code is for its version and flags and refuses it otherwise; whether
 * it is for these scripts it does not, so that the file's name has to say it.
 *
 *     length of the index: u32, little-endian | index: JSON | padding | code of each script, aligned to 8 bytes
 *
 * The index has, by the name of a script, where its code begins, counted from behind the padding, and how long it is.
 *
 * Code is run as it is found. It is only taken from a file that belongs to the user and that nobody else may write.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

type Index = Readonly<Record<string, readonly [start: number, length: number]>>;

/** So many folders of other builds, or of other versions of Node, are left beside this one. */
const maxOtherFolders = 7;

/** What was written by `writeCodeCache`. Undefined if there is nothing, or nothing to be trusted. */
export function readCodeCache(path: string): ReadonlyMap<string, Buffer> | undefined {
  let bytes: Buffer | undefined;
  try {
    bytes = readOwnFile(path);
  } catch {
    return undefined;
  }
  if (bytes === undefined || bytes.length < 4) return undefined;
  const indexEnd = 4 + bytes.readUInt32LE(0);
  if (indexEnd > bytes.length) return undefined;
  const index = JSON.parse(bytes.toString('latin1', 4, indexEnd)) as Index;
  const base = aligned(indexEnd);
  const code = new Map<string, Buffer>();
  for (const [name, [start, length]] of Object.entries(index)) {
    if (base + start + length > bytes.length) return undefined;
    code.set(name, bytes.subarray(base + start, base + start + length));
  }
  return code;
}

/** Throws what the file system throws. */
export function writeCodeCache(path: string, code: ReadonlyMap<string, Buffer>): void {
  const index: Record<string, [number, number]> = {};
  let end = 0;
  for (const [name, { length }] of code) {
    index[name] = [end, length];
    end = aligned(end + length);
  }
  const text = Buffer.from(JSON.stringify(index), 'latin1');
  const base = aligned(4 + text.length);
  const bytes = Buffer.alloc(base + end);
  bytes.writeUInt32LE(text.length, 0);
  text.copy(bytes, 4);
  for (const [name, piece] of code) piece.copy(bytes, base + (index[name]?.[0] ?? 0));

  const folder = dirname(path);
  if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) removeOldFolders(folder);
  const temporary = `${path}.${process.pid}`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

function readOwnFile(path: string): Buffer | undefined {
  const file = openSync(path, 'r');
  try {
    const { uid, mode, size } = fstatSync(file);
    if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return undefined;
    // V8 copies code that is not aligned, as it might be in a buffer from the pool.
    const bytes = Buffer.allocUnsafeSlow(size);
    return readSync(file, bytes, 0, size, 0) === size ? bytes : undefined;
  } finally {
    closeSync(file);
  }
}

/** Of the folders beside a new one, those that were made or written to last are left. */
function removeOldFolders(folder: string): void {
  const others = readdirSync(dirname(folder))
    .filter((name) => name !== basename(folder))
    .map((name) => join(dirname(folder), name))
    .map((path) => ({ path, time: statSync(path).mtimeMs }))
    .sort((a, b) => b.time - a.time);
  for (const { path } of others.slice(maxOtherFolders)) rmSync(path, { recursive: true, force: true });
}

function aligned(length: number): number {
  return (length + 7) & ~7;
}
