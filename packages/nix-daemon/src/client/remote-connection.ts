/** A connection to a program of Nix: bytes in both directions, and what the program writes beside them. */
import type { WireConnection } from '@neve/nix-compat/protocols';

export interface RemoteConnection extends WireConnection, AsyncDisposable {
  /** For messages. */
  readonly name: string;
  /** Is told what a spawned program writes on its standard error. The last one to be set hears it. */
  onStderr: (bytes: Uint8Array) => void;
  /** The end of what it has written there, for messages; waits a moment for a program that is ending. */
  stderrTail(): Promise<string>;
}

/** Opens a connection. Throws `NixDaemonError` (`io`). */
export type Dialer = (signal?: AbortSignal) => Promise<RemoteConnection>;
