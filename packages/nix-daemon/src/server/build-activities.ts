/** What happens while paths are realised, told to a client as activities, as a Nix daemon tells it. */
import type { FetchEvent } from '@neve/fetch';
import { type StoreDirectory, type StorePath, verbosity } from '@neve/nix-compat';
import { BuildLogLines, type RealiseEvent } from '@neve/realise';
import type { ClientLog } from './client-log.ts';

type RunningBuild = { readonly id: bigint; readonly lines: BuildLogLines };

/** Activities that all others belong to, with the numbers that a progress bar shows. */
type Totals = { readonly realise: bigint; readonly builds: bigint; readonly copies: bigint };

type Counter = { done: number; running: number; failed: number };

export class BuildActivities implements Disposable {
  /** Derivations whose builds were begun for this request, by hash part. */
  readonly built: Set<string> = new Set();
  readonly #log: ClientLog;
  readonly #store: StoreDirectory;
  readonly #totals: Totals;
  readonly #buildCount: Counter = { done: 0, running: 0, failed: 0 };
  readonly #copyCount: Counter = { done: 0, running: 0, failed: 0 };
  readonly #builds = new Map<string, RunningBuild>();
  readonly #copies = new Map<string, readonly [substitution: bigint, copy: bigint]>();
  readonly #transfers = new Map<string, bigint>();

  constructor(log: ClientLog, store: StoreDirectory) {
    this.#log = log;
    this.#store = store;
    const level = verbosity.debug;
    this.#totals = {
      realise: log.start({ type: 'realise', level }),
      copies: log.start({ type: 'copyPaths', level }),
      builds: log.start({ type: 'builds', level }),
    };
  }

  #startBuild(drvPath: StorePath): void {
    const { hashPart } = drvPath;
    this.built.add(hashPart);
    const printed = this.#store.print(drvPath);
    const id = this.#log.start({
      type: 'build',
      level: verbosity.info,
      text: `building '${printed}'`,
      fields: [printed, '', 1, 1],
      parent: this.#totals.builds,
    });
    const lines = new BuildLogLines({
      line: (text) => this.#log.line(id, text),
      phase: (name) => this.#log.result(id, 'setPhase', [name]),
      message: (level, text) => this.#log.message(level, text),
    });
    this.#builds.set(hashPart, { id, lines });
    this.#buildCount.running++;
    this.#progress();
  }

  show(event: RealiseEvent): void {
    switch (event.kind) {
      case 'build-started':
        this.#startBuild(event.derivation);
        return;
      case 'build-log':
        this.#builds.get(event.derivation.hashPart)?.lines.write(event.bytes);
        return;
      case 'build-ended':
        this.#endBuild(event.derivation, event.error !== undefined);
        return;
      case 'substitution-started':
        this.#startCopy(event.storePath, event.from);
        return;
      case 'substitution-ended':
        this.#endCopy(event.storePath, false);
        return;
      case 'substitution-failed':
        this.#endCopy(event.storePath, true);
        this.#log.warn(
          `'${this.#store.print(event.storePath)}' could not be substituted: ${event.error.message}`,
        );
        return;
      case 'cache-failed':
        this.#log.warn(`${event.name} is not asked for anything: ${event.error.message}`);
        return;
      case 'waiting-for-lock':
        this.#log.message(verbosity.info, `waiting for lock on '${this.#store.print(event.storePath)}'`);
        return;
      case 'fetch-event':
        this.#showFetch(event.storePath, event.event);
        return;
      case 'fetch-ended':
        this.#endTransfer(event.storePath);
        return;
      case 'fetch-started':
      case 'substitution-planned':
      case 'substitution-not-needed':
      case 'substitution-progress':
      case 'build-planned':
      case 'build-not-needed':
      case 'build-refused':
    }
  }

  /** Ends whatever has not ended. */
  [Symbol.dispose](): void {
    for (const { id, lines } of this.#builds.values()) {
      lines.end();
      this.#log.stop(id);
    }
    for (const ids of this.#copies.values()) for (const id of ids.toReversed()) this.#log.stop(id);
    for (const id of this.#transfers.values()) this.#log.stop(id);
    const { realise, builds, copies } = this.#totals;
    for (const id of [builds, copies, realise]) this.#log.stop(id);
  }

  #endBuild({ hashPart }: StorePath, hasFailed: boolean): void {
    const build = this.#builds.get(hashPart);
    if (build === undefined) return;
    this.#builds.delete(hashPart);
    build.lines.end();
    this.#log.stop(build.id);
    end(this.#buildCount, hasFailed);
    this.#progress();
  }

  #startCopy(storePath: StorePath, from: string): void {
    const printed = this.#store.print(storePath);
    const substitution = this.#log.start({
      type: 'substitute',
      level: verbosity.error,
      fields: [printed, from],
      parent: this.#totals.copies,
    });
    const copy = this.#log.start({
      type: 'copyPath',
      level: verbosity.info,
      text: `copying path '${printed}' from '${from}'`,
      fields: [printed, from, ''],
      parent: substitution,
    });
    this.#copies.set(storePath.hashPart, [substitution, copy]);
    this.#copyCount.running++;
    this.#progress();
  }

  #endCopy({ hashPart }: StorePath, hasFailed: boolean): void {
    const ids = this.#copies.get(hashPart);
    if (ids === undefined) return;
    this.#copies.delete(hashPart);
    for (const id of ids.toReversed()) this.#log.stop(id);
    end(this.#copyCount, hasFailed);
    this.#progress();
  }

  #showFetch(storePath: StorePath, event: FetchEvent): void {
    if (event.kind === 'download-started') {
      this.#endTransfer(storePath);
      const id = this.#log.start({
        type: 'fileTransfer',
        level: verbosity.talkative,
        text: `downloading '${event.url}'`,
        fields: [event.url],
        parent: this.#totals.builds,
      });
      this.#transfers.set(storePath.hashPart, id);
    } else if (event.kind === 'warning') this.#log.warn(event.message);
    else if (event.kind === 'retry') this.#log.warn(`${event.problem}; trying '${event.url}' again`);
  }

  #endTransfer({ hashPart }: StorePath): void {
    const id = this.#transfers.get(hashPart);
    if (id === undefined) return;
    this.#transfers.delete(hashPart);
    this.#log.stop(id);
  }

  #progress(): void {
    this.#log.result(this.#totals.builds, 'progress', numbersOf(this.#buildCount));
    this.#log.result(this.#totals.copies, 'progress', numbersOf(this.#copyCount));
  }
}

function end(counter: Counter, hasFailed: boolean): void {
  counter.running--;
  if (hasFailed) counter.failed++;
  else counter.done++;
}

/** What is done, what is expected, what is under way, what has failed. */
function numbersOf({ done, running, failed }: Counter): readonly number[] {
  return [done, done + running, running, failed];
}
