/**
 * `EvalIO` without a world: the files of the program in one folder, a store in memory which keeps what evaluation puts
 * there, no environment and no network. Everything is answered at once. Store paths are those of any other Nix, since
 * the same contents are hashed in the same way.
 */
import { Digest, type HashFunctions, compareBytes, concatBytes, decodeUtf8, encodeUtf8 } from '@neve/bytes';
import {
  type AddPathOptions,
  type AddedPath,
  type DirectoryEntry,
  type EvalIO,
  EvalIOError,
  type FileType,
  type HashBytes,
  type PathSet,
} from '@neve/eval';
import { NarWriter, NixCompatError, StoreDirectory } from '@neve/nix-compat';

/** Where the files of the program are. */
export const projectFolder = '/playground';
export const storeFolder = '/nix/store';

export type MemoryWorld = {
  readonly io: EvalIO;
  readonly store: StoreDirectory;
  /** ATerms of derivations by store path, in the order in which they arose. */
  readonly derivations: ReadonlyMap<string, Uint8Array>;
};

export type MemoryWorldOptions = {
  /** Contents by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly hash: HashBytes;
  readonly onMessage: EvalIO['message'];
};

export function memoryWorld({ files, hash, onMessage }: MemoryWorldOptions): MemoryWorld {
  const tree = new MemoryTree();
  for (const [name, contents] of files) tree.write(`${projectFolder}/${name}`, contents);
  tree.addFolder(storeFolder);
  const store = new StoreDirectory(storeFolder, hashFunctions(hash));
  const derivations = new Map<string, Uint8Array>();

  function addPath(options: AddPathOptions): AddedPath {
    const { path, name, method, hashAlgorithm: algorithm, accepted, expected } = options;
    const from = decodeUtf8(path);
    if (method === 'git')
      throw new EvalIOError('not-supported', 'git tree hashing is not supported here', { path });
    const contents = method === 'nar' ? tree.archive(from, accepted) : tree.read(from);
    const digest = hash(algorithm, contents);
    if (expected !== undefined && !digest.equals(new Digest(algorithm, expected))) {
      const message = `store path mismatch in (possibly filtered) path added from '${from}'`;
      throw new EvalIOError('hash-mismatch', message, { path });
    }
    const storePath = asIOError(() =>
      store.print(
        method === 'text'
          ? store.textPath({ name, digest, references: [] })
          : store.fixedPath({ name, digest, method }),
      ),
    );
    tree.copy(from, storePath, accepted);
    return { storePath, digest: digest.bytes };
  }

  const io: EvalIO = {
    readFile: (path) => tree.read(decodeUtf8(path)),
    fileType: (path) => tree.type(decodeUtf8(path)),
    readDirectory: (path) => tree.entries(decodeUtf8(path)),
    readLink: (path) => {
      throw new EvalIOError('not-a-symlink', `'${decodeUtf8(path)}' is not a symlink`, { path });
    },
    environmentVariable: () => undefined,
    currentTime: () => Math.floor(Date.now() / 1000),
    addPathToStore: addPath,
    hashFile: ({ path, hashAlgorithm }) => hash(hashAlgorithm, tree.read(decodeUtf8(path))).bytes,
    addTextToStore({ name, contents, references }) {
      const digest = hash('sha256', contents);
      const storePath = asIOError(() => store.print(store.textPath({ name, digest, references })));
      tree.write(storePath, contents.slice());
      return storePath;
    },
    writeDerivation({ storePath, contents }) {
      const kept = contents.slice();
      derivations.set(storePath, kept);
      tree.write(storePath, kept);
    },
    isValidStorePath: (path) => {
      const text = decodeUtf8(path);
      return text.lastIndexOf('/') === storeFolder.length && tree.type(text) !== undefined;
    },
    toStorePath: (path) => asIOError(() => store.print(store.locate(decodeUtf8(path)).storePath)),
    message: onMessage,
  };
  return { io, store, derivations };
}

/** Regular files and folders by path; a folder that holds something is there. */
class MemoryTree {
  readonly #files = new Map<string, Uint8Array>();
  /** Names in each folder. */
  readonly #folders = new Map<string, Set<string>>([['/', new Set()]]);

  addFolder(path: string): void {
    if (this.#folders.has(path)) return;
    this.#folders.set(path, new Set());
    this.#enter(path);
  }

  write(path: string, contents: Uint8Array): void {
    this.#files.set(path, contents);
    this.#enter(path);
  }

  type(path: string): FileType | undefined {
    if (this.#files.has(path)) return 'regular';
    return this.#folders.has(path) ? 'directory' : undefined;
  }

  read(path: string): Uint8Array {
    const contents = this.#files.get(path);
    if (contents !== undefined) return contents;
    if (this.#folders.has(path)) {
      throw new EvalIOError('is-directory', `cannot read '${path}': it is a directory`, {
        path: encodeUtf8(path),
      });
    }
    throw new EvalIOError('not-found', `path '${path}' does not exist`, { path: encodeUtf8(path) });
  }

  entries(path: string): DirectoryEntry[] {
    const names = this.#folders.get(path);
    if (names === undefined) {
      const message = `cannot read directory '${path}': it is not there`;
      throw new EvalIOError('not-a-directory', message, { path: encodeUtf8(path) });
    }
    return Array.from(names, (name) => ({
      name: encodeUtf8(name),
      type: this.#files.has(join(path, name)) ? 'regular' : 'directory',
    }));
  }

  /** The NAR of what is at a path; of the entries below it those that were accepted. */
  archive(path: string, accepted: PathSet | undefined): Uint8Array {
    const pieces: Uint8Array[] = [];
    const nar = new NarWriter((bytes) => pieces.push(bytes.slice()));
    const write = (at: string, relative: string): void => {
      if (!this.#folders.has(at)) {
        const contents = this.read(at);
        nar.startRegular(contents.length, false);
        nar.contents(contents);
        nar.endRegular();
        return;
      }
      nar.startDirectory();
      const names = this.entries(at).map((entry) => entry.name);
      for (const name of names.sort(compareBytes)) {
        const below = relative === '' ? decodeUtf8(name) : `${relative}/${decodeUtf8(name)}`;
        if (accepted !== undefined && !accepted.has(encodeUtf8(below))) continue;
        nar.entry(name);
        write(join(at, decodeUtf8(name)), below);
      }
      nar.endDirectory();
    };
    write(path, '');
    nar.end();
    return concatBytes(pieces);
  }

  copy(from: string, to: string, accepted: PathSet | undefined): void {
    const visit = (relative: string): void => {
      const at = relative === '' ? from : join(from, relative);
      const target = relative === '' ? to : join(to, relative);
      if (!this.#folders.has(at)) {
        this.write(target, this.read(at));
        return;
      }
      this.addFolder(target);
      for (const { name } of this.entries(at)) {
        const below = relative === '' ? decodeUtf8(name) : `${relative}/${decodeUtf8(name)}`;
        if (accepted === undefined || accepted.has(encodeUtf8(below))) visit(below);
      }
    };
    visit('');
  }

  /** Makes the folders above a path, and the path known to them. */
  #enter(path: string): void {
    const slash = path.lastIndexOf('/');
    const parent = slash === 0 ? '/' : path.slice(0, slash);
    this.addFolder(parent);
    this.#folders.get(parent)?.add(path.slice(slash + 1));
  }
}

function join(folder: string, name: string): string {
  return folder === '/' ? `/${name}` : `${folder}/${name}`;
}

function hashFunctions(hash: HashBytes): HashFunctions {
  return {
    hash,
    create(algorithm) {
      const pieces: Uint8Array[] = [];
      return {
        update: (bytes) => pieces.push(bytes.slice()),
        digest: () => hash(algorithm, concatBytes(pieces)),
      };
    },
  };
}

/** What is wrong with a store path is the program's error. */
function asIOError<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof NixCompatError)) throw error;
    const code = error.code === 'not-in-store' ? 'not-in-store' : 'invalid-name';
    throw new EvalIOError(code, error.message, { cause: error });
  }
}
