/**
 * What the builtins that fetch trees say about a tree, once it is fetched: the attributes beside `outPath`, and the locked
 * reference, which means the same contents for ever. By the rules of Nix 2.34, which also refuses what was said beforehand
 * and is not so.
 */
import { FetchError } from './fetch-error.ts';
import type { Fetched } from './fetcher.ts';
import {
  type InputAttributes,
  booleanAttribute,
  numberAttribute,
  revisionAttribute,
  textAttribute,
} from './input-attributes.ts';
import { type TreeReference, parseTreeReference, printTreeReference } from './tree-reference.ts';

/**
 * The reference with what was found: revision, branch, times, hash. Throws `FetchError` (`invalid-fetch`) where it
 * contradicts the reference, and for an immutable URL that is not one of a tarball.
 */
export function lockTreeReference(reference: TreeReference, fetched: Fetched): TreeReference {
  const { type } = reference;
  const found = foundAttributes(type, reference.attributes, fetched);
  const kept =
    fetched.immutableUrl === undefined ? reference.attributes : ofImmutableUrl(fetched.immutableUrl);
  const attributes = new Map<string, string | bigint | boolean>(kept);
  if (type !== 'git' && fetched.git !== undefined && type !== 'hg') attributes.delete('ref');
  for (const [name, value] of found) attributes.set(name, value);
  const locked = { type, attributes };
  checkFound(reference, locked);
  attributes.set('narHash', fetched.narHash.format('sri'));
  return locked;
}

export type TreeAttributesOptions = {
  /** As `fetchGit` has it: a tree without a revision has one of zeroes. */
  readonly emptyRevision?: boolean;
};

/** `locked` is what `lockTreeReference` gave. Without `outPath`. */
export function treeAttributes(
  { type, attributes }: TreeReference,
  { emptyRevision = false }: TreeAttributesOptions = {},
): InputAttributes {
  const result = new Map<string, string | bigint | boolean>();
  result.set('narHash', textAttribute(attributes, 'narHash') ?? '');
  if (type === 'git') result.set('submodules', booleanAttribute(attributes, 'submodules'));
  const revision = revisionAttribute(attributes) ?? (emptyRevision ? '0'.repeat(40) : undefined);
  if (revision !== undefined) result.set('rev', revision).set('shortRev', revision.slice(0, shortLength));
  const count = numberAttribute(attributes, 'revCount') ?? (emptyRevision ? 0n : undefined);
  if (count !== undefined) result.set('revCount', count);
  for (const name of ['dirtyRev', 'dirtyShortRev']) {
    const value = textAttribute(attributes, name);
    if (value !== undefined) result.set(name, value);
  }
  const time = numberAttribute(attributes, 'lastModified');
  if (time !== undefined) result.set('lastModified', time).set('lastModifiedDate', dateOf(time));
  return result;
}

/** What `fetchMercurial` gives. */
export function mercurialAttributes({ git }: Fetched): InputAttributes {
  const revision = git?.revision ?? '0'.repeat(40);
  return new Map<string, string | bigint>([
    ...(git?.ref === undefined ? [] : [['branch', git.ref] as const]),
    ['rev', revision],
    ['shortRev', revision.slice(0, 12)],
    ...(git?.revisionCount === undefined ? [] : [['revCount', BigInt(git.revisionCount)] as const]),
  ]);
}

const shortLength = 7;

function foundAttributes(
  type: string,
  given: InputAttributes,
  { git, lastModified }: Fetched,
): ReadonlyMap<string, string | bigint> {
  const found = new Map<string, string | bigint>();
  if (git?.revision !== undefined) found.set('rev', git.revision);
  if (git?.ref !== undefined && (type === 'git' || type === 'hg')) found.set('ref', git.ref);
  if (git?.revisionCount !== undefined && !booleanAttribute(given, 'shallow')) {
    found.set('revCount', BigInt(git.revisionCount));
  }
  if (git?.dirtyRevision !== undefined) {
    found.set('dirtyRev', `${git.dirtyRevision}-dirty`);
    found.set('dirtyShortRev', `${git.dirtyRevision.slice(0, shortLength)}-dirty`);
  }
  const isTold = type === 'path' || type === 'tarball' || type === 'file';
  if (lastModified !== undefined && type !== 'file' && !(isTold && given.has('lastModified'))) {
    found.set('lastModified', BigInt(lastModified));
  }
  return found;
}

function ofImmutableUrl(url: string): InputAttributes {
  const { type, attributes } = parseTreeReference(url, { features: new Set(['flakes']) });
  if (type === 'tarball') return attributes;
  throw new FetchError(
    'invalid-fetch',
    "tarball 'Link' headers that redirect to non-tarball URLs are not supported",
  );
}

function checkFound(reference: TreeReference, locked: TreeReference): void {
  const mismatch = (name: string, detail: string): FetchError =>
    new FetchError(
      'invalid-fetch',
      `'${name}' attribute mismatch in input '${printTreeReference(locked)}', expected ${detail}`,
    );
  const time = numberAttribute(reference.attributes, 'lastModified');
  const foundTime = numberAttribute(locked.attributes, 'lastModified');
  if (time !== undefined && time !== foundTime) {
    throw mismatch('lastModified', foundTime === undefined ? `${time}` : `${time}, got ${foundTime}`);
  }
  const count = numberAttribute(reference.attributes, 'revCount');
  if (count !== undefined && count !== numberAttribute(locked.attributes, 'revCount')) {
    throw mismatch('revCount', `${count}`);
  }
  const revision = revisionAttribute(reference.attributes);
  if (revision !== undefined && revision !== revisionAttribute(locked.attributes)) {
    throw mismatch('rev', revision);
  }
}

/** `YYYYMMDDhhmmss`, in UTC. */
function dateOf(seconds: bigint): string {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) {
    throw new FetchError(
      'invalid-fetch',
      `the time ${seconds} is too far away to be a date; correct 'lastModified'`,
    );
  }
  return date
    .toISOString()
    .slice(0, 19)
    .replace(/[^0-9]/g, '');
}
