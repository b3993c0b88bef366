/**
 * Looks at the file of an LMDB database before it is mapped into memory: LMDB would end the process with a signal when the
 * file is something else, or was cut off.
 *
 * Two copies of the meta page are at its beginning; the one with the later transaction counts. Numbers are little-endian:
 *
 *     24  magic:u32      48  page size:u32         88  root of the free list:u64     (all ones: empty)
 *                                                 136  root of the tables:u64        152  transaction:u64
 */
import { open } from 'node:fs/promises';

const magic = 0xbeefc0de;
const offsets = { magic: 24, pageSize: 48, freeRoot: 88, mainRoot: 136, transaction: 152 } as const;
const metaLength = 160;
const noPage = 0xffff_ffff_ffff_ffffn;

/** What is wrong with the file, if anything. A file that is missing or empty is a new database. */
export async function lmdbFileProblem(path: string): Promise<string | undefined> {
  const file = await open(path).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (file === undefined) return undefined;
  await using _file = file;
  if ((await file.stat()).size === 0) return undefined;
  const read = async (position: number): Promise<Buffer | undefined> => {
    const meta = Buffer.alloc(metaLength);
    const { bytesRead } = await file.read(meta, 0, metaLength, position);
    return bytesRead === metaLength && meta.readUInt32LE(offsets.magic) === magic ? meta : undefined;
  };
  const first = await read(0);
  if (first === undefined) return 'it is no LMDB database';
  const pageSize = first.readUInt32LE(offsets.pageSize);
  const second = await read(pageSize);
  if (second === undefined) return 'its beginning is damaged';
  const transaction = (meta: Buffer): bigint => meta.readBigUInt64LE(offsets.transaction);
  const latest = transaction(second) > transaction(first) ? second : first;
  // Looked at last: while another process writes, the file grows before the meta page says so.
  const { size } = await file.stat();
  const pages = BigInt(Math.floor(size / pageSize));
  const roots = [offsets.freeRoot, offsets.mainRoot].map((it) => latest.readBigUInt64LE(it));
  return roots.every((root) => root === noPage || root < pages) ? undefined : 'it is cut off';
}
