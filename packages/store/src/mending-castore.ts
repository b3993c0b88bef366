/**
 * A castore that replaces what is damaged by what is stored: a service takes what it seems to have for good and writes nothing.
 * Everything that is stored is looked at first, so that it is only for repairs.
 */
import {
  B3Digest,
  Blake3TreeHasher,
  type BlobService,
  type BlobWriter,
  type DirectoryService,
  hashBlake3,
} from '@neve/castore';
import type { Castore } from './copy-node.ts';
import { findBlobDamage, readDirectoryOrProblem, removeDamage } from './node-damage.ts';

export type MendingCastore = Castore & {
  /** How many blobs were damaged. */
  readonly mendedBlobs: () => number;
};

type MakeRoom = (digest: B3Digest, signal?: AbortSignal) => Promise<void>;

/** Disposing of its services leaves those of `castore` open. */
export function mendingCastore(castore: Castore): MendingCastore {
  let mended = 0;
  return {
    blobs: mendingBlobs(castore.blobs, async (digest, signal) => {
      if (!(await castore.blobs.has(digest, signal))) return;
      const damage = await findBlobDamage(digest, castore, signal);
      if (damage.length === 0) return;
      await removeDamage(damage, castore, signal);
      mended++;
    }),
    directories: mendingDirectories(castore.directories, async (digest, signal) => {
      const problem = await readDirectoryOrProblem(digest, castore, signal);
      if (typeof problem !== 'string') return;
      // It may just not be there.
      await removeDamage([{ kind: 'directory', digest, problem }], castore, signal);
    }),
    mendedBlobs: () => mended,
  };
}

function mendingBlobs(blobs: BlobService, makeRoom: MakeRoom): BlobService {
  return {
    has: (digest, signal) => blobs.has(digest, signal),
    open: (digest, signal) => blobs.open(digest, signal),
    chunks: (digest, signal) => blobs.chunks(digest, signal),
    outboard: (digest, signal) => blobs.outboard(digest, signal),
    async put(bytes, signal) {
      await makeRoom(new B3Digest(hashBlake3(bytes)), signal);
      return await blobs.put(bytes, signal);
    },
    create: async (signal) => mendingWriter(await blobs.create(signal), makeRoom, signal),
    async [Symbol.asyncDispose]() {},
  };
}

/** Hashes too, since room is made before the blob is visible. */
// oxlint-disable-next-line eslint/max-params -- signal comes last
function mendingWriter(writer: BlobWriter, makeRoom: MakeRoom, signal?: AbortSignal): BlobWriter {
  const hasher = new Blake3TreeHasher();
  let closed: Promise<B3Digest> | undefined;
  const close = async (): Promise<B3Digest> => {
    await makeRoom(new B3Digest(hasher.finish().digest), signal);
    return await writer.close();
  };
  return {
    async write(bytes) {
      hasher.update(bytes);
      await writer.write(bytes);
    },
    close: () => (closed ??= close()),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

function mendingDirectories(directories: DirectoryService, makeRoom: MakeRoom): DirectoryService {
  return {
    get: (digest, signal) => directories.get(digest, signal),
    closure: (digest, signal) => directories.closure(digest, signal),
    async put(directory, signal) {
      await makeRoom(directory.digest, signal);
      return await directories.put(directory, signal);
    },
    putClosure(signal) {
      const putter = directories.putClosure(signal);
      return {
        async put(directory) {
          await makeRoom(directory.digest, signal);
          await putter.put(directory);
        },
        close: () => putter.close(),
        [Symbol.asyncDispose]: () => putter[Symbol.asyncDispose](),
      };
    },
    async [Symbol.asyncDispose]() {},
  };
}
