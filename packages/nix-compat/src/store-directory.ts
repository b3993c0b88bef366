/**
 * The directory whose entries are store objects, usually `/nix/store`, and the computation of paths in it.
 *
 * A path is derived from a fingerprint, `<type>:<algorithm>:<hex digest>:<directory>:<name>`: its SHA-256, folded by
 * exclusive or to 20 bytes, is the hash part. The type says what the digest is of:
 *
 *     text[:<reference>…]             the contents of a file which mentions these paths
 *     source[:<reference>…][:self]    the NAR of a tree, SHA-256
 *     output:out                      `fixed:out:[r:|git:]<algorithm>:<hex>:`, for every other fixed content
 *     output:<id>                     a derivation, modulo its fixed-output inputs
 *
 * Described in the Nix manual under "Store path specification".
 */
import { type Digest, encodeNixBase32, encodeUtf8, type HashFunctions } from '@neve/bytes';
import { NixCompatError } from './nix-compat-error.ts';
import { StorePath, hashPartLength, parseStorePath } from './store-path.ts';

/** How the digest of a fixed content was taken. */
export type FixedMethod = 'flat' | 'nar' | 'git';

export type FixedContent = {
  readonly name: string;
  readonly method: FixedMethod;
  readonly digest: Digest;
  /** Absolute paths; only a SHA-256 of a NAR may have any. */
  readonly references?: readonly string[];
  readonly selfReference?: boolean;
};

export type TextContent = {
  readonly name: string;
  /** SHA-256 of the text. */
  readonly digest: Digest;
  /** Absolute paths. */
  readonly references: readonly string[];
};

/** A path that lies in the store: the object, and what follows it (`''` or `/…`). */
export type PathInStore = {
  readonly storePath: StorePath;
  readonly rest: string;
};

export class StoreDirectory {
  readonly path: string;
  readonly #hashes: HashFunctions;

  constructor(path: string, hashes: HashFunctions) {
    this.path = path;
    this.#hashes = hashes;
  }

  /** The absolute path of a store object. */
  print(storePath: StorePath): string {
    return `${this.path}/${storePath.baseName}`;
  }

  /** Reads the absolute path of a store object, no more and no less. Throws `NixCompatError`. */
  parse(path: string): StorePath {
    const { storePath, rest } = this.locate(path);
    if (rest !== '') throw this.#notInStore(path);
    return storePath;
  }

  /** Whether it is the absolute path of a store object, no more and no less. */
  isStorePath(path: string): boolean {
    try {
      this.parse(path);
      return true;
    } catch (error) {
      if (error instanceof NixCompatError) return false;
      throw error;
    }
  }

  /** Splits an absolute path in the store into the object and the path below it. Throws `NixCompatError`. */
  locate(path: string): PathInStore {
    const prefix = `${this.path}/`;
    if (!path.startsWith(prefix) || path === prefix) throw this.#notInStore(path);
    const slash = path.indexOf('/', prefix.length);
    const end = slash === -1 ? path.length : slash;
    return { storePath: parseStorePath(path.slice(prefix.length, end)), rest: path.slice(end) };
  }

  /** Where a text is kept. References may come in any order. */
  textPath({ name, digest, references }: TextContent): StorePath {
    return this.makePath(withReferences('text', references, false), digest, name);
  }

  /** Where contents are kept whose digest is known beforehand. Throws `NixCompatError` for references it cannot have. */
  fixedPath({ name, method, digest, references = [], selfReference = false }: FixedContent): StorePath {
    if (method === 'nar' && digest.algorithm === 'sha256') {
      return this.makePath(withReferences('source', references, selfReference), digest, name);
    }
    if (references.length > 0 || selfReference) {
      throw new NixCompatError('bad-reference', `'${name}' has a fixed content that cannot have references`);
    }
    const prefix = { flat: '', nar: 'r:', git: 'git:' }[method];
    const inner = encodeUtf8(`fixed:out:${prefix}${digest.algorithm}:${digest.format('hex')}:`);
    return this.makePath('output:out', this.#hashes.hash('sha256', inner), name);
  }

  /** The path for a type, a digest and a name: what all others come down to. */
  makePath(type: string, digest: Digest, name: string): StorePath {
    const fingerprint = `${type}:${digest.algorithm}:${digest.format('hex')}:${this.path}:${name}`;
    const hash = this.#hashes.hash('sha256', encodeUtf8(fingerprint));
    return new StorePath(encodeNixBase32(foldBytes(hash.bytes, (hashPartLength * 5) / 8)), name);
  }

  #notInStore(path: string): NixCompatError {
    return new NixCompatError('not-in-store', `path '${path}' is not in the Nix store`);
  }
}

/** Bytes folded to a shorter length by exclusive or, byte `i` onto `i mod length`. */
export function foldBytes(bytes: Uint8Array, length: number): Uint8Array {
  const folded = new Uint8Array(length);
  for (let i = 0; i < bytes.length; i++) {
    folded[i % length] = (folded[i % length] as number) ^ (bytes[i] as number);
  }
  return folded;
}

/** Store paths are ASCII, so the order of code units is the order of bytes. */
function withReferences(type: string, references: readonly string[], self: boolean): string {
  return [type, ...[...references].sort(), ...(self ? ['self'] : [])].join(':');
}
