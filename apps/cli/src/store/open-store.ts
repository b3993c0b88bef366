/**
 * From the command line, the environment and the user's configuration to the services of a store.
 *
 * A store is, in this order: what `--store` says, the three service URLs, the composition file (`--store-composition`, or
 * `neve/store.toml` in the XDG configuration directories), the local store in the XDG data directory.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { nodeHashes } from '@neve/bytes/node';
import { blobKind, directoryKind } from '@neve/castore';
import { type CompositionConfig, type Registry, composeFromUrls, parseComposition } from '@neve/compose';
import { StoreDirectory } from '@neve/nix-compat';
import { type StoreServices, pathInfoKind } from '@neve/store';
import { UsageError } from '../usage-error.ts';
import type { StoreArguments } from './store-options.ts';
import { storeRegistry } from './store-registry.ts';
import { tracedComposition } from './traced-composition.ts';

/** A store that a command works on, for as long as it is not disposed of. */
export type OpenStore = StoreServices &
  AsyncDisposable & {
    /** How messages call it. */
    readonly title: string;
  };

type Services = 'blob' | 'directory' | 'pathinfo';

/** The URLs of the three services, as `composeFromUrls` takes them. */
export type StoreUrls = Readonly<Record<Services, string>>;

/** The store that a command line asks for. Throws `UsageError` and `CompositionError`. */
export function openStore(args: StoreArguments): Promise<OpenStore> {
  return openNamedStore(args.last('store'), args);
}

/** The store called `text` on the command line; without a name the one that the other options say. */
export async function openNamedStore(text: string | undefined, args: StoreArguments): Promise<OpenStore> {
  const { config, name } = chooseStore(text, args, storeRegistry());
  const composition = tracedComposition(config);
  try {
    const blobs = await composition.get(blobKind, name);
    const directories = await composition.get(directoryKind, name);
    const pathInfos = await composition.get(pathInfoKind, name);
    const dispose = (): Promise<void> => composition[Symbol.asyncDispose]();
    return { blobs, directories, pathInfos, title: text ?? 'the store', [Symbol.asyncDispose]: dispose };
  } catch (cause) {
    await composition[Symbol.asyncDispose]();
    throw cause;
  }
}

/** The configuration that a command would use, checked but not started. */
export function storeConfiguration(args: StoreArguments): CompositionConfig {
  return chooseStore(args.last('store'), args, storeRegistry()).config;
}

type ChosenStore = { readonly config: CompositionConfig; readonly name: string };

function chooseStore(text: string | undefined, args: StoreArguments, registry: Registry): ChosenStore {
  const urls = text === undefined ? urlsOfOptions(args) : urlsOfStore(text);
  if (urls !== undefined) return { config: composeFromUrls(urls, registry), name: 'root' };
  const file = compositionFile(args);
  if (file !== undefined) {
    return { config: parseComposition(readComposition(file), file, registry), name: text ?? 'root' };
  }
  if (text !== undefined) {
    throw new UsageError(
      `'${text}' is neither a folder nor a URL, and there is no composition file with that name in it; a folder is written ./${text}`,
    );
  }
  return { config: composeFromUrls(localStoreUrls(defaultStoreFolder()), registry), name: 'root' };
}

/** Undefined for what can only be a name in the composition. */
export function urlsOfStore(text: string): StoreUrls | undefined {
  const folder = localStoreFolder(text);
  if (folder !== undefined) return localStoreUrls(folder);
  if (text === 'memory:') return { blob: text, directory: text, pathinfo: text };
  if (text.startsWith('grpc+')) return { blob: text, directory: text, pathinfo: text };
  if (/^[a-z][a-z0-9.+-]*:/.test(text)) {
    throw new UsageError(
      `'${text}' is no URL of a whole store; these are a folder, local:FOLDER, grpc+unix:PATH, grpc+http://HOST:PORT and ` +
        `memory:; others go into a composition file`,
    );
  }
  return undefined;
}

/** The folder of a store that is called by it: `./folder`, `/folder`, `~/folder`, `local:folder`. */
export function localStoreFolder(text: string, directory = ''): string | undefined {
  const absolute = (path: string): string => resolve(directory, expandHome(path));
  if (text.startsWith('local:')) return absolute(text.slice('local:'.length));
  return /^(\.\.?|~)?\//.test(text) || text === '.' || text === '..' ? absolute(text) : undefined;
}

/** One folder with everything: files for large blobs, and one database for the rest. */
export function localStoreUrls(folder: string): StoreUrls {
  const path = encodePath(folder);
  return {
    // A command does one thing at a time.
    blob: `file:${path}?database=${encodeURIComponent(join(folder, 'db'))}&blocking_reads=true`,
    directory: `lmdb:${path}/db`,
    pathinfo: `lmdb:${path}/db`,
  };
}

/** `neve/store` in the XDG data directory. */
export function defaultStoreFolder(): string {
  const { XDG_DATA_HOME: data = '' } = process.env;
  return join(data === '' ? join(homedir(), '.local/share') : data, 'neve/store');
}

export function storeDirectory(args: StoreArguments): StoreDirectory {
  return new StoreDirectory(args.last('storeDir') ?? '/nix/store', nodeHashes);
}

function urlsOfOptions(args: StoreArguments): StoreUrls | undefined {
  const given = {
    blob: args.last('blobs') ?? process.env['BLOB_SERVICE_ADDR'],
    directory: args.last('directories') ?? process.env['DIRECTORY_SERVICE_ADDR'],
    pathinfo: args.last('pathInfos') ?? process.env['PATH_INFO_SERVICE_ADDR'],
  };
  if (Object.values(given).every((url) => url === undefined)) return undefined;
  const missing = localStoreUrls(defaultStoreFolder());
  return {
    blob: given.blob ?? missing.blob,
    directory: given.directory ?? missing.directory,
    pathinfo: given.pathinfo ?? missing.pathinfo,
  };
}

function compositionFile(args: StoreArguments): string | undefined {
  const given = args.last('composition');
  if (given !== undefined) return given;
  const { XDG_CONFIG_HOME: home = '', XDG_CONFIG_DIRS: others = '' } = process.env;
  const folders = [
    home === '' ? join(homedir(), '.config') : home,
    ...(others === '' ? ['/etc/xdg'] : others.split(':')),
  ];
  return folders.map((folder) => join(folder, 'neve/store.toml')).find((file) => existsSync(file));
}

function readComposition(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`the store composition '${file}' cannot be read: ${reason}`);
  }
}

function expandHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
