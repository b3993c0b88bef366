/**
 * Writes a tar archive as a stream. The same members always give the same bytes: modification time 1, owner and group
 * 0 without names, mode 0555 for directories and what is executable, 0444 for other files, 0777 for symbolic links.
 *
 *     member = [pax header] ustar header, contents padded to whole blocks
 *
 * A pax header stands before a member whose name or target is too long for ustar or not ASCII, or whose size is
 * 8 GiB or more. Names are bytes; where they are not UTF-8, `hdrcharset=BINARY` says so. Two blocks of zeroes end the
 * archive; it is not padded further. Members come as they are given, so parents should be given first.
 */
import { concatBytes, decodeUtf8, encodeUtf8, equalBytes } from '@neve/bytes';
import { CastoreError } from '../castore-error.ts';
import { type ArchiveFile, type ArchiveMember, type ArchivePath, showArchivePath } from './archive-member.ts';
import { blockSize } from './tar-header.ts';

const slash = 0x2f;
const maxUstarSize = 8 ** 11 - 1;
const maxName = 100;
const maxPrefix = 155;
const zeroBlocks = new Uint8Array(2 * blockSize);

/**
 * The bytes of a tar archive of `members`. Throws `CastoreError` (`corrupt`) if contents are not as long as their
 * member says. What `members` and contents throw goes through.
 */
export async function* writeTar(
  members: AsyncIterable<ArchiveMember> | Iterable<ArchiveMember>,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const member of members) {
    yield headersOf(member);
    if (member.kind === 'file') yield* paddedContents(member);
  }
  yield zeroBlocks;
}

async function* paddedContents({
  path,
  sizeBytes,
  contents,
}: ArchiveFile): AsyncGenerator<Uint8Array, void, void> {
  let written = 0;
  for await (const piece of contents) {
    written += piece.length;
    if (written > sizeBytes) break;
    yield piece;
  }
  if (written !== sizeBytes) {
    const more = written > sizeBytes ? 'more' : 'fewer';
    throw new CastoreError(
      'corrupt',
      `the contents of ${showArchivePath(path)} have ${more} than ${sizeBytes} bytes`,
    );
  }
  const padding = (blockSize - (sizeBytes % blockSize)) % blockSize;
  if (padding > 0) yield zeroBlocks.subarray(0, padding);
}

function headersOf(member: ArchiveMember): Uint8Array {
  const name = nameOf(member);
  const target = targetOf(member);
  const size = member.kind === 'file' ? member.sizeBytes : 0;
  const split = splitName(name);
  const records: Uint8Array[] = [];
  if (split === undefined || !isAscii(name)) records.push(paxRecord('path', name));
  if (target.length > maxName || !isAscii(target)) records.push(paxRecord('linkpath', target));
  if (size > maxUstarSize) records.push(paxRecord('size', encodeUtf8(String(size))));
  const [prefix, rest] = split ?? [new Uint8Array(0), name.subarray(0, maxName)];
  const header = ustarHeader({
    prefix,
    name: rest,
    mode: modeOf(member),
    size: size > maxUstarSize ? 0 : size,
    type: typeFlags[member.kind],
    target: target.subarray(0, maxName),
  });
  if (records.length === 0) return header;
  // It concerns all records, so it must be the first.
  if (!isUtf8(name) || !isUtf8(target)) records.unshift(paxRecord('hdrcharset', encodeUtf8('BINARY')));
  return concatBytes([...paxHeader(concatBytes(records)), header]);
}

const typeFlags = { file: '0', hardlink: '1', symlink: '2', directory: '5' } as const;

function paxHeader(records: Uint8Array): readonly Uint8Array[] {
  const nothing = new Uint8Array(0);
  const name = encodeUtf8('././@PaxHeader');
  const padding = zeroBlocks.subarray(0, (blockSize - (records.length % blockSize)) % blockSize);
  return [
    ustarHeader({ prefix: nothing, name, mode: 0o444, size: records.length, type: 'x', target: nothing }),
    records,
    padding,
  ];
}

/** Its length counts its own digits, so it is what makes one more digit unnecessary. */
function paxRecord(keyword: string, value: Uint8Array): Uint8Array {
  const rest = keyword.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return concatBytes([encodeUtf8(`${length} ${keyword}=`), value, encodeUtf8('\n')]);
}

function ustarHeader(fields: {
  readonly prefix: Uint8Array;
  readonly name: Uint8Array;
  readonly mode: number;
  readonly size: number;
  readonly type: string;
  readonly target: Uint8Array;
}): Uint8Array {
  const block = new Uint8Array(blockSize);
  const put = (offset: number, text: string): void => block.set(encodeUtf8(text), offset);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  block.set(fields.name, 0);
  put(100, octal(fields.mode, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(fields.size, 11));
  put(136, octal(1, 11));
  put(148, ' '.repeat(8));
  put(156, fields.type);
  block.set(fields.target, 157);
  put(257, 'ustar\u000000');
  put(329, octal(0, 7));
  put(337, octal(0, 7));
  block.set(fields.prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\u0000 `);
  return block;
}

function nameOf({ kind, path }: ArchiveMember): Uint8Array {
  if (path.length === 0 && kind !== 'directory')
    throw new Error(`the root of a tar archive cannot be a ${kind}`);
  const name = join(path.length === 0 ? [encodeUtf8('.')] : path);
  return kind === 'directory' ? concatBytes([name, Uint8Array.of(slash)]) : name;
}

function targetOf(member: ArchiveMember): Uint8Array {
  if (member.kind === 'symlink') return member.target;
  return member.kind === 'hardlink' ? join(member.target) : new Uint8Array(0);
}

function join(path: ArchivePath): Uint8Array {
  const separator = Uint8Array.of(slash);
  return concatBytes(
    path.flatMap((component, index) => (index === 0 ? [component] : [separator, component])),
  );
}

function modeOf(member: ArchiveMember): number {
  if (member.kind === 'symlink') return 0o777;
  return member.kind === 'directory' || (member.kind === 'file' && member.executable) ? 0o555 : 0o444;
}

/** Prefix and name, neither empty nor too long, of which a slash between them makes the whole. */
function splitName(name: Uint8Array): readonly [Uint8Array, Uint8Array] | undefined {
  if (name.length <= maxName) return [new Uint8Array(0), name];
  // The last slash of a directory belongs to its name.
  const end = Math.min(maxPrefix, name.length - 2);
  const at = name.lastIndexOf(slash, end);
  return at > 0 && name.length - at - 1 <= maxName
    ? [name.subarray(0, at), name.subarray(at + 1)]
    : undefined;
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte < 0x80);
}

function isUtf8(bytes: Uint8Array): boolean {
  return equalBytes(encodeUtf8(decodeUtf8(bytes)), bytes);
}
