/** Shows what is done while paths are realised, a line each, as Nix does. */
import { decodeUtf8 } from '@neve/bytes';
import type { FetchEvent } from '@neve/fetch';
import type { StoreDirectory, StorePath } from '@neve/nix-compat';
import type { RealiseEvent } from '@neve/realise';
import { formatBytes } from '../store/progress.ts';
import { write } from '../output.ts';

export type ReportOptions = {
  readonly storeDirectory: StoreDirectory;
  readonly printBuildLogs: boolean;
  readonly quiet: boolean;
};

export class RealiseReport {
  readonly #options: ReportOptions;
  /** What came after the last line end, by derivation. */
  readonly #unfinished = new Map<string, Uint8Array>();

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  show(event: RealiseEvent): void {
    switch (event.kind) {
      case 'build-started':
        this.#line(
          `${event.mode === 'check' ? 'checking' : 'building'} '${this.#print(event.derivation)}'...`,
        );
        return;
      case 'build-log':
        if (this.#options.printBuildLogs) this.#log(event.derivation, event.bytes);
        return;
      case 'build-ended':
        this.#endLog(event.derivation);
        return;
      case 'substitution-started':
        this.#line(`copying path '${this.#print(event.storePath)}' from '${event.from}'...`);
        return;
      case 'substitution-failed':
        write(
          2,
          `warning: '${this.#print(event.storePath)}' could not be substituted: ${event.error.message}\n`,
        );
        return;
      case 'cache-failed':
        write(2, `warning: ${event.name} is not asked for anything: ${event.error.message}\n`);
        return;
      case 'waiting-for-lock':
        this.#line(`waiting for another process that makes '${this.#print(event.storePath)}'...`);
        return;
      case 'fetch-event':
        this.showFetch(event.event);
        return;
      case 'substitution-ended':
      case 'fetch-started':
      case 'fetch-ended':
    }
  }

  showFetch(event: FetchEvent): void {
    if (event.kind === 'download-started') {
      const size = event.totalBytes === undefined ? '' : ` (${formatBytes(event.totalBytes)})`;
      this.#line(`downloading '${event.url}'${size}...`);
    } else if (event.kind === 'unpacking') this.#line(`unpacking '${event.url}'...`);
    else if (event.kind === 'warning') write(2, `warning: ${event.message}\n`);
    else if (event.kind === 'retry') write(2, `warning: ${event.problem}; trying '${event.url}' again\n`);
  }

  #log(derivation: StorePath, bytes: Uint8Array): void {
    const all = Buffer.concat([this.#unfinished.get(derivation.hashPart) ?? new Uint8Array(), bytes]);
    const end = all.lastIndexOf(0x0a) + 1;
    this.#unfinished.set(derivation.hashPart, all.subarray(end));
    if (end > 0) this.#logLines(derivation, all.subarray(0, end - 1));
  }

  #endLog(derivation: StorePath): void {
    const rest = this.#unfinished.get(derivation.hashPart);
    this.#unfinished.delete(derivation.hashPart);
    if (rest !== undefined && rest.length > 0) this.#logLines(derivation, rest);
  }

  #logLines(derivation: StorePath, bytes: Uint8Array): void {
    const name = derivation.name.replace(/\.drv$/, '');
    write(
      2,
      decodeUtf8(bytes)
        .split('\n')
        .map((line) => `${name}> ${line}\n`)
        .join(''),
    );
  }

  #line(text: string): void {
    if (!this.#options.quiet) write(2, `${text}\n`);
  }

  #print(storePath: StorePath): string {
    return this.#options.storeDirectory.print(storePath);
  }
}
