/** A request under way: what its handler works with. */
import type {
  WireContext,
  WireStream,
  WorkerAnswers,
  WorkerOperation,
  WorkerRequests,
} from '@neve/nix-compat/protocols';
import { type PublicKey, parsePublicKey } from '@neve/nix-compat';
import type { PathInfo } from '@neve/store';
import { NixDaemonError } from '../nix-daemon-error.ts';
import type { AppliedSettings } from './client-settings.ts';
import type { ClientLog } from './client-log.ts';
import type { DaemonState } from './daemon-state.ts';
import type { SessionRoots } from './temporary-roots.ts';

/** What is the same for all requests of a connection. */
export type Client = {
  readonly daemon: DaemonState;
  readonly isTrusted: boolean;
  readonly context: WireContext;
  readonly log: ClientLog;
  readonly roots: SessionRoots;
  /** As the client said last. */
  readonly settings: SessionSettings;
  /** Aborted when the client has gone, or the server ends. */
  readonly signal: AbortSignal;
};

export type SessionSettings = Omit<AppliedSettings, 'warnings'>;

export type Call = Client & {
  /** For this request's successors. */
  readonly setSettings: (settings: SessionSettings) => void;
  /** The stream that comes with the request. */
  readonly source: () => WireStream;
  /** Sends a stream after the answer. */
  readonly sendAfter: (stream: AsyncIterable<Uint8Array>) => void;
};

export type Handler<Name extends WorkerOperation> = (
  request: WorkerRequests[Name],
  call: Call,
) => Promise<WorkerAnswers[Name]>;

export type Handlers<Names extends WorkerOperation> = { readonly [Name in Names]: Handler<Name> };

/** Whose signatures count for this client. Throws `NixCompatError` for what is no key. */
export function publicKeysFor({ daemon, settings }: Client): readonly PublicKey[] {
  return settings.options.caches.trustedPublicKeys?.map(parsePublicKey) ?? daemon.trust.publicKeys;
}

/** Throws `NixDaemonError` (`not-privileged`), with the message of Nix. */
export function requireTrust({ isTrusted }: Client, message: string): void {
  if (!isTrusted) throw new NixDaemonError('not-privileged', message);
}

/** What a client is told to be there it may look for as files. */
export async function reveal<T extends PathInfo | undefined>(
  pathInfo: T,
  { daemon, signal }: Client,
): Promise<T> {
  if (pathInfo !== undefined) await daemon.view?.show(pathInfo, signal);
  return pathInfo;
}
