// A blob service of one's own: every blob is a gzip file in a folder, named by its digest.
//
// It keeps the two promises of the interface: a blob is visible only when all of it is on the disk (written under another name, synced,
// renamed), and what is given is what the digest names, or the service throws.
// @ts-check

import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { CastoreError, bytesReader, hashBlake3, B3Digest } from '@neve/castore';

/** @typedef {import('@neve/castore').BlobService} BlobService */
/** @typedef {import('@neve/castore').BlobWriter} BlobWriter */

/**
 * @param {string} folder is made if it is not there
 * @returns {Promise<BlobService>}
 */
export async function openGzipBlobs(folder) {
  await mkdir(folder, { recursive: true });

  /** @param {B3Digest} digest */
  const fileOf = (digest) => join(folder, `${digest.hex}.gz`);

  /** @param {B3Digest} digest @param {AbortSignal} [signal] */
  async function has(digest, signal) {
    signal?.throwIfAborted();
    return isEmpty(digest) || (await stat(fileOf(digest)).then(() => true, ifMissing(false)));
  }

  /** @param {Uint8Array} bytes @param {AbortSignal} [signal] */
  async function put(bytes, signal) {
    signal?.throwIfAborted();
    const digest = new B3Digest(hashBlake3(bytes));
    if (!(await has(digest, signal))) await writeDurably(fileOf(digest), await promisify(gzip)(bytes));
    return digest;
  }

  return {
    has,
    put,
    async open(digest, signal) {
      signal?.throwIfAborted();
      if (isEmpty(digest)) return bytesReader(new Uint8Array());
      const packed = await readFile(fileOf(digest)).catch(ifMissing(undefined));
      if (packed === undefined) return undefined;
      const bytes = await promisify(gunzip)(packed).catch((cause) => {
        throw new CastoreError('corrupt', `blob ${digest.hex} cannot be unpacked`, { cause });
      });
      if (!new B3Digest(hashBlake3(bytes)).equals(digest)) {
        throw new CastoreError('corrupt', `the file of blob ${digest.hex} has other contents`);
      }
      return bytesReader(bytes);
    },
    async create(signal) {
      signal?.throwIfAborted();
      return collectingWriter((bytes) => put(bytes, signal), signal);
    },
    // Blobs are not split, and there are no trees over them.
    chunks: async (digest, signal) => ((await has(digest, signal)) ? [] : undefined),
    async outboard(_digest, signal) {
      signal?.throwIfAborted();
      return undefined;
    },
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * Keeps what is written until it is closed; a service for large blobs would write them down.
 *
 * @param {(bytes: Uint8Array) => Promise<B3Digest>} put
 * @param {AbortSignal | undefined} signal
 * @returns {BlobWriter}
 */
function collectingWriter(put, signal) {
  /** @type {Uint8Array[] | undefined} */
  let pieces = [];
  /** @type {B3Digest | undefined} */
  let digest;
  return {
    async write(bytes) {
      signal?.throwIfAborted();
      if (pieces === undefined) throw new Error('a blob is written to that was closed');
      pieces.push(bytes.slice());
    },
    async close() {
      signal?.throwIfAborted();
      if (digest !== undefined) return digest;
      if (pieces === undefined) throw new Error('a blob is closed that was given up');
      digest = await put(Buffer.concat(pieces));
      pieces = undefined;
      return digest;
    },
    async [Symbol.asyncDispose]() {
      pieces = undefined;
    },
  };
}

const emptyDigest = new B3Digest(hashBlake3(new Uint8Array()));

/** The empty blob is everywhere. @param {B3Digest} digest */
function isEmpty(digest) {
  return digest.equals(emptyDigest);
}

/** @param {string} path @param {Uint8Array} bytes */
async function writeDurably(path, bytes) {
  const temporary = `${path}.${randomUUID()}`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * @template T
 * @param {T} value
 * @returns {(error: unknown) => T}
 */
function ifMissing(value) {
  return (error) => {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return value;
    throw new CastoreError('io', 'a blob could not be read', { cause: error });
  };
}
