/** Both directions of a connection. */
import type { WireReader } from './wire-reader.ts';

export interface WireConnection {
  readonly reader: WireReader;
  /** Sends bytes after those that were given before, and waits while the other side is slow to take them. */
  send(bytes: Uint8Array): Promise<void>;
}
