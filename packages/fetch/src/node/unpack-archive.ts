/**
 * An archive into castore, tar in any compression or zip, as its first bytes tell. What is at its top is the root, unless that
 * is one directory, which then is the root itself. A zip archive has its list at the end, so that it is put on the disk first.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { concatBytes } from '@neve/bytes';
import { archiveEntries, ingestEntries, readTar } from '@neve/castore';
import type { ArchiveMember, Node } from '@neve/castore';
import { decompress, readZip } from '@neve/castore/node';
import type { FetchContext } from './fetch-context.ts';

type Options = { readonly context: FetchContext; readonly signal: AbortSignal | undefined };

export type UnpackedArchive = {
  readonly node: Node;
  /** Of the newest member, in seconds since 1970; `undefined` when no member says one after that. */
  readonly lastModified: number | undefined;
};

/** Throws `CastoreError` for what is no archive, or a hostile one, and what the source throws. */
export async function unpackArchive(
  source: AsyncIterable<Uint8Array>,
  options: Options,
): Promise<UnpackedArchive> {
  const { head, all } = await peek(source);
  if (!isZip(head)) return ingest(readTar(decompress(all, 'auto')), options);
  const folder = await mkdtemp(join(options.context.cacheFolder, 'zip-'));
  try {
    const path = join(folder, 'archive.zip');
    await writeFile(path, all);
    return await ingest(readZip(path), options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const headLength = 4;

/** A first member, or the end of an empty archive. */
function isZip(head: Uint8Array): boolean {
  const [p, k, third, fourth] = head;
  return p === 0x50 && k === 0x4b && ((third === 3 && fourth === 4) || (third === 5 && fourth === 6));
}

async function ingest(
  members: AsyncIterable<ArchiveMember>,
  { context: { blobs, directories }, signal }: Options,
): Promise<UnpackedArchive> {
  let newest = 0;
  const watch = async function* (): AsyncGenerator<ArchiveMember, void, void> {
    for await (const member of members) {
      newest = Math.max(newest, member.modifiedSeconds ?? 0);
      yield member;
    }
  };
  const entries = archiveEntries(watch(), {
    blobs,
    strip: 'single-directory',
    ...(signal === undefined ? {} : { signal }),
  });
  const node = await ingestEntries(directories, entries, signal);
  return { node, lastModified: newest === 0 ? undefined : newest };
}

async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Uint8Array; readonly all: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < headLength) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = concatBytes([head, next.value]);
  }
  return { head, all: rejoin(head, iterator) };
}

async function* rejoin(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    if (head.length > 0) yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

async function writeFile(path: string, source: AsyncIterable<Uint8Array>): Promise<void> {
  await using file = await open(path, 'wx');
  for await (const piece of source) await file.writeFile(piece);
}
