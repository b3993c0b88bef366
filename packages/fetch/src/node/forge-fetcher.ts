/**
 * Fetches from GitHub, GitLab and SourceHut: the archive of a revision, after the revision of a branch or tag was asked for.
 *
 *     github      https://host/owner/repo/archive/REV.tar.gz, with another host than github.com its API
 *     gitlab      https://host/api/v4/projects/owner%2Frepo/repository/archive.tar.gz?sha=REV
 *     sourcehut   https://host/owner/repo/archive/REV.tar.gz
 */
import type { ForgeFetch } from '../fetch.ts';
import { FetchError } from '../fetch-error.ts';
import { forgeUrls, revisionInAnswer } from '../forge-urls.ts';
import { inputMismatch } from '../hash-mismatch.ts';
import type { FetchCall, FetchContext, FetchedNode } from './fetch-context.ts';
import { fetchByUrl } from './url-fetcher.ts';

/** Throws `FetchError`, and the reason of the signal. */
export async function fetchFromForge(
  fetch: ForgeFetch,
  context: FetchContext,
  call: FetchCall,
): Promise<FetchedNode> {
  const urls = forgeUrls(fetch);
  const revision = fetch.revision ?? (await findRevision(fetch, context, call));
  const archive = await fetchByUrl(
    { kind: 'tarball', name: fetch.name, urls: [urls.archive(revision)], narHash: undefined },
    context,
    call,
  );
  const { narHash } = archive.contents;
  if (fetch.narHash !== undefined && !narHash.equals(fetch.narHash)) {
    throw inputMismatch(`${fetch.forge}:${fetch.owner}/${fetch.repo}/${revision}`, fetch.narHash, narHash);
  }
  const { node, contents, source, lastModified } = archive;
  const git = { revision, dirtyRevision: undefined, revisionCount: undefined, ref: undefined };
  return { node, contents, source, lastModified, git };
}

async function findRevision(fetch: ForgeFetch, context: FetchContext, call: FetchCall): Promise<string> {
  const ref = fetch.ref ?? 'HEAD';
  const urls = forgeUrls(fetch);
  const read = (url: string): Promise<string> => readText(url, context, call);
  const head = ref === 'HEAD' && urls.head !== undefined ? await read(urls.head) : undefined;
  const answer = await read(urls.revision(ref));
  const revision = revisionInAnswer(fetch.forge, answer, { ref, head });
  if (revision !== undefined) return revision;
  throw new FetchError(
    'not-found',
    `${fetch.forge} knows no '${ref}' of '${fetch.owner}/${fetch.repo}'; name a branch or a tag that it has`,
  );
}

const maxAnswerBytes = 1 << 24;

async function readText(url: string, context: FetchContext, call: FetchCall): Promise<string> {
  const { node } = await fetchByUrl(
    { kind: 'url', name: 'source', urls: [url], hash: undefined },
    context,
    call,
  );
  const reader = node.kind === 'file' ? await context.blobs.open(node.digest, call.signal) : undefined;
  if (reader === undefined) throw new Error('a file that was just stored is not there');
  await using file = reader;
  return Buffer.from(await file.read(0, maxAnswerBytes, call.signal)).toString();
}
