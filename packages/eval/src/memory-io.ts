/**
 * `EvalIO` in memory: files that the caller gives, and a store which is these files' neighbour. It needs no machine, so
 * that a program that embeds the evaluator, a browser or a test can start with it.
 *
 * What evaluation puts into the store is there afterwards and can be read (texts and derivations with the setting
 * `writesStore`), but nothing is built or fetched. Every answer comes at once.
 */
import {
  Digest,
  type HashAlgorithm,
  type HashFunctions,
  compareBytes,
  concatBytes,
  decodeUtf8,
  encodeUtf8,
} from '@neve/bytes';
import { NarWriter, StoreDirectory, type StorePath } from '@neve/nix-compat';
import { type HashBytes, coreHash } from './core-hashes.ts';
import {
  type AddPathOptions,
  type AddTextOptions,
  type AddedPath,
  type EvalIO,
  EvalIOError,
  type PathSet,
} from './eval-io.ts';
import { asIOError } from './store-path-errors.ts';

/** Contents by absolute path; the directories follow from the paths. */
export type MemoryFiles = Readonly<Record<string, string | Uint8Array>>;

export type MemoryIOOptions = {
  /** The language core, whose hash functions compute store paths. */
  readonly core: WebAssembly.Module;
  readonly files?: MemoryFiles;
  /** `/nix/store` without it; the same as the evaluator's setting. */
  readonly storeDir?: string;
  /** What `builtins.getEnv` sees; nothing, without it. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Seconds since 1970; 0 without it, so that evaluations are repeatable. */
  readonly currentTime?: number;
  /** Hears of `builtins.trace`, `builtins.warn` and warnings; nobody does, without it. */
  readonly onMessage?: EvalIO['message'];
};

type MemoryFile = { readonly contents: Uint8Array };
type MemoryDirectory = { readonly entries: Map<string, MemoryNode> };
type MemoryNode = MemoryFile | MemoryDirectory;

export function createMemoryIO(options: MemoryIOOptions): EvalIO {
  const { core, files = {}, storeDir = '/nix/store', environment = {}, currentTime = 0 } = options;
  const hashes = hashFunctions(coreHash(core));
  const paths = new StoreDirectory(storeDir, hashes);
  const root: MemoryDirectory = { entries: new Map() };
  put(root, storeDir, { entries: new Map() });
  for (const [path, contents] of Object.entries(files)) {
    put(root, path, { contents: typeof contents === 'string' ? encodeUtf8(contents) : contents });
  }
  return {
    readFile: (path) => fileAt(root, path).contents,
    fileType(path) {
      const node = nodeAt(root, decodeUtf8(path));
      if (node === undefined) return undefined;
      return 'entries' in node ? 'directory' : 'regular';
    },
    readDirectory: (path) => entriesAt(root, path),
    readLink(path) {
      throw new EvalIOError('not-a-symlink', `'${decodeUtf8(path)}' is not a symlink`, { path });
    },
    environmentVariable(name) {
      const key = decodeUtf8(name);
      const value = Object.hasOwn(environment, key) ? environment[key] : undefined;
      return value === undefined ? undefined : encodeUtf8(value);
    },
    currentTime: () => currentTime,
    addPathToStore: (request) => addPath(request),
    hashFile: ({ path, hashAlgorithm }) => hashes.hash(hashAlgorithm, fileAt(root, path).contents).bytes,
    addTextToStore: (request) => addText(request),
    writeDerivation: ({ storePath, contents }) => put(root, storePath, { contents: contents.slice() }),
    isValidStorePath(path) {
      const text = decodeUtf8(path);
      return paths.isStorePath(text) && nodeAt(root, text) !== undefined;
    },
    toStorePath(path) {
      const { storePath } = asIOError(() => paths.locate(decodeUtf8(path)));
      const printed = paths.print(storePath);
      if (nodeAt(root, printed) !== undefined) return printed;
      throw new EvalIOError('not-found', `path '${printed}' is not valid`, { path });
    },
    message: options.onMessage ?? (() => {}),
  };

  function addPath(request: AddPathOptions): AddedPath {
    const { path, name, method, hashAlgorithm, accepted, expected } = request;
    if (method === 'git') {
      throw new EvalIOError('not-supported', 'adding a path by git tree hashing is not supported yet', {
        path,
      });
    }
    const node = acceptedPart(existing(root, path), accepted, '');
    const bytes = method === 'nar' ? narOf(node) : fileAt(root, path).contents;
    const digest = hashes.hash(hashAlgorithm, bytes);
    if (expected !== undefined && !digest.equals(new Digest(hashAlgorithm, expected))) {
      const message = `store path mismatch in (possibly filtered) path added from '${decodeUtf8(path)}'`;
      throw new EvalIOError('hash-mismatch', message, { path });
    }
    const storePath = asIOError(() =>
      method === 'text'
        ? paths.textPath({ name, digest, references: [] })
        : paths.fixedPath({ name, digest, method: method === 'nar' ? 'nar' : 'flat' }),
    );
    return { storePath: putInStore(storePath, node), digest: digest.bytes };
  }

  function addText({ name, contents, references }: AddTextOptions): string {
    const digest = hashes.hash('sha256', contents);
    const storePath = asIOError(() => paths.textPath({ name, digest, references }));
    return putInStore(storePath, { contents: contents.slice() });
  }

  function putInStore(storePath: StorePath, node: MemoryNode): string {
    const printed = paths.print(storePath);
    put(root, printed, node);
    return printed;
  }
}

