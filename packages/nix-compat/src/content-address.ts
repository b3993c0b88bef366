/**
 * What the path of a content-addressed store object was computed from: a method and a digest. In a narinfo it is
 *
 *     text:sha256:<digest>                       a file's text, which may mention other paths
 *     fixed:<algorithm>:<digest>                 a file's contents
 *     fixed:r:<algorithm>:<digest>               a NAR
 *     fixed:git:<sha1 | sha256>:<digest>         a git object
 *
 * The digest is printed in nixbase32; hex and base 64 are read too, as Nix does.
 */
import { BytesError, type Digest, isHashAlgorithm, parseDigest } from '@neve/bytes';
import { NixCompatError } from './nix-compat-error.ts';
import type { FixedMethod, StoreDirectory } from './store-directory.ts';
import type { StorePath } from './store-path.ts';

/** How the digest of a content address was taken. */
export type ContentAddressMethod = 'text' | FixedMethod;

export type ContentAddress = {
  readonly method: ContentAddressMethod;
  readonly digest: Digest;
};

/** What stands in front of the algorithm. */
const prefixes = { text: 'text:', flat: 'fixed:', nar: 'fixed:r:', git: 'fixed:git:' } as const;

export function printContentAddress({ method, digest }: ContentAddress): string {
  return `${prefixes[method]}${digest.algorithm}:${digest.format('nix32')}`;
}

/** Throws `NixCompatError`. */
export function parseContentAddress(text: string): ContentAddress {
  const match = /^(text:|fixed:(?:r:|git:)?)([^:]+):([^:-]+)$/.exec(text);
  const [, prefix, algorithm, digestText] = match ?? [];
  if (prefix === undefined || algorithm === undefined || digestText === undefined) {
    throw bad(
      `'${text}' is not a content address: it is not '<text | fixed[:r | :git]>:<algorithm>:<digest>'`,
    );
  }
  if (!isHashAlgorithm(algorithm)) {
    throw bad(`content address '${text}' has the unknown hash algorithm '${algorithm}'`);
  }
  const contentAddress = {
    method: methodOf(prefix),
    digest: readDigest(text, () => parseDigest(digestText, algorithm)),
  };
  const problem = methodProblem(contentAddress);
  if (problem !== undefined) throw bad(`content address '${text}': ${problem}`);
  return contentAddress;
}

export type ContentAddressedObject = {
  readonly name: string;
  readonly contentAddress: ContentAddress;
  /** Other paths that the object mentions, in any order. */
  readonly references?: readonly StorePath[];
  /** Whether it mentions its own. */
  readonly selfReference?: boolean;
};

/** The path that the object has by its content address. Throws `NixCompatError` for references that it cannot have. */
export function contentAddressedPath(
  store: StoreDirectory,
  { name, contentAddress, references = [], selfReference = false }: ContentAddressedObject,
): StorePath {
  const problem = methodProblem(contentAddress);
  if (problem !== undefined) throw bad(`content address of '${name}': ${problem}`);
  const { method, digest } = contentAddress;
  const paths = references.map((path) => store.print(path));
  if (method !== 'text') return store.fixedPath({ name, method, digest, references: paths, selfReference });
  if (selfReference) throw new NixCompatError('bad-reference', `the text '${name}' cannot refer to itself`);
  return store.textPath({ name, digest, references: paths });
}

/** Not every method goes with every algorithm: there is no path for the others. */
function methodProblem({ method, digest: { algorithm } }: ContentAddress): string | undefined {
  if (method === 'text' && algorithm !== 'sha256') return `a text has a SHA-256, not '${algorithm}'`;
  if (method === 'git' && algorithm !== 'sha1' && algorithm !== 'sha256') {
    return `a git object has a SHA-1 or SHA-256, not '${algorithm}'`;
  }
  return undefined;
}

function methodOf(prefix: string): ContentAddressMethod {
  const methods = Object.keys(prefixes) as ContentAddressMethod[];
  return methods.find((method) => prefixes[method] === prefix) as ContentAddressMethod;
}

function readDigest(text: string, read: () => Digest): Digest {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof BytesError)) throw cause;
    throw bad(`content address '${text}' has a bad digest: ${cause.message}`, { cause });
  }
}

function bad(message: string, options?: ErrorOptions): NixCompatError {
  return new NixCompatError('bad-content-address', message, options);
}
