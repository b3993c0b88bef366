/**
 * What this machine remembers beside a store: pins and leases, NAR hashes of nodes, and which files were read before. It is
 * an LMDB environment: the database of the local store, or for a store that is elsewhere the one of the default store.
 */
import { join } from 'node:path';
import { nodeHashes } from '@neve/bytes/node';
import type { Node } from '@neve/castore';
import { FileCache, LmdbEnvironment } from '@neve/castore/node';
import {
  type NarCalculation,
  type NarCalculationService,
  type NarTable,
  type Pins,
  type StoreServices,
  cachedNarCalculation,
  narCalculationByRendering,
} from '@neve/store';
import { Leases, StoreView, lmdbNarTable, lmdbPins } from '@neve/store/node';
import { isBlobFiles } from './blob-files.ts';
import { defaultStoreFolder, localStoreFolder } from './open-store.ts';
import type { StoreArguments } from './store-options.ts';

/** The state beside the store called `store` on the command line, or else the one that the options say. */
export async function openState(
  args: StoreArguments,
  store: string | undefined = args.last('store'),
): Promise<StoreState> {
  const folder = (store === undefined ? undefined : localStoreFolder(store)) ?? defaultStoreFolder();
  const path = join(folder, 'db');
  const environment = await LmdbEnvironment.open(path);
  const [nars, pins, leases] = await Promise.all([lmdbNarTable(path), lmdbPins(path), Leases.open(path)]);
  return new StoreState({ folder, environment, nars, pins, leases });
}

type Parts = {
  readonly folder: string;
  readonly environment: LmdbEnvironment;
  readonly nars: NarTable & AsyncDisposable;
  readonly pins: Pins & AsyncDisposable;
  readonly leases: Leases;
};

export class StoreState implements AsyncDisposable {
  /** Where everything of the store lies that is no service of it. */
  readonly folder: string;
  /** Links in this folder, and links to links, are roots of garbage collection. */
  readonly rootsFolder: string;
  /** Store paths as files, for links to results. */
  readonly viewFolder: string;
  /** What builds on this machine leave for the next ones. */
  readonly builderFolder: string;
  readonly databasePath: string;
  readonly fileCache: FileCache;
  readonly pins: Pins;
  /** A command that writes takes a lease, which keeps what it stores and finds from garbage collection. */
  readonly leases: Leases;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.folder = parts.folder;
    this.rootsFolder = join(parts.folder, 'gcroots');
    this.viewFolder = join(parts.folder, 'nix/store');
    this.builderFolder = join(parts.folder, 'builder');
    this.databasePath = parts.environment.path;
    this.fileCache = new FileCache(parts.environment);
    this.pins = parts.pins;
    this.leases = parts.leases;
    this.#parts = parts;
  }

  /** NARs of nodes: what the store knows, what was computed before, and else by reading everything. */
  narCalculation(store: StoreServices): NarCalculationService {
    const inner =
      store.pathInfos.narCalculation ?? narCalculationByRendering({ ...store, hashes: nodeHashes });
    return cachedNarCalculation(inner, this.#parts.nars);
  }

  /** The store as files. Blobs that are files already are shared. */
  view(store: StoreServices): StoreView {
    const files = isBlobFiles(store.blobs) ? store.blobs : undefined;
    return new StoreView({ folder: this.viewFolder, castore: store, files });
  }

  /** Remembers what is known of a node from elsewhere. */
  async recordNar(node: Node, calculation: NarCalculation): Promise<void> {
    await this.#parts.nars.record(node, calculation);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { environment, nars, pins, leases } = this.#parts;
    for (const part of [leases, pins, nars, environment]) await part[Symbol.asyncDispose]();
  }
}
