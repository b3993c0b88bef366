/** A realiser for one request, with what its client wants; builds are shared with those of others. */
import { type Derivation, derivationName, parseDerivation } from '@neve/nix-compat';
import { KnownPaths, type RealiseEvent, Realiser } from '@neve/realise';
import type { BuildOptions } from './build-options.ts';
import type { Client } from './call.ts';
import { limitedBuilder } from './limited-builder.ts';

export type RealiserEvents = {
  readonly onEvent: (event: RealiseEvent) => void;
  readonly signal: AbortSignal;
};

export function openRealiser(
  { daemon, settings }: Client,
  { onEvent, signal }: RealiserEvents,
): { readonly realiser: Realiser; readonly known: KnownPaths } {
  const { options } = settings;
  const { storeDirectory, limits, machineJobs = 0 } = daemon;
  const known = new KnownPaths((contents, path): Derivation =>
    parseDerivation(contents, { name: derivationName(path), store: storeDirectory }),
  );
  const realiser = new Realiser({
    ...daemon,
    known,
    builder: limitedBuilder(daemon.builderFor(options), daemon.buildSlots),
    sharing: { builds: daemon.sharedBuilds, settings: sharingKey(options) },
    readDerivation: (pathInfo, _castore, readSignal) => daemon.derivations.readFrom(pathInfo, readSignal),
    substituters: options.substitutes ? daemon.substituters(options.caches) : [],
    limits: { ...limits, builds: Math.min(limits.builds, options.maxJobs) + machineJobs },
    fallback: options.fallback,
    keepGoing: options.keepGoing,
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
