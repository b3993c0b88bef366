/** Takes a path of this machine in. Its time is that of what was changed last in it. */
import { lstat, readdir } from 'node:fs/promises';
import { ingestFiles } from '@neve/castore/node';
import type { PathFetch } from '../fetch.ts';
import { FetchError } from '../fetch-error.ts';
import type { FetchCall, FetchContext, FetchedNode } from './fetch-context.ts';

/** Throws `FetchError` (`not-found`), `CastoreError`, and the reason of the signal. */
export async function fetchPath(
  { path }: PathFetch,
  { blobs, directories }: FetchContext,
  { signal }: FetchCall,
): Promise<FetchedNode> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) throw new FetchError('not-found', `path '${path}' does not exist`);
  const node = await ingestFiles(path, {
    blobs,
    directories,
    ...(signal === undefined ? {} : { signal }),
  });
  return { node, source: path, lastModified: await newestTime(Buffer.from(path), signal) };
}

/** In seconds since 1970; of directories and links too. Names are bytes. */
async function newestTime(path: Buffer, signal: AbortSignal | undefined): Promise<number> {
  signal?.throwIfAborted();
  const found = await lstat(path);
  let newest = Math.floor(found.mtimeMs / 1000);
  if (!found.isDirectory()) return newest;
  for (const name of await readdir(path, { encoding: 'buffer' })) {
    newest = Math.max(newest, await newestTime(Buffer.concat([path, slash, name]), signal));
  }
  return newest;
}

const slash = Buffer.from('/');
