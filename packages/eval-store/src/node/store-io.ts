/**
 * `EvalIO` over the files of the machine and a store in castore.
 *
 * What evaluation puts into the store is only described: its path is computed and nothing is written. It is made when its
 * contents are wanted, which is also how a derivation is built in the middle of an evaluation. A path of the store
 * directory is looked for among the files of the machine first, where a Nix may have it; then in the store and among
 * what was described.
 *
 * The store is opened when it is needed for the first time, since most evaluations never do.
 */
import { decodeUtf8, encodeUtf8, equalBytes } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import type { Node } from '@neve/castore';
import {
  type AddPathOptions,
  type AddTextOptions,
  type AddedPath,
  type Answer,
  type EvalIO,
  EvalIOError,
  type FileType,
  type WriteDerivationOptions,
} from '@neve/eval';
import { NixCompatError, type StoreDirectory, type StorePath } from '@neve/nix-compat';
import type { KnownPaths, Realiser } from '@neve/realise';
import type { StoreServices } from '@neve/store';
import { addedPathOf, describedImport } from './described-import.ts';
import { HostFiles } from './host-files.ts';
import { notFound } from './io-errors.ts';
import { StoreTree, fileTypeOf } from './store-tree.ts';

export type StoreIOOptions = {
  /** Answers for everything outside of the store directory, and computes what store path a file would have. */
  readonly host: EvalIO;
  readonly storeDirectory: StoreDirectory;
  readonly known: KnownPaths;
  readonly open: () => Promise<OpenedStore>;
};

export type OpenedStore = { readonly store: StoreServices; readonly realiser: Realiser };

/** A path in the store: the object, and what comes after it, which is empty or begins with a slash. */
type Place = { readonly storePath: StorePath; readonly rest: Uint8Array };

