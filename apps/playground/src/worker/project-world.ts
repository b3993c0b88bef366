/** The world of a program in the playground: its files in one folder, a store in memory, and the derivations that arise. */
import { concatBytes } from '@neve/bytes';
import { type EvalIO, type HashBytes, createMemoryIO } from '@neve/eval';
import { StoreDirectory } from '@neve/nix-compat';
import type { Files } from '../protocol.ts';

/** Where the files of the program are. */
export const projectFolder = '/playground';
export const storeFolder = '/nix/store';

/** The language core, and its hash functions in an instance of their own. */
export type Engine = { readonly core: WebAssembly.Module; readonly hash: HashBytes };

export type ProjectWorld = {
  readonly io: EvalIO;
  readonly store: StoreDirectory;
  /** ATerms of derivations by store path, in the order in which they arose. */
  readonly derivations: ReadonlyMap<string, Uint8Array>;
};

export function projectWorld(
  { core, hash }: Engine,
  { files, onMessage }: { files: Files; onMessage: EvalIO['message'] },
): ProjectWorld {
  const derivations = new Map<string, Uint8Array>();
  const io = createMemoryIO({
    core,
    files: Object.fromEntries(
      Object.entries(files).map(([name, text]) => [`${projectFolder}/${name}`, text]),
    ),
    storeDir: storeFolder,
    currentTime: Math.floor(Date.now() / 1000),
    onMessage,
  });
  const store = new StoreDirectory(storeFolder, {
    hash,
    create(algorithm) {
      const pieces: Uint8Array[] = [];
      return {
        update: (bytes) => pieces.push(bytes.slice()),
        digest: () => hash(algorithm, concatBytes(pieces)),
      };
    },
  });
  return {
    io: {
      ...io,
      writeDerivation(request) {
        derivations.set(request.storePath, request.contents.slice());
        return io.writeDerivation(request);
      },
    },
    store,
    derivations,
  };
}
