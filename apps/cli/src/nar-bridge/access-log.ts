/** What a server tells, as lines on standard error. */
import type { CacheEvent, RequestEnded, ServerEvent } from '@neve/nar-bridge';
import { terminalText } from '@neve/diagnostics';
import { write, writeAsIs } from '../output.ts';
import { errorText } from '../error-text.ts';

export type AccessLogOptions = { readonly isQuiet: boolean; readonly asJson: boolean };

export class AccessLog {
  readonly #options: AccessLogOptions;

  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  readonly observeServer = (event: ServerEvent): void => {
    switch (event.kind) {
      case 'listening':
        write(2, `listening on ${event.address}\n`);
        return;
      case 'request-failed':
        write(2, `error: request ${event.id}: ${errorText(event.error)}\n`);
        return;
      case 'request-ended':
        if (!this.#options.isQuiet) this.#tellRequest(event);
        return;
      case 'connection-closed':
        if (!this.#options.isQuiet) write(2, `closed the connection of ${event.remote}: ${event.reason}\n`);
        return;
      case 'closing':
        if (event.activeRequests > 0) write(2, `waiting for ${event.activeRequests} requests to end\n`);
        return;
      case 'request-began':
        return;
    }
  };

  readonly observeCache = (event: CacheEvent): void => {
    if (event.kind === 'path-added' && !this.#options.isQuiet && !this.#options.asJson) {
      write(2, `added ${event.storePath.baseName}\n`);
    }
  };

  #tellRequest(event: RequestEnded): void {
    const { kind: _, ...fields } = event;
    // That is JSON already, whatever form the rest has.
    if (this.#options.asJson) writeAsIs(2, `${JSON.stringify({ timeMs: Date.now(), ...fields })}\n`);
    else write(2, this.#requestLine(event));
  }

  #requestLine(event: RequestEnded): string {
    const { remote, method, status, sentBytes, receivedBytes, durationMs, isComplete } = event;
    const bytes = receivedBytes > 0 ? `${receivedBytes} bytes received` : `${sentBytes} bytes`;
    const end = isComplete ? '' : ' (broken off)';
    // Paths come from strangers.
    const path = terminalText(event.path, { colour: false });
    return `${remote === '' ? 'unix' : remote} ${method} ${path} ${status} ${bytes} ${durationMs.toFixed(1)} ms${end}\n`;
  }
}
