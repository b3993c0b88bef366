/**
 * Signatures of store objects, and the keys that make and check them: Ed25519 over a fingerprint.
 *
 *     fingerprint = "1;" path ";sha256:" nixbase32 ";" NAR size ";" references joined with ","     paths are absolute
 *     signature   = key name ":" base64 of 64 bytes
 *     public key  = key name ":" base64 of 32 bytes
 *     secret key  = key name ":" base64 of 32 bytes of seed and the 32 bytes of the public key
 *
 * A key name is not empty and has neither a colon nor white space, since lists of keys are separated by that. Ed25519
 * itself is a parameter; `@neve/nix-compat/node` has Node's.
 */
import { type Digest, concatBytes, decodeBase64, encodeBase64, encodeUtf8, equalBytes } from '@neve/bytes';
import { NixCompatError, type NixCompatErrorCode } from './nix-compat-error.ts';
import type { StoreDirectory } from './store-directory.ts';
import { type StorePath, storePathSet } from './store-path.ts';

/** The signature scheme of RFC 8032. Seeds and public keys have 32 bytes, signatures 64. */
export interface Ed25519 {
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  publicKey(seed: Uint8Array): Uint8Array;
}

const seedLength = 32;
const publicKeyLength = 32;
const signatureLength = 64;

export type Signature = {
  readonly keyName: string;
  /** 64 bytes. */
  readonly bytes: Uint8Array;
};

export type PublicKey = {
  readonly name: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
};

export type SecretKey = {
  readonly name: string;
  /** 32 bytes. */
  readonly seed: Uint8Array;
  /** 32 bytes, which follow from the seed. */
  readonly publicKey: Uint8Array;
};

/** What a signature vouches for. A narinfo has it all. */
export type SignedPathInfo = {
  readonly storePath: StorePath;
  /** SHA-256. */
  readonly narHash: Digest;
  /** In bytes, at least 1. */
  readonly narSize: number;
  /** In any order; the path itself when it mentions itself. */
  readonly references: readonly StorePath[];
};

/** What is signed. Throws `NixCompatError` for a hash or a size that no NAR of a store object has. */
export function fingerprintPathInfo(store: StoreDirectory, info: SignedPathInfo): string {
  const { storePath, narHash, narSize, references } = info;
  const path = store.print(storePath);
  if (narHash.algorithm !== 'sha256' || !Number.isSafeInteger(narSize) || narSize <= 0) {
    const nar = `a NAR of ${narSize} bytes with a ${narHash.algorithm}`;
    throw new NixCompatError('bad-signature', `'${path}' cannot be signed: ${nar} has no fingerprint`);
  }
  const paths = storePathSet(references).map((it) => store.print(it));
  return `1;${path};sha256:${narHash.format('nix32')};${narSize};${paths.join(',')}`;
}

export function signFingerprint(fingerprint: string, key: SecretKey, ed25519: Ed25519): Signature {
  return { keyName: key.name, bytes: ed25519.sign(key.seed, encodeUtf8(fingerprint)) };
}

/** Whether the signature is right by a key of its name. Without such a key it is not. */
export function verifyFingerprint(
  fingerprint: string,
  { signature, keys }: { readonly signature: Signature; readonly keys: Iterable<PublicKey> },
  ed25519: Ed25519,
): boolean {
  const message = encodeUtf8(fingerprint);
  for (const key of keys) {
    if (key.name === signature.keyName && ed25519.verify(key.bytes, message, signature.bytes)) return true;
  }
  return false;
}

export function printSignature({ keyName, bytes }: Signature): string {
  return `${keyName}:${encodeBase64(bytes)}`;
}

/** Throws `NixCompatError`. */
export function parseSignature(text: string): Signature {
  const { name, bytes } = parseNamedBytes(text, {
    what: 'signature',
    code: 'bad-signature',
    shown: `'${text}'`,
  });
  if (bytes.length !== signatureLength) {
    throw new NixCompatError(
      'bad-signature',
      `signature '${text}' has ${bytes.length} bytes, not ${signatureLength}`,
    );
  }
  return { keyName: name, bytes };
}

export function printPublicKey({ name, bytes }: PublicKey): string {
  return `${name}:${encodeBase64(bytes)}`;
}

/** Reads a key; white space around it is left out, as files end with some. Throws `NixCompatError`. */
export function parsePublicKey(text: string): PublicKey {
  const { name, bytes } = parseNamedBytes(text.trim(), {
    what: 'public key',
    code: 'bad-key',
    shown: `'${text.trim()}'`,
  });
  if (bytes.length !== publicKeyLength) {
    throw badKey(`public key '${text.trim()}' has ${bytes.length} bytes, not ${publicKeyLength}`);
  }
  return { name, bytes };
}

export function printSecretKey({ name, seed, publicKey }: SecretKey): string {
  return `${name}:${encodeBase64(concatBytes([seed, publicKey]))}`;
}

/**
 * Reads a key; white space around it is left out, as files end with some. Throws `NixCompatError`, which never shows more
 * of it than its name, also when the two halves do not belong together.
 */
export function parseSecretKey(text: string, ed25519: Ed25519): SecretKey {
  const { name, bytes } = parseNamedBytes(text.trim(), {
    what: 'secret key',
    code: 'bad-key',
    shown: undefined,
  });
  if (bytes.length !== seedLength + publicKeyLength) {
    throw badKey(`secret key '${name}' has ${bytes.length} bytes, not ${seedLength + publicKeyLength}`);
  }
  const seed = bytes.slice(0, seedLength);
  const publicKey = bytes.slice(seedLength);
  if (!equalBytes(ed25519.publicKey(seed), publicKey)) {
    throw badKey(`secret key '${name}' is damaged: its public half does not follow from its secret half`);
  }
  return { name, seed, publicKey };
}

/** A new key from the platform's secure random numbers. Throws `NixCompatError` for a name that no key can have. */
export function generateSecretKey(name: string, ed25519: Ed25519): SecretKey {
  if (!isKeyName(name))
    throw badKey(`'${name}' cannot name a key: it is empty or has a colon or white space`);
  const seed = crypto.getRandomValues(new Uint8Array(seedLength));
  return { name, seed, publicKey: ed25519.publicKey(seed) };
}

/** The key by which signatures of this one are checked. */
export function publicKeyOf({ name, publicKey }: SecretKey): PublicKey {
  return { name, bytes: publicKey };
}

function isKeyName(name: string): boolean {
  return /^[^:\s]+$/.test(name);
}

type NamedBytes = { readonly name: string; readonly bytes: Uint8Array };

type NamedBytesKind = {
  readonly what: string;
  readonly code: NixCompatErrorCode;
  /** How a message shows the whole text; absent for a secret. */
  readonly shown: string | undefined;
};

function parseNamedBytes(text: string, { what, code, shown }: NamedBytesKind): NamedBytes {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon));
  if (!isKeyName(name)) {
    throw new NixCompatError(
      code,
      `${what}${shown === undefined ? '' : ` ${shown}`} is not '<name>:<base 64>'`,
    );
  }
  try {
    return { name, bytes: decodeBase64(text.slice(colon + 1)) };
  } catch {
    // The cause would show the text, which may be a secret.
    throw new NixCompatError(code, `${what} ${shown ?? `'${name}'`} is not base 64 after its name`);
  }
}

function badKey(message: string): NixCompatError {
  return new NixCompatError('bad-key', message);
}
