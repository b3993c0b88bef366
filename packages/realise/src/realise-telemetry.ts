/** What is measured while paths are realised: decisions, waiting, builds, what caches gave; and what went wrong, as log records. */
import type { StorePath } from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';
import {
  type SpanOptions,
  counter,
  currentLogs,
  histogram,
  inSpan,
  log,
  upDownCounter,
} from '@neve/telemetry';
import type { Decision } from './decisions.ts';
import type { BuildMode, RealiseEvent } from './realise-event.ts';

const buildDuration = histogram('neve.build.duration', {
  unit: 's',
  description: 'Builds of derivations, without what they waited for, by outcome',
});
const queueLength = upDownCounter('neve.queue.length', {
  unit: '{item}',
  description: 'What waits for its turn to be built, substituted or downloaded',
});
const substitutions = counter('neve.substitutions', {
  unit: '{path}',
  description: 'Paths that came from binary caches',
});
const substitutedBytes = counter('neve.substitution.io', {
  unit: 'By',
  description: 'NARs that came from binary caches, as they are unpacked',
});
const decisions = counter('neve.realise.decisions', {
  unit: '{path}',
  description: 'How paths come to be there: present and add are hits of the store',
});

/** A step of planning. */
export function decisionSpan(storePath: StorePath, decide: () => Promise<Decision>): Promise<Decision> {
  const attributes = { 'path.digest': storePath.hashPart };
  return inSpan('realise.decide', { attributes }, async (span) => {
    const decision = await decide();
    const { kind } = decision;
    span?.set({
      decision: kind,
      ...(kind === 'substitute' && { 'substituter.name': decision.offer.substituter.name }),
    });
    decisions.add(1, { decision: kind });
    return decision;
  });
}

/** What is acquired is waited for in a queue. */
export async function queued<T>(queue: string, acquired: Promise<T>): Promise<T> {
  queueLength.add(1, { queue });
  try {
    return await acquired;
  } finally {
    queueLength.add(-1, { queue });
  }
}

export function substituted({ narSize }: PathInfo): void {
  substitutions.add(1);
  substitutedBytes.add(narSize);
}

// oxlint-disable-next-line eslint/max-params -- what for, what is said of it, and what is done
export async function inBuildSpan<T>(
  mode: BuildMode,
  options: SpanOptions,
  build: () => Promise<T>,
): Promise<T> {
  const startMs = performance.now();
  const record = (outcome: string): void =>
    buildDuration.record((performance.now() - startMs) / 1000, { outcome, mode });
  try {
    const result = await inSpan('realise.build', options, build);
    record('success');
    return result;
  } catch (error) {
    record('failure');
    throw error;
  }
}

/** What a person is told of as a warning or an error. */
export function logEvent(event: RealiseEvent): void {
  if (currentLogs() === undefined) return;
  switch (event.kind) {
    case 'substitution-failed':
      log('warning', event.error.message, { 'path.digest': event.storePath.hashPart });
      return;
    case 'cache-failed':
      log('warning', event.error.message, { 'substituter.name': event.name });
      return;
    case 'build-ended':
      if (event.error !== undefined) {
        log('error', event.error.message, { 'path.digest': event.derivation.hashPart });
      }
      return;
    default:
      return;
  }
}
