/**
 * `EvalIO` for evaluations that most often need no store: everything that concerns files is answered at once, what
 * evaluation adds to the store is noted down, and only when something in the store is looked at, fetched or built is the
 * real thing loaded, which then hears of all that was noted.
 *
 * What is loaded may be another script with classes of its own, so that its errors are told by their names.
 */
import { encodeUtf8 } from '@neve/bytes';
import {
  type AddPathOptions,
  type AddTextOptions,
  type AddedPath,
  type Answer,
  type EvalIO,
  EvalIOError,
  type EvalIOErrorCode,
  type WriteDerivationOptions,
  afterAnswer,
} from '@neve/eval';
import { objectPath, storePathOf } from './object-paths.ts';
import { TextArena } from './text-arena.ts';

export type LazyStoreIOOptions = {
  /** Answers for everything outside of the store, and computes what store path a file or a text would have. */
  readonly host: EvalIO;
  readonly storeDir: string;
  readonly load: () => Promise<StoreIO>;
  /** What was described before: the store hears of it first. */
  readonly described?: (() => Iterable<Added>) | undefined;
  /** Is told what is added by its path alone, and may keep it. */
  readonly onAdded?: ((added: Added) => void) | undefined;
};

/** The part of `EvalIO` that a store answers, for paths in the store directory. */
export type StoreIO = Pick<
  EvalIO,
  | 'readFile'
  | 'fileType'
  | 'readDirectory'
  | 'readLink'
  | 'hashFile'
  | 'addPathToStore'
  | 'isValidStorePath'
  | 'toStorePath'
> &
  Required<Pick<EvalIO, 'realise' | 'fetch' | 'storePathReferences'>> & {
    /** Something was added whose path is known without the store. */
    describe(added: Added): void;
  };

export type Added =
  | { readonly kind: 'path'; readonly request: AddPathOptions; readonly added: AddedPath }
  | { readonly kind: 'text'; readonly request: AddTextOptions; readonly storePath: string }
  | { readonly kind: 'derivation'; readonly request: WriteDerivationOptions };

export type LazyStoreIO = EvalIO & {
  /** Loads the store if need be; it has heard of everything that was added when it is fulfilled. */
  load(): Promise<void>;
};

export function createLazyStoreIO({
  host,
  storeDir,
  load,
  described,
  onAdded,
}: LazyStoreIOOptions): LazyStoreIO {
  const prefix = encodeUtf8(`${storeDir}/`);
  const texts = new TextArena();
  const noted: Added[] = [];
  /** What was added: it is there as soon as somebody looks. */
  const added = new Set<string>();
  let loading: Promise<StoreIO> | undefined;
  let loaded: StoreIO | undefined;

  return {
    ...host,
    readFile: (path) => at(path, (io) => io.readFile(path)),
    withContents: (path, use) =>
      isOnHost(path) && host.withContents !== undefined
        ? host.withContents(path, use)
        : afterAnswer(
            at(path, (io) => io.readFile(path)),
            use,
          ),
    fileType: (path) => at(path, (io) => io.fileType(path)),
    readDirectory: (path) => at(path, (io) => io.readDirectory(path)),
    readLink: (path) => at(path, (io) => io.readLink(path)),
    hashFile: (request) => at(request.path, (io) => io.hashFile(request)),
    isValidStorePath: (path) => at(path, (io) => io.isValidStorePath(path)),
    toStorePath: (path) => at(path, (io) => io.toStorePath(path)),
    addPathToStore: (request) =>
      isOnHost(request.path)
        ? afterAnswer(host.addPathToStore(request), (path) => {
            note({ kind: 'path', request, added: path });
            return path;
          })
        : inStore((io) => io.addPathToStore(request)),
    addTextToStore: (request) =>
      afterAnswer(host.addTextToStore(request), (storePath) => {
        note({ kind: 'text', request, storePath });
        return storePath;
      }),
    writeDerivation: ({ contents, ...request }) =>
      note({ kind: 'derivation', request: { ...request, contents: texts.keep(contents) } }),
    realise: (context) => {
      const paths = context.map((it) => (it.kind === 'path' ? it.storePath : undefined));
      const isThere = (path: string | undefined): path is string =>
        path !== undefined && (added.has(path) || isOnHost(encodeUtf8(path)));
      return paths.every(isThere) ? paths : inStore((io) => io.realise(context));
    },
    fetch: (request) => inStore((io) => io.fetch(request)),
    storePathReferences: (storePath) => inStore((io) => io.storePathReferences(storePath)),
    load: async () => void (await store()),
  };

  function note(it: Added): void {
    added.add(storePathOf(it));
    onAdded?.(it);
    if (loaded === undefined) noted.push(it);
    else loaded.describe(it);
  }

  /** A path of the store that is not among the files of the machine is for the store to answer. */
  function isOnHost(path: Uint8Array): boolean {
    const object = objectPath(prefix, path);
    return object === undefined || host.fileType(object) !== undefined;
  }

  function at<T>(path: Uint8Array, ask: (io: StoreIO | EvalIO) => Answer<T>): Answer<T> {
    return isOnHost(path) ? ask(host) : inStore(ask);
  }

  async function inStore<T>(ask: (io: StoreIO) => Answer<T>): Promise<T> {
    try {
      return await ask(await store());
    } catch (error) {
      throw asOwn(error);
    }
  }

  function store(): Promise<StoreIO> {
    loading ??= load().then((io) => {
      for (const it of described?.() ?? []) io.describe(it);
      for (const it of noted) io.describe(it);
      noted.length = 0;
      loaded = io;
      return io;
    });
    return loading;
  }
}

function asOwn(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'EvalIOError' || error instanceof EvalIOError) return error;
  const { code, path } = error as Error & { code: EvalIOErrorCode; path?: Uint8Array };
  return new EvalIOError(code, error.message, {
    ...(path === undefined ? {} : { path }),
    cause: error.cause,
  });
}
