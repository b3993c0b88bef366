/**
 * Closures of directories as streams: from a service that only gets single directories, from bytes that a stranger sent,
 * and turned round from root first to leaves first. The orders are those of `directory-order.ts`.
 */
import { B3Digest } from './b3-digest.ts';
import { hashBlake3 } from './blake3.ts';
import { CastoreError } from './castore-error.ts';
import { Directory } from './directory.ts';
import { childDirectories, RootFirst } from './directory-order.ts';

export type GetDirectory = (digest: B3Digest, signal?: AbortSignal) => Promise<Directory | undefined>;

/** This many directories are asked for before the consumer wants them. */
const maxRequests = 16;

/**
 * The closure, breadth first: empty when the root is not there, `not-found` when one below it is not. Neither digests nor
 * sizes are checked. Ends when the last request that was begun has ended.
 */
export async function* closureByGet(
  get: GetDirectory,
  root: B3Digest,
  signal?: AbortSignal,
): AsyncGenerator<Directory, void, void> {
  const seen = new Set([root.key]);
  const found: Found[] = [{ digest: root, parent: undefined }];
  const requests: Promise<Directory | undefined>[] = [];
  let received = 0;
  try {
    while (received < found.length) {
      signal?.throwIfAborted();
      while (requests.length < maxRequests && received + requests.length < found.length) {
        requests.push(request(get, found[received + requests.length], signal));
      }
      const directory = await requests.shift();
      received++;
      if (directory === undefined) return;
      for (const { node } of childDirectories(directory)) {
        if (seen.has(node.digest.key)) continue;
        seen.add(node.digest.key);
        found.push({ digest: node.digest, parent: directory.digest });
      }
      yield directory;
    }
  } finally {
    await Promise.allSettled(requests);
  }
}

/** What a stranger calls a closure: empty, or the closure of `root`, all of it. Throws `CastoreError`. */
export async function* checkClosure(
  root: B3Digest,
  directories: AsyncIterable<Directory>,
): AsyncGenerator<Directory, void, void> {
  const order = new RootFirst(root);
  let isEmpty = true;
  for await (const directory of directories) {
    checkDigest(directory, directory.digest);
    order.add(directory);
    isEmpty = false;
    yield directory;
  }
  if (!isEmpty) order.finish();
}

/** As `checkClosure`, from encodings, which must not change: what may not come here is refused before it is decoded. */
export async function* decodeClosure(
  root: B3Digest,
  encodings: AsyncIterable<Uint8Array>,
): AsyncGenerator<Directory, void, void> {
  const order = new RootFirst(root);
  let isEmpty = true;
  for await (const bytes of encodings) {
    const digest = new B3Digest(hashBlake3(bytes));
    order.check(digest);
    const directory = Directory.decode(bytes, digest);
    order.add(directory);
    isEmpty = false;
    yield directory;
  }
  if (!isEmpty) order.finish();
}

/** Throws `CastoreError` (`corrupt`) unless the directory, hashed again, has this digest. */
export function checkDigest(directory: Directory, digest: B3Digest): void {
  const actual = new B3Digest(hashBlake3(directory.encoded));
  if (actual.equals(digest)) return;
  throw new CastoreError(
    'corrupt',
    `instead of the directory ${digest.toString()} there is ${actual.toString()}`,
  );
}

/** The same directories, each after those that it refers to. */
export function leavesFirst(directories: readonly Directory[]): Directory[] {
  const byKey = new Map(directories.map((it) => [it.digest.key, it]));
  return parentsFirst(byKey.keys(), (key) => childKeys(byKey.get(key)))
    .toReversed()
    .flatMap((key) => byKey.get(key) ?? []);
}

/** The keys, each after all keys that have it among their children. Children that are not among `keys` are left out. */
export function parentsFirst(keys: Iterable<string>, childrenOf: (key: string) => string[]): string[] {
  const referrers = new Map<string, number>();
  for (const key of keys) referrers.set(key, 0);
  const children = new Map([...referrers.keys()].map((key) => [key, childrenOf(key)]));
  for (const child of [...children.values()].flat()) {
    const count = referrers.get(child);
    if (count !== undefined) referrers.set(child, count + 1);
  }
  const result = [...referrers.keys()].filter((key) => referrers.get(key) === 0);
  // The array grows while it is walked.
  for (const key of result) {
    for (const child of children.get(key) ?? []) {
      const count = referrers.get(child);
      if (count === undefined) continue;
      referrers.set(child, count - 1);
      if (count === 1) result.push(child);
    }
  }
  return result;
}

export function childKeys(directory: Directory | undefined): string[] {
  return directory === undefined ? [] : childDirectories(directory).map(({ node }) => node.digest.key);
}

type Found = { readonly digest: B3Digest; readonly parent: B3Digest | undefined };

function request(
  get: GetDirectory,
  found: Found | undefined,
  signal?: AbortSignal,
): Promise<Directory | undefined> {
  if (found === undefined) return Promise.resolve(undefined);
  const { digest, parent } = found;
  const promise = get(digest, signal).then((directory) => {
    if (directory !== undefined || parent === undefined) return directory;
    throw new CastoreError(
      'not-found',
      `the directory ${digest.toString()}, to which ${parent.toString()} refers, is not there`,
    );
  });
  // It may fail while the consumer is busy with an earlier one.
  promise.catch(() => undefined);
  return promise;
}
