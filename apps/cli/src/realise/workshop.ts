/**
 * A store that is realised in, and what builds in it: what the sessions of one process share. A command has one for its
 * session; the daemon has one for many.
 */
import { join } from 'node:path';
import type { BuildService } from '@neve/build';
import type { Realisations, WorkLocks } from '@neve/realise';
import { BuildLogs, lmdbRealisations, lmdbWorkLocks } from '@neve/realise/node';
import { BuildTimes } from '../progress/build-times.ts';
import { openBuilder, parseBuilder } from '../store/open-builder.ts';
import { type OpenStore, localStoreFolder, openNamedStore } from '../store/open-store.ts';
import { type StoreArguments, storeArguments } from '../store/store-options.ts';
import { type StoreState, openState } from '../store/store-state.ts';
import { lateBuildService } from './late-services.ts';

export type WorkshopOptions = {
  /** As `--store`; the user's own store without it. */
  readonly storeName: string | undefined;
  /** Where relative names of stores begin. */
  readonly directory: string;
  /** Without a name, these say which store it is. */
  readonly args?: StoreArguments;
};

export type BuilderOptions = {
  /** As `--builder`. */
  readonly builder: string;
  readonly buildUsersGroup: string | undefined;
};

export class Workshop implements AsyncDisposable {
  readonly store: OpenStore;
  readonly state: StoreState;
  readonly locks: WorkLocks & AsyncDisposable;
  readonly realisations: Realisations & AsyncDisposable;
  readonly logs: BuildLogs;
  readonly #storeUrl: string | undefined;
  readonly #builders = new Map<string, BuildService>();

  private constructor(
    parts: Pick<Workshop, 'store' | 'state' | 'locks' | 'realisations'>,
    storeUrl?: string,
  ) {
    this.store = parts.store;
    this.state = parts.state;
    this.locks = parts.locks;
    this.realisations = parts.realisations;
    this.logs = new BuildLogs(join(parts.state.folder, 'log'));
    this.#storeUrl = storeUrl;
  }

  static async open({ storeName, directory, args: given }: WorkshopOptions): Promise<Workshop> {
    const url = storeName === undefined ? undefined : (localStoreFolder(storeName, directory) ?? storeName);
    const args = given ?? storeArguments(url === undefined ? {} : { store: url });
    const store = await openNamedStore(url, args);
    const state = await openState(args, url);
    const locks = await lmdbWorkLocks(state.databasePath);
    const realisations = await lmdbRealisations(state.databasePath);
    return new Workshop({ store, state, locks, realisations }, url);
  }

  /** Opened when it first builds; one for all who build in the same way. Throws for what is no builder. */
  builder({ builder, buildUsersGroup }: BuilderOptions): BuildService {
    const key = JSON.stringify([builder, buildUsersGroup]);
    const known = this.#builders.get(key);
    if (known !== undefined) return known;
    const name = parseBuilder(builder, this.#storeUrl);
    const { store: castore, state } = this;
    const service = lateBuildService(() => openBuilder(name, { castore, state, buildUsersGroup }));
    this.#builders.set(key, service);
    return service;
  }

  /** What is known of earlier builds at this moment. */
  buildTimes(): BuildTimes {
    return new BuildTimes(join(this.state.folder, 'build-times.json'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const owned = [...this.#builders.values(), this.locks, this.realisations, this.state, this.store];
    for (const it of owned) await it[Symbol.asyncDispose]();
  }
}
