/**
 * `Ed25519` by `node:crypto`, which takes keys in DER only: a seed in PKCS #8 and a public key in
 * SubjectPublicKeyInfo (RFC 8410), each a constant in front of its 32 bytes. That module takes longer to load than a
 * small program to run, so that it is loaded when it is used.
 *
 * To read a private key takes several times as long as to sign with it. What was read is kept as long as the array that
 * holds its bytes, which therefore must not change.
 */
import { concatBytes, decodeHex } from '@neve/bytes';
import type * as NodeCrypto from 'node:crypto';
import type { Ed25519 } from '../signature.ts';

const pkcs8Prefix = decodeHex('302e020100300506032b657004220420');
const spkiPrefix = decodeHex('302a300506032b6570032100');

export const nodeEd25519: Ed25519 = {
  sign(seed, message) {
    return new Uint8Array(nodeCrypto().sign(null, message, privateKeyOf(seed)));
  },
  verify(publicKey, message, signature) {
    return nodeCrypto().verify(null, message, publicKeyOf(publicKey), signature);
  },
  publicKey(seed) {
    const der = nodeCrypto().createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' });
    return new Uint8Array(der.subarray(spkiPrefix.length));
  },
};

const privateKeyOf = remembering((seed) =>
  nodeCrypto().createPrivateKey({ key: derOf(pkcs8Prefix, seed), format: 'der', type: 'pkcs8' }),
);

const publicKeyOf = remembering((bytes) =>
  nodeCrypto().createPublicKey({ key: derOf(spkiPrefix, bytes), format: 'der', type: 'spki' }),
);

function remembering(
  read: (bytes: Uint8Array) => NodeCrypto.KeyObject,
): (bytes: Uint8Array) => NodeCrypto.KeyObject {
  const known = new WeakMap<Uint8Array, NodeCrypto.KeyObject>();
  return (bytes) => {
    const key = known.get(bytes) ?? read(bytes);
    known.set(bytes, key);
    return key;
  };
}

function derOf(prefix: Uint8Array, bytes: Uint8Array): Buffer {
  return Buffer.from(concatBytes([prefix, bytes]));
}

function nodeCrypto(): typeof NodeCrypto {
  return process.getBuiltinModule('node:crypto');
}
