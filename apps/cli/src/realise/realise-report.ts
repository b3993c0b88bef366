/** Shows what is done while paths are realised, a line each, as Nix does. */
import { decodeUtf8 } from '@neve/bytes';
import type { FetchEvent } from '@neve/fetch';
import type { StoreDirectory, StorePath } from '@neve/nix-compat';
import type { RealiseEvent } from '@neve/realise';
import { formatBytes } from '../store/progress.ts';
import type { Caller } from '../caller.ts';

export type ReportOptions = {
  readonly storeDirectory: StoreDirectory;
  readonly printBuildLogs: boolean;
  readonly quiet: boolean;
  readonly caller: Pick<Caller, 'write'>;
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
        this.#write(
          `warning: '${this.#print(event.storePath)}' could not be substituted: ${event.error.message}\n`,
        );
        return;
      case 'cache-failed':
        this.#write(`warning: ${event.name} is not asked for anything: ${event.error.message}\n`);
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
    else if (event.kind === 'warning') this.#write(`warning: ${event.message}\n`);
    else if (event.kind === 'retry') this.#write(`warning: ${event.problem}; trying '${event.url}' again\n`);
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
    this.#write(
      decodeUtf8(bytes)
        .split('\n')
        .map((line) => `${name}> ${line}\n`)
        .join(''),
    );
  }

  #line(text: string): void {
    if (!this.#options.quiet) this.#write(`${text}\n`);
  }

  #write(text: string): void {
    this.#options.caller.write(2, text);
  }

  #print(storePath: StorePath): string {
    return this.#options.storeDirectory.print(storePath);
  }
}
