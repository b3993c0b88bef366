/**
 * `EvalIO` over the files of the machine and a plain directory as the store.
 *
 * Read only, store paths are computed and nothing is written: an object that was "added" is not there afterwards, and
 * reading it fails as it does in Nix. Otherwise it is written into the store directory before its path is returned.
 * Everything is answered at once.
 */
import { Digest, type HashAlgorithm, type HashFunctions, byteKey, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import {
  type AddPathOptions,
  type AddTextOptions,
  type AddedPath,
  type EvalIO,
  EvalIOError,
  type PathSet,
  type WriteDerivationOptions,
  asIOError,
} from '@neve/eval';
import { NarWriter, StoreDirectory, type StorePath } from '@neve/nix-compat';
import { type TreeVisitor, archiveVisitor, walkTree } from './archive-path.ts';
import { DirectoryStore } from './directory-store.ts';
import { type FileSignature, HostFiles } from './host-files.ts';

export type FileSystemIOOptions = {
  /** The store directory as it stands in store paths, usually `/nix/store`. */
  readonly storeDir: string;
  /** Where the store's files are, when that is elsewhere. */
  readonly physicalStoreDir?: string | undefined;
  /** Computes store paths and writes nothing. */
  readonly readOnly: boolean;
  /** What `builtins.getEnv` may see. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Seconds since 1970; the time of the call, without it. */
  readonly currentTime?: number | undefined;
  /** Forces store objects to disk before they are visible; on by default. */
  readonly fsync?: boolean;
  /** What contents and store paths are hashed with; `node:crypto`, without it. */
  readonly hashes?: HashFunctions;
  readonly onMessage: EvalIO['message'];
};

export type FileSystemIO = EvalIO & {
  /** The signature of a path, by its `byteKey`, from when it was first looked at; undefined when it was not. */
  signatureOf(key: string): FileSignature | undefined;
};

export function createFileSystemIO(options: FileSystemIOOptions): FileSystemIO {
  const {
    storeDir,
    physicalStoreDir = storeDir,
    readOnly,
    environment,
    onMessage,
    fsync = true,
    hashes = nodeHashes,
  } = options;
  const currentTime = options.currentTime ?? Math.floor(Date.now() / 1000);
  const files = new HostFiles(storeDir, physicalStoreDir);
  const paths = new StoreDirectory(storeDir, hashes);
  const store = new DirectoryStore(physicalStoreDir, { fsync });
  /** Digests of whole paths by algorithm, method and path. */
  const digests = new Map<string, Digest>();

  return {
    readFile: (path) => files.read(path),
    withContents: (path, use) => files.withContents(path, use),
    fileType: (path) => files.status(path)?.type,
    readDirectory: (path) => files.list(path),
    readLink: (path) => files.readLink(path),
    environmentVariable(name) {
      const value = environment[decodeUtf8(name)];
      return value === undefined ? undefined : encodeUtf8(value);
    },
    currentTime: () => currentTime,
    addPathToStore: (request) => addPath(request),
    hashFile: ({ path, hashAlgorithm }) =>
      hashOf({ path, method: 'flat', algorithm: hashAlgorithm, accepted: undefined }).bytes,
    hashBytes: (bytes, algorithm) => nodeHashes.hash(algorithm, bytes).bytes,
    addTextToStore: (request) => addText(request),
    writeDerivation: (request) => writeDerivation(request),
    isValidStorePath(path) {
      const text = decodeUtf8(path);
      return paths.isStorePath(text) && files.status(path) !== undefined;
    },
    toStorePath: (path) => toStorePath(decodeUtf8(path)),
    message: onMessage,
    signatureOf: (key) => files.signatureOf(key),
  };

  function addPath(request: AddPathOptions): AddedPath {
    const { path, method, hashAlgorithm: algorithm, accepted, expected } = request;
    if (method === 'git' || algorithm === 'blake3') {
      const what = method === 'git' ? 'git tree hashing' : 'BLAKE3';
      throw new EvalIOError('not-supported', `adding a path by ${what} is not supported yet`, { path });
    }
    if (expected !== undefined) {
      const known = storePathFor(request, new Digest(algorithm, expected));
      if (store.has(known.baseName)) return { storePath: paths.print(known), digest: expected };
    }
    const digest = digestOf(request);
    if (expected !== undefined && !digest.equals(new Digest(algorithm, expected))) {
      const message = `store path mismatch in (possibly filtered) path added from '${decodeUtf8(path)}'`;
      throw new EvalIOError('hash-mismatch', message, { path });
    }
    const storePath = storePathFor(request, digest);
    if (!readOnly) {
      const { baseName } = storePath;
      store.writeTree(baseName, (visitor) => {
        const copied = hashOf({ path, method, algorithm, accepted }, visitor);
        if (!copied.equals(digest)) throw changed(path);
      });
      files.forget(paths.print(storePath));
    }
    return { storePath: paths.print(storePath), digest: digest.bytes };
  }

  /** The digest of a path; one of a whole path is remembered. */
  function digestOf({ path, method, hashAlgorithm: algorithm, accepted }: AddPathOptions): Digest {
    if (accepted !== undefined) return hashOf({ path, method, algorithm, accepted });
    const key = `${algorithm} ${method} ${byteKey(path)}`;
    const known = digests.get(key);
    if (known !== undefined) return known;
    const digest = hashOf({ path, method, algorithm, accepted });
    digests.set(key, digest);
    return digest;
  }

  /** Reads a path once, hashes it, and shows it to the visitor. */
  function hashOf({ path, method, algorithm, accepted }: HashRequest, visitor?: TreeVisitor): Digest {
    const hasher = hashes.create(algorithm);
    if (method === 'nar') {
      const nar = new NarWriter((bytes) => hasher.update(bytes));
      walkTree({ files, path, accepted }, archiveVisitor(nar, visitor));
      nar.end();
    } else {
      files.stream(path, {
        start: (sizeBytes) => visitor?.startFile(new Uint8Array(), sizeBytes, false),
        chunk(bytes) {
          hasher.update(bytes);
          visitor?.contents(bytes);
        },
      });
      visitor?.endFile();
    }
    return hasher.digest();
  }

  function storePathFor({ name, method }: AddPathOptions, digest: Digest): StorePath {
    return asIOError(() =>
      method === 'text'
        ? paths.textPath({ name, digest, references: [] })
        : paths.fixedPath({ name, digest, method: method === 'nar' ? 'nar' : 'flat' }),
    );
  }

  function addText({ name, contents, references }: AddTextOptions): string {
    const digest = hashes.hash('sha256', contents);
    const storePath = asIOError(() => paths.textPath({ name, digest, references }));
    const printed = paths.print(storePath);
    if (!readOnly) {
      store.writeFile(storePath.baseName, contents);
      files.forget(printed);
    }
    return printed;
  }

  function writeDerivation({ storePath, contents }: WriteDerivationOptions): void {
    if (readOnly) return;
    store.writeFile(asIOError(() => paths.parse(storePath)).baseName, contents);
    files.forget(storePath);
  }

  function toStorePath(path: string): string {
    const { storePath } = asIOError(() => paths.locate(path));
    const printed = paths.print(storePath);
    if (readOnly || store.has(storePath.baseName)) return printed;
    const message = `path '${printed}' is required, but there is no substituter that can build it`;
    throw new EvalIOError('not-found', message, { path: encodeUtf8(path) });
  }
}

type HashRequest = {
  readonly path: Uint8Array;
  readonly method: AddPathOptions['method'];
  readonly algorithm: HashAlgorithm;
  readonly accepted: PathSet | undefined;
};

function changed(path: Uint8Array): EvalIOError {
  return new EvalIOError('io-error', `path '${decodeUtf8(path)}' changed while it was copied to the store`, {
    path,
  });
}
