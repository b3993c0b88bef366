/** What happens while paths are realised, as plain data. */
import type { StoreDirectory, StorePath } from '@neve/nix-compat';
import type { RealiseEvent } from '@neve/realise';
import type { FetchEvent } from '@neve/fetch';
import type { RealiseProgress } from './progress-event.ts';

export type ProgressContext = {
  readonly storeDirectory: StoreDirectory;
  /** How long earlier builds of a derivation took, in milliseconds. */
  readonly expectedMs: (derivation: StorePath) => number | undefined;
};

// oxlint-disable-next-line eslint/max-lines-per-function -- a table
export function progressOf(event: RealiseEvent, context: ProgressContext): RealiseProgress | undefined {
  const print = (path: StorePath): string => context.storeDirectory.print(path);
  switch (event.kind) {
    case 'substitution-planned': {
      const { kind, storePath, from, derivation, narSize, downloadBytes } = event;
      return {
        ...{ kind, storePath: print(storePath), detail: from, narSize },
        ...(downloadBytes !== undefined && { totalBytes: downloadBytes }),
        ...(derivation !== undefined && { derivation: print(derivation) }),
      };
    }
    case 'substitution-started':
      return { kind: event.kind, storePath: print(event.storePath), detail: event.from };
    case 'substitution-progress':
      return { kind: event.kind, storePath: print(event.storePath), bytes: event.bytes };
    case 'substitution-failed':
      return { kind: event.kind, storePath: print(event.storePath), detail: event.error.message };
    case 'cache-failed':
      return { kind: event.kind, detail: `${event.name} is not asked for anything: ${event.error.message}` };
    case 'substitution-ended':
    case 'substitution-not-needed':
    case 'waiting-for-lock':
      return { kind: event.kind, storePath: print(event.storePath) };
    case 'fetch-started': {
      const { kind, storePath, derivation } = event;
      return {
        ...{ kind, storePath: print(storePath) },
        ...(derivation !== undefined && { derivation: print(derivation) }),
      };
    }
    case 'fetch-event':
      return progressOfFetch(event.event, print(event.storePath));
    case 'fetch-ended': {
      const storePath = print(event.storePath);
      return event.error === undefined
        ? { kind: 'fetch-ended', storePath }
        : { kind: 'fetch-failed', storePath, detail: event.error.message };
    }
    case 'build-planned': {
      const expectedMs = context.expectedMs(event.derivation);
      const inputs = event.inputs.map(print);
      return {
        ...{ kind: event.kind, storePath: print(event.derivation), inputs },
        ...(expectedMs !== undefined && { expectedMs }),
      };
    }
    case 'build-not-needed':
      return { kind: event.kind, storePath: print(event.derivation) };
    case 'build-refused':
      return { kind: event.kind, storePath: print(event.derivation), detail: event.error.message };
    case 'build-started':
      return {
        kind: event.mode === 'check' ? 'check-started' : 'build-started',
        storePath: print(event.derivation),
      };
    case 'build-log':
      return { kind: event.kind, storePath: print(event.derivation), log: event.bytes };
    case 'build-ended': {
      const storePath = print(event.derivation);
      return event.error === undefined
        ? { kind: 'build-succeeded', storePath }
        : { kind: 'build-failed', storePath, detail: event.error.message };
    }
  }
}

/** `storePath` is what is fetched, if it is known. */
export function progressOfFetch(event: FetchEvent, storePath?: string): RealiseProgress {
  if (event.kind === 'warning') return { kind: 'warning', detail: event.message };
  const of = { detail: event.url, ...(storePath !== undefined && { storePath }) };
  switch (event.kind) {
    case 'download-started': {
      const { kind, totalBytes } = event;
      return { kind, ...of, ...(totalBytes !== undefined && { totalBytes }) };
    }
    case 'downloaded':
      return { kind: event.kind, ...of, bytes: event.bytes };
    case 'retry':
      return { kind: 'warning', detail: `${event.problem}; trying '${event.url}' again` };
    case 'download-ended':
    case 'unpacking':
      return { kind: event.kind, ...of };
  }
}
