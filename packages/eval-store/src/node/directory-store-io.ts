/**
 * `EvalIO` over a plain directory as the store, for evaluations that go on from others: what those have described is not described
 * again, but has to be there. An object of that kind is written, with all that it refers to, as soon as something that is written
 * refers to it, or it is looked at; the rest is left out, for it is of no use to this evaluation.
 *
 * As in an evaluation that does everything itself, whatever an object refers to is written before it.
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { type Answer, type EvalIO, EvalIOError, afterAnswer } from '@neve/eval';
import { StoreDirectory, derivationName, derivationReferences, parseDerivation } from '@neve/nix-compat';
import type { Added } from './lazy-store-io.ts';
import { objectPath, storePathOf } from './object-paths.ts';
import { TextArena } from './text-arena.ts';

export type DirectoryStoreIOOptions = {
  /** The files of the machine, with the directory, which it writes to. Everything is answered at once. */
  readonly host: EvalIO;
  readonly storeDir: string;
  /** What was described before. */
  readonly described?: (() => Iterable<Added>) | undefined;
  /** Is told what this evaluation adds by its path alone, and may keep it. */
  readonly onAdded?: ((added: Added) => void) | undefined;
  /** Is told the path of what was described before, and is there now. */
  readonly onWritten?: ((storePath: string) => void) | undefined;
};

export type DirectoryStoreIO = EvalIO & {
  /** Objects that were described before are there when it returns; others are passed over. */
  write(storePaths: Iterable<string>): void;
};

export function createDirectoryStoreIO({
  host,
  storeDir,
  described = () => [],
  onAdded,
  onWritten,
}: DirectoryStoreIOOptions): DirectoryStoreIO {
  const store = new StoreDirectory(storeDir, nodeHashes);
  const prefix = encodeUtf8(`${storeDir}/`);
  const texts = new TextArena();
  const withContents = host.withContents?.bind(host);
  let before: Map<string, Added> | undefined;

  return {
    ...host,
    readFile: (path) => at(path, () => host.readFile(path)),
    ...(withContents !== undefined && {
      withContents: <T>(path: Uint8Array, use: (contents: Uint8Array) => T): Answer<T> =>
        at(path, () => withContents(path, use)),
    }),
    fileType: (path) => at(path, () => host.fileType(path)),
    readDirectory: (path) => at(path, () => host.readDirectory(path)),
    readLink: (path) => at(path, () => host.readLink(path)),
    hashFile: (request) => at(request.path, () => host.hashFile(request)),
    isValidStorePath: (path) => at(path, () => host.isValidStorePath(path)),
    toStorePath: (path) => at(path, () => host.toStorePath(path)),
    addPathToStore: (request) =>
      afterAnswer(
        at(request.path, () => host.addPathToStore(request)),
        (added) => {
          onAdded?.({ kind: 'path', request, added });
          return added;
        },
      ),
    addTextToStore(request) {
      write(request.references);
      return afterAnswer(host.addTextToStore(request), (storePath) => {
        onAdded?.({ kind: 'text', request, storePath });
        return storePath;
      });
    },
    writeDerivation(request) {
      write(references(request));
      onAdded?.({ kind: 'derivation', request: { ...request, contents: texts.keep(request.contents) } });
      return host.writeDerivation(request);
    },
    write,
  };

  function write(storePaths: Iterable<string>): void {
    const all = objects();
    for (const storePath of storePaths) {
      const object = all.get(storePath);
      if (object === undefined) continue;
      // Nothing refers to itself.
      all.delete(storePath);
      writeObject(storePath, object);
      onWritten?.(storePath);
    }
  }

  function writeObject(storePath: string, object: Added): void {
    switch (object.kind) {
      case 'derivation':
        write(references(object.request));
        void host.writeDerivation(object.request);
        return;
      case 'text':
        write(object.request.references);
        void host.addTextToStore(object.request);
        return;
      case 'path': {
        const { path } = object.request;
        writeAt(path);
        const added = host.addPathToStore(object.request);
        if (!(added instanceof Promise) && added.storePath === storePath) return;
        const message = `path '${decodeUtf8(path)}' has changed since it was described as '${storePath}'`;
        throw new EvalIOError('io-error', message, { path });
      }
    }
  }

  /** Those whose store paths may have been described before: nothing is parsed where nothing was. */
  function references({
    storePath,
    contents,
  }: {
    storePath: string;
    contents: Uint8Array;
  }): readonly string[] {
    if (objects().size === 0) return [];
    const name = derivationName(store.parse(storePath));
    return derivationReferences(parseDerivation(contents, { name, store })).map((it) => store.print(it));
  }

  /** What was described before and is not written yet, by its path. */
  function objects(): Map<string, Added> {
    before ??= new Map(Array.from(described(), (it) => [storePathOf(it), it]));
    return before;
  }

  function at<T>(path: Uint8Array, ask: () => T): T {
    writeAt(path);
    return ask();
  }

  /** The object that a path lies in. */
  function writeAt(path: Uint8Array): void {
    const object = objectPath(prefix, path);
    if (object !== undefined) write([decodeUtf8(object)]);
  }
}
