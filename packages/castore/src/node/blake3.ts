/**
 * BLAKE3 on Node: the native library for all but small inputs, for which a call of it costs more than it saves. Where
 * the library does not load (it has a binary for each platform, which may not be installed) the WebAssembly of this
 * package does the work, at a third of the speed or less.
 *
 * These hashers give a digest only. An outboard comes out of `Blake3TreeHasher`: the library does not give it.
 */
import type * as BlakeHash from '@napi-rs/blake-hash';
import { Blake3TreeHasher, hashBlake3 } from '../blake3.ts';

/** From this many bytes on the native library is faster. */
const nativeBytes = 2048;

/** How many unused native hashers are kept: making one costs as much as hashing 50 KiB. */
const idleHashers = 8;

/** Takes bytes in order, in pieces of any sizes. It is used up by `digest`. */
export interface Blake3Hasher {
  /** The bytes may change afterwards. */
  update(bytes: Uint8Array): this;
  /** 32 bytes. */
  digest(): Uint8Array;
}

export interface Blake3 {
  readonly isNative: boolean;
  /** The digest, 32 bytes, of bytes that are all there. */
  hashBytes(bytes: Uint8Array): Uint8Array;
  createHasher(): Blake3Hasher;
}

type Native = Pick<typeof BlakeHash, 'blake3' | 'Blake3Hasher'>;

let loaded: Promise<Blake3> | undefined;

/** The fastest BLAKE3 that there is here. The native library is loaded by the first call. */
export function loadBlake3(): Promise<Blake3> {
  loaded ??= import('@napi-rs/blake-hash').then(nativeBlake3, () => portableBlake3);
  return loaded;
}

/** The one that runs everywhere. */
export const portableBlake3: Blake3 = {
  isNative: false,
  hashBytes: hashBlake3,
  createHasher: () => {
    const hasher = new Blake3TreeHasher();
    return {
      update(bytes) {
        hasher.update(bytes);
        return this;
      },
      digest: () => hasher.finish().digest,
    };
  },
};

function nativeBlake3({ blake3, Blake3Hasher }: Native): Blake3 {
  const idle: InstanceType<Native['Blake3Hasher']>[] = [];
  return {
    isNative: true,
    hashBytes: (bytes) => (bytes.length < nativeBytes ? hashBlake3(bytes) : new Uint8Array(blake3(bytes))),
    createHasher: () => {
      let hasher: InstanceType<Native['Blake3Hasher']> | undefined = idle.pop() ?? new Blake3Hasher();
      const current = (): InstanceType<Native['Blake3Hasher']> => {
        if (hasher === undefined) throw new Error('a hasher is used up by its digest');
        return hasher;
      };
      return {
        update(bytes) {
          current().update(bytes);
          return this;
        },
        digest() {
          const used = current();
          const digest = new Uint8Array(used.digestBuffer());
          hasher = undefined;
          used.reset();
          if (idle.length < idleHashers) idle.push(used);
          return digest;
        },
      };
    },
  };
}
