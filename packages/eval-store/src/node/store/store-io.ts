/**
 * What evaluation asks of a store in castore.
 *
 * What evaluation puts into the store is only described; it is made when its contents are wanted, which is also how a
 * derivation is built in the middle of an evaluation.
 */
import { decodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { CastoreError, type Node } from '@neve/castore';
import {
  type AddPathOptions,
  type AddedPath,
  type ContextElement,
  EvalIOError,
  type FetchRequest,
  type FetchedTree,
  type FileType,
} from '@neve/eval';
import { FetchError } from '@neve/fetch';
import { NixCompatError, type StoreDirectory, type StorePath } from '@neve/nix-compat';
import { type KnownPaths, RealiseError, type Realiser } from '@neve/realise';
import { StoreError, type StoreServices } from '@neve/store';
import { addedPathOf, describedImport } from './described-import.ts';
import { notFound } from '../io-errors.ts';
import type { Added, StoreIO } from '../lazy-store-io.ts';
import { StoreTree, fileTypeOf } from './store-tree.ts';

export type StoreIOOptions = {
  readonly store: StoreServices;
  readonly realiser: Realiser;
  readonly storeDirectory: StoreDirectory;
  readonly known: KnownPaths;
  readonly fetch: (request: FetchRequest) => Promise<FetchedTree>;
  /** Is around everything that is asked for, and sees errors before they are turned into those of evaluation. */
  readonly around?: <T>(work: () => Promise<T>) => Promise<T>;
};

/** A path in the store: the object, and what comes after it, which is empty or begins with a slash. */
type Place = { readonly storePath: StorePath; readonly rest: Uint8Array };

export function createStoreIO(options: StoreIOOptions): StoreIO {
  const { store, realiser, storeDirectory, known, around = (work) => work() } = options;
  const tree = new StoreTree(store);
  const nodes = new Map<string, Promise<Node | undefined>>();

  return {
    readFile: (path) => guarded(() => readFile(placeOf(path), path)),
    fileType: (path) => guarded(() => fileType(placeOf(path))),
    readDirectory: (path) => guarded(async () => tree.list(await nodeAt(placeOf(path)), path)),
    readLink: (path) => guarded(async () => tree.readLink(await nodeAt(placeOf(path)), path)),
    hashFile: ({ path, hashAlgorithm }) =>
      guarded(async () => nodeHashes.hash(hashAlgorithm, await readFile(placeOf(path), path)).bytes),
    addPathToStore: (request) => guarded(() => addPath(request)),
    isValidStorePath: (path) => guarded(() => isValid(placeOf(path))),
    toStorePath: (path) => guarded(() => toStorePath(placeOf(path), path)),
    realise: (context) => guarded(() => Promise.all(context.map((it) => realiseElement(it)))),
    storePathReferences: (path) => guarded(() => references(storeDirectory.parse(path))),
    fetch: (request) => guarded(() => options.fetch(request)),
    describe,
  };

  /** Failures of the packages below, each of which has one class of errors, are failures of the world to an evaluation. */
  async function guarded<T>(answer: () => Promise<T>): Promise<T> {
    try {
      return await around(answer);
    } catch (error) {
      if (error instanceof EvalIOError || !isExpected(error)) throw error;
      throw new EvalIOError('io-error', error.message, { cause: error });
    }
  }

  /** `undefined` when no store object can have such a name. */
  function placeOf(path: Uint8Array): Place | undefined {
    const start = storeDirectory.path.length + 1;
    const slash = path.indexOf(0x2f, start);
    try {
      const storePath = storeDirectory.parse(decodeUtf8(slash === -1 ? path : path.subarray(0, slash)));
      return { storePath, rest: slash === -1 ? new Uint8Array() : path.subarray(slash) };
    } catch (error) {
      if (error instanceof NixCompatError) return undefined;
      throw error;
    }
  }

  async function nodeAt(place: Place | undefined): Promise<Node | undefined> {
    const root = place === undefined ? undefined : await rootNode(place.storePath);
    return root === undefined || place === undefined ? undefined : await tree.node(root, place.rest);
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
    if (known.path(storePath) !== undefined) return (await realiser.path(storePath)).node;
    return (await store.pathInfos.get(storePath.hashPart))?.node;
  }

  async function readFile(place: Place | undefined, path: Uint8Array): Promise<Uint8Array> {
    return textAt(place) ?? (await tree.readFile(await nodeAt(place), path));
  }

  /** A derivation or another text that was described is read without making it. */
  function textAt(place: Place | undefined): Uint8Array | undefined {
    const described = place?.rest.length === 0 ? known.path(place.storePath) : undefined;
    return described?.kind === 'text' ? described.contents : undefined;
  }

  async function fileType(place: Place | undefined): Promise<FileType | undefined> {
    if (textAt(place) !== undefined) return 'regular';
    const node = await nodeAt(place);
    return node === undefined ? undefined : fileTypeOf(node);
  }

  async function isValid(place: Place | undefined): Promise<boolean> {
    return place?.rest.length === 0 && (await isThere(place.storePath));
  }

  async function isThere(storePath: StorePath): Promise<boolean> {
    return known.path(storePath) !== undefined || (await store.pathInfos.has(storePath.hashPart));
  }

  async function toStorePath(place: Place | undefined, path: Uint8Array): Promise<string> {
    if (place === undefined) {
      throw new EvalIOError('not-in-store', `path '${decodeUtf8(path)}' is not in the Nix store`, { path });
    }
    const printed = storeDirectory.print(place.storePath);
    if (await isThere(place.storePath)) return printed;
    const message = `path '${printed}' is required, but there is no substituter that can build it`;
    throw new EvalIOError('not-found', message, { path });
  }

  /** What was described is there as soon as somebody looks. */
  async function realiseElement(element: ContextElement): Promise<string> {
    if (element.kind === 'output') {
      const derivation = storeDirectory.parse(element.drvPath);
      const { storePath } = await realiser.output({ derivation, output: element.outputName });
      return storeDirectory.print(storePath);
    }
    const path = element.kind === 'path' ? element.storePath : element.drvPath;
    const storePath = storeDirectory.parse(path);
    if (known.path(storePath) === undefined) await realiser.path(storePath);
    return path;
  }

  async function references(storePath: StorePath): Promise<readonly string[] | undefined> {
    const described = known.path(storePath);
    const paths =
      described === undefined
        ? (await store.pathInfos.get(storePath.hashPart))?.references
        : described.kind === 'text'
          ? described.references
          : [];
    return paths?.map((it) => storeDirectory.print(it));
  }

  async function addPath(request: AddPathOptions): Promise<AddedPath> {
    const node = await nodeAt(placeOf(request.path));
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

  function describe(added: Added): void {
    switch (added.kind) {
      case 'path':
        known.describe(
          describedImport(added.request, storeDirectory.parse(added.added.storePath), added.added),
        );
        return;
      case 'text': {
        const { contents, references } = added.request;
        known.describe({
          kind: 'text',
          storePath: storeDirectory.parse(added.storePath),
          contents,
          references: references.map((it) => storeDirectory.parse(it)),
        });
        return;
      }
      case 'derivation': {
        const { storePath, contents } = added.request;
        known.describeDerivation({ storePath: storeDirectory.parse(storePath), contents });
      }
    }
  }
}

function isExpected(error: unknown): error is Error {
  return expected.some((type) => error instanceof type);
}

const expected = [RealiseError, FetchError, StoreError, CastoreError, NixCompatError] as const;
