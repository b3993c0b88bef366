/** A realiser for one request, with what its client wants; builds are shared with those of others. */
import { type Derivation, derivationName, parseDerivation } from '@neve/nix-compat';
import { KnownPaths, type RealiseEvent, Realiser } from '@neve/realise';
import type { StoreServices } from '@neve/store';
import type { BuildOptions } from './build-options.ts';
import type { Client } from './call.ts';
import { limitedBuilder } from './limited-builder.ts';

export type RealiserEvents = {
  readonly onEvent: (event: RealiseEvent) => void;
  readonly signal: AbortSignal;
  /** As the client wants, unless given. */
  readonly keepGoing?: boolean;
  /** A view of the daemon's store in which paths are missing that are made anew: builds are shared with nobody then. */
  readonly repairedStore?: StoreServices | undefined;
};

export function openRealiser(
  { daemon, settings }: Client,
  { onEvent, signal, repairedStore, keepGoing }: RealiserEvents,
): { readonly realiser: Realiser; readonly known: KnownPaths } {
  const { options } = settings;
  const store = repairedStore ?? daemon.store;
  const { storeDirectory, limits, machineJobs = 0 } = daemon;
  const known = new KnownPaths((contents, path): Derivation =>
    parseDerivation(contents, { name: derivationName(path), store: storeDirectory }),
  );
  const realiser = new Realiser({
    ...daemon,
    ...{ store, known },
    builder: limitedBuilder(daemon.builderFor(options, store), daemon.buildSlots),
    sharing:
      repairedStore === undefined
        ? { builds: daemon.sharedBuilds, settings: sharingKey(options) }
        : undefined,
    readDerivation: (pathInfo, _castore, readSignal) => daemon.derivations.readFrom(pathInfo, readSignal),
    substituters: options.substitutes ? daemon.substituters(options.caches) : [],
    limits: {
      ...limits,
      builds: Math.min(limits.builds, options.maxJobs) + (options.usesMachines ? machineJobs : 0),
    },
    // What is damaged is made in any way.
    fallback: options.fallback || repairedStore !== undefined,
    keepGoing: keepGoing ?? options.keepGoing,
    onEvent,
    signal,
  });
  return { realiser, known };
}

/** Who has the same may join a build: it ends in the same way for both. */
function sharingKey(options: BuildOptions): string {
  const { timeoutSeconds, maxSilentSeconds, maxLogBytes, sandbox, sandboxPaths, keepFailed } = options;
  return JSON.stringify([timeoutSeconds, maxSilentSeconds, maxLogBytes, sandbox, sandboxPaths, keepFailed]);
}