/** Puts a node at an absolute path; directories on the way are made. */
function put(root: MemoryDirectory, path: string, node: MemoryNode): void {
  const names = path.split('/').filter((name) => name !== '');
  const last = names.pop();
  if (!path.startsWith('/') || last === undefined) {
    throw new EvalIOError('invalid-name', `'${path}' is not the absolute path of a file`);
  }
  let directory = root;
  for (const name of names) {
    const below = directory.entries.get(name) ?? { entries: new Map<string, MemoryNode>() };
    if (!('entries' in below)) {
      throw new EvalIOError('not-a-directory', `'${path}' lies below '${name}', which is a file`);
    }
    directory.entries.set(name, below);
    directory = below;
  }
  directory.entries.set(last, node);
}

function nodeAt(root: MemoryDirectory, path: string): MemoryNode | undefined {
  let node: MemoryNode | undefined = root;
  for (const name of path.split('/')) {
    if (name === '') continue;
    node = node !== undefined && 'entries' in node ? node.entries.get(name) : undefined;
  }
  return node;
}

function existing(root: MemoryDirectory, path: Uint8Array): MemoryNode {
  const node = nodeAt(root, decodeUtf8(path));
  if (node !== undefined) return node;
  throw new EvalIOError('not-found', `path '${decodeUtf8(path)}' does not exist`, { path });
}

function fileAt(root: MemoryDirectory, path: Uint8Array): MemoryFile {
  const node = existing(root, path);
  if ('contents' in node) return node;
  throw new EvalIOError('is-directory', `reading file '${decodeUtf8(path)}': Is a directory`, { path });
}

function entriesAt(root: MemoryDirectory, path: Uint8Array): ReturnType<EvalIO['readDirectory']> {
  const node = existing(root, path);
  if (!('entries' in node)) {
    const message = `cannot read directory "${decodeUtf8(path)}": Not a directory`;
    throw new EvalIOError('not-a-directory', message, { path });
  }
  return [...node.entries].map(([name, entry]) => ({
    name: encodeUtf8(name),
    type: 'entries' in entry ? 'directory' : 'regular',
  }));
}

/** A node without what a filter has left out; `relative` is its path below the root of what is added. */
function acceptedPart(node: MemoryNode, accepted: PathSet | undefined, relative: string): MemoryNode {
  if (accepted === undefined || !('entries' in node)) return node;
  const entries = new Map<string, MemoryNode>();
  for (const [name, entry] of node.entries) {
    const below = relative === '' ? name : `${relative}/${name}`;
    if (accepted.has(encodeUtf8(below))) entries.set(name, acceptedPart(entry, accepted, below));
  }
  return { entries };
}

function narOf(node: MemoryNode): Uint8Array {
  const chunks: Uint8Array[] = [];
  const nar = new NarWriter((bytes) => chunks.push(bytes.slice()));
  writeNode(nar, node);
  nar.end();
  return concatBytes(chunks);
}

function writeNode(nar: NarWriter, node: MemoryNode): void {
  if ('contents' in node) {
    nar.startRegular(node.contents.length, false);
    nar.contents(node.contents);
    nar.endRegular();
    return;
  }
  nar.startDirectory();
  const entries = [...node.entries].map(([name, entry]) => ({ name: encodeUtf8(name), entry }));
  for (const { name, entry } of entries.sort((left, right) => compareBytes(left.name, right.name))) {
    nar.entry(name);
    writeNode(nar, entry);
  }
  nar.endDirectory();
}

/** The core hashes what is all there, so that a hash under way keeps its input. */
function hashFunctions(hash: HashBytes): HashFunctions {
  return {
    hash,
    create(algorithm: HashAlgorithm) {
      const chunks: Uint8Array[] = [];
      return {
        update(bytes) {
          chunks.push(bytes.slice());
        },
        digest: () => hash(algorithm, concatBytes(chunks)),
      };
    },
  };
}
