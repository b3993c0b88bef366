/** What happens while paths are realised, for clients that want to know it beside the messages. */
import type { StoreDirectory } from '@neve/nix-compat';
import type { RealiseEvent } from '@neve/realise';
import type { DaemonProgress } from '@neve/rpc/node';

/** `undefined` for what is only part of something else. */
export function progressOf(event: RealiseEvent, store: StoreDirectory): DaemonProgress | undefined {
  switch (event.kind) {
    case 'substitution-started':
      return { kind: event.kind, storePath: store.print(event.storePath), detail: event.from };
    case 'substitution-failed':
      return { kind: event.kind, storePath: store.print(event.storePath), detail: event.error.message };
    case 'cache-failed':
      return { kind: event.kind, detail: `${event.name}: ${event.error.message}` };
    case 'substitution-ended':
    case 'waiting-for-lock':
    case 'fetch-started':
    case 'fetch-ended':
      return { kind: event.kind, storePath: store.print(event.storePath) };
    case 'build-started':
      return { kind: event.kind, storePath: store.print(event.derivation) };
    case 'build-log':
      return { kind: event.kind, storePath: store.print(event.derivation), log: event.bytes };
    case 'build-ended': {
      const storePath = store.print(event.derivation);
      return event.error === undefined
        ? { kind: 'build-succeeded', storePath }
        : { kind: 'build-failed', storePath, detail: event.error.message };
    }
    case 'fetch-event':
      return undefined;
  }
}