export function createStoreIO(options: StoreIOOptions): EvalIO {
  const { host, storeDirectory, known } = options;
  const prefix = encodeUtf8(`${storeDirectory.path}/`);
  const files = new HostFiles(storeDirectory.path, storeDirectory.path);
  const nodes = new Map<string, Promise<Node | undefined>>();
  let opened: Promise<OpenedStore & { readonly tree: StoreTree }> | undefined;

  return {
    ...host,
    readFile: (path) =>
      inStore(
        path,
        () => host.readFile(path),
        (place) => readFile(place, path),
      ),
    withContents: (path, use) => {
      const place = placeOf(path);
      if (place !== undefined) return readFile(place, path).then(use);
      return host.withContents?.(path, use) ?? after(host.readFile(path), use);
    },
    fileType: (path) => inStore(path, () => host.fileType(path), fileType),
    readDirectory: (path) =>
      inStore(
        path,
        () => host.readDirectory(path),
        async (place) => (await open()).tree.list(await nodeAt(place), path),
      ),
    readLink: (path) =>
      inStore(
        path,
        () => host.readLink(path),
        async (place) => (await open()).tree.readLink(await nodeAt(place), path),
      ),
    hashFile: (request) => {
      const place = placeOf(request.path);
      if (place === undefined) return host.hashFile(request);
      return readFile(place, request.path).then(
        (contents) => nodeHashes.hash(request.hashAlgorithm, contents).bytes,
      );
    },
    addPathToStore: (request) => {
      const place = placeOf(request.path);
      return place === undefined ? addFromHost(request) : addFromStore(place, request);
    },
    addTextToStore: (request) => addText(request),
    writeDerivation: (request) => describeDerivation(request),
    isValidStorePath: (path) => {
      const place = placeOf(path);
      if (place === undefined) return host.isValidStorePath(path);
      return place.rest.length === 0 && isThere(place.storePath);
    },
    toStorePath: (path) => {
      const place = placeOf(path);
      return place === undefined ? host.toStorePath(path) : toStorePath(place.storePath, path);
    },
  };

  function open(): Promise<OpenedStore & { readonly tree: StoreTree }> {
    opened ??= options.open().then((it) => ({ ...it, tree: new StoreTree(it.store) }));
    return opened;
  }

  /** `undefined` for paths that the host answers for. */
  function placeOf(path: Uint8Array): Place | undefined {
    if (path.length <= prefix.length || !equalBytes(path.subarray(0, prefix.length), prefix))
      return undefined;
    const slash = path.indexOf(0x2f, prefix.length);
    const root = slash === -1 ? path : path.subarray(0, slash);
    try {
      const storePath = storeDirectory.parse(decodeUtf8(root));
      if (files.status(root) !== undefined) return undefined;
      return { storePath, rest: slash === -1 ? new Uint8Array() : path.subarray(slash) };
    } catch (error) {
      // There is nothing with such a name in any store.
      if (error instanceof NixCompatError) return undefined;
      throw error;
    }
  }

  function inStore<T>(
    path: Uint8Array,
    onHost: () => Answer<T>,
    inside: (place: Place) => Answer<T>,
  ): Answer<T> {
    const place = placeOf(path);
    return place === undefined ? onHost() : inside(place);
  }

  async function nodeAt({ storePath, rest }: Place): Promise<Node | undefined> {
    const root = await rootNode(storePath);
    return root === undefined ? undefined : await (await open()).tree.node(root, rest);
  }

  /** What is there is remembered; what is not may be made later. */
  function rootNode(storePath: StorePath): Promise<Node | undefined> {
    const earlier = nodes.get(storePath.hashPart);
    if (earlier !== undefined) return earlier;
    const node = findRoot(storePath);
    nodes.set(storePath.hashPart, node);
    const forget = (): void => void nodes.delete(storePath.hashPart);
    node.then((found) => found === undefined && forget(), forget);
    return node;
  }

  async function findRoot(storePath: StorePath): Promise<Node | undefined> {
    const { store, realiser } = await open();
    if (known.path(storePath) !== undefined) return (await realiser.path(storePath)).node;
    return (await store.pathInfos.get(storePath.hashPart))?.node;
  }

  async function readFile(place: Place, path: Uint8Array): Promise<Uint8Array> {
    return textAt(place) ?? (await (await open()).tree.readFile(await nodeAt(place), path));
  }

  /** A derivation or another text that was described is read without making it. */
  function textAt({ storePath, rest }: Place): Uint8Array | undefined {
    const described = rest.length === 0 ? known.path(storePath) : undefined;
    return described?.kind === 'text' ? described.contents : undefined;
  }

  async function fileType(place: Place): Promise<FileType | undefined> {
    if (textAt(place) !== undefined) return 'regular';
    const node = await nodeAt(place);
    return node === undefined ? undefined : fileTypeOf(node);
  }

  async function isThere(storePath: StorePath): Promise<boolean> {
    if (known.path(storePath) !== undefined) return true;
    return await (await open()).store.pathInfos.has(storePath.hashPart);
  }

  async function toStorePath(storePath: StorePath, path: Uint8Array): Promise<string> {
    const printed = storeDirectory.print(storePath);
    if (await isThere(storePath)) return printed;
    const message = `path '${printed}' is required, but there is no substituter that can build it`;
    throw new EvalIOError('not-found', message, { path });
  }

  function addFromHost(request: AddPathOptions): Answer<AddedPath> {
    return after(host.addPathToStore(request), (added) => {
      known.describe(describedImport(request, storeDirectory.parse(added.storePath), added));
      return added;
    });
  }

  async function addFromStore(place: Place, request: AddPathOptions): Promise<AddedPath> {
    const [{ store, tree }, node] = [await open(), await nodeAt(place)];
    if (node === undefined) throw notFound(request.path);
    const { storePath, digest, described } = await addedPathOf(node, {
      request,
      castore: store,
      storeDirectory,
      directory: (it) => tree.directory(it),
    });
    known.describe(described);
    return { storePath: storeDirectory.print(storePath), digest };
  }

  function addText({ name, contents, references }: AddTextOptions): string {
    const digest = nodeHashes.hash('sha256', contents);
    return asIOError(() => {
      const storePath = storeDirectory.textPath({ name, digest, references });
      known.describe({
        kind: 'text',
        storePath,
        contents,
        references: references.map((it) => storeDirectory.parse(it)),
      });
      return storeDirectory.print(storePath);
    });
  }

  function describeDerivation({ storePath, contents, references }: WriteDerivationOptions): void {
    asIOError(() =>
      known.describeDerivation({
        storePath: storeDirectory.parse(storePath),
        contents,
        references: references.map((it) => storeDirectory.parse(it)),
      }),
    );
  }
}

function after<T, U>(answer: Answer<T>, use: (value: T) => U): Answer<U> {
  return answer instanceof Promise ? answer.then(use) : use(answer);
}

/** What is wrong with a store path is the caller's to say to the user. */
function asIOError<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof NixCompatError)) throw error;
    const code = error.code === 'not-in-store' ? 'not-in-store' : 'invalid-name';
    throw new EvalIOError(code, error.message, { cause: error });
  }
}
