/**
 * What is known of the work at a moment: builds with what waits for them, what is fetched and substituted, and counts. Events
 * go in with the time at which they came, in milliseconds of any clock; nothing here knows a terminal.
 */
import { BuildLogLines } from '@neve/realise/build-log-lines';
import { type ProgressEvent, type TaskProgress, nameOfPath } from './progress-event.ts';

/** `refused`: not begun, or stopped, since an input failed or everything was given up. */
export type BuildState = 'waiting' | 'running' | 'done' | 'failed' | 'refused';

export type Build = {
  readonly drvPath: string;
  readonly name: string;
  readonly inputs: readonly string[];
  /** Derivations that wait for it. */
  readonly dependents: Set<string>;
  readonly expectedMs: number | undefined;
  state: BuildState;
  isCheck: boolean;
  startedMs: number;
  endedMs: number;
  phase: string | undefined;
  lastLine: string | undefined;
  lines: BuildLogLines | undefined;
};

export type TransferState = 'waiting' | 'running' | 'done' | 'failed';

export type Transfer = {
  readonly kind: 'substitution' | 'fetch';
  readonly key: string;
  readonly name: string;
  /** A derivation whose output it is. */
  readonly derivation: string | undefined;
  /** A cache, or a URL when it is known. */
  source: string;
  state: TransferState;
  startedMs: number;
  endedMs: number;
  bytes: number;
  totalBytes: number | undefined;
  isUnpacking: boolean;
};

export type Counts = {
  readonly waiting: number;
  readonly running: number;
  readonly done: number;
  readonly failed: number;
};

type Counting = { -readonly [State in keyof Counts]: Counts[State] };

/** Called for each whole line of a build's log. */
export type OnLogLine = (drvPath: string, line: string) => void;

const rateWindowMs = 3000;

export class ProgressModel {
  readonly builds = new Map<string, Build>();
  /** By what is there in the end; by URL where that is not known. */
  readonly transfers = new Map<string, Transfer>();
  readonly buildCounts: Counting = { waiting: 0, running: 0, done: 0, failed: 0 };
  readonly transferCounts: Counting = { waiting: 0, running: 0, done: 0, failed: 0 };
  /** Store paths that other processes make. */
  readonly locked = new Set<string>();
  /** In the order in which they came. */
  readonly failures: string[] = [];
  task: TaskProgress | undefined;
  startedMs: number | undefined;
  downloadedBytes = 0;
  /** Whoever waits for something that is not there yet, by what they wait for. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #running = new Set<string>();
  readonly #failed: string[] = [];
  readonly #onLogLine: OnLogLine | undefined;
  #recent: { readonly ms: number; readonly bytes: number }[] = [];

  constructor(onLogLine?: OnLogLine) {
    this.#onLogLine = onLogLine;
  }

  /** Whether anything goes on. */
  get isActive(): boolean {
    const { buildCounts: builds, transferCounts: transfers } = this;
    const count = builds.running + builds.waiting + transfers.running + transfers.waiting;
    return count > 0 || this.task !== undefined;
  }

  get runningBuilds(): readonly Build[] {
    return [...this.#running].flatMap((key) => this.builds.get(key) ?? []);
  }

  /** Those that were begun; in the order in which they failed. */
  get failedBuilds(): readonly Build[] {
    return this.#failed.flatMap((key) => this.builds.get(key) ?? []);
  }

  get runningTransfers(): readonly Transfer[] {
    return [...this.transfers.values()].filter(({ state }) => state === 'running');
  }

  /** In bytes a second, of all that came lately. */
  rate(nowMs: number): number {
    this.#recent = this.#recent.filter(({ ms }) => ms > nowMs - rateWindowMs);
    const [first] = this.#recent;
    if (first === undefined) return 0;
    const bytes = this.#recent.reduce((sum, it) => sum + it.bytes, 0);
    return (bytes * 1000) / Math.max(500, nowMs - first.ms);
  }

  take(event: ProgressEvent, nowMs: number): void {
    this.startedMs ??= nowMs;
    switch (event.kind) {
      case 'build-planned':
        this.#plan(event.storePath, event);
        return;
      case 'build-started':
      case 'check-started':
        this.#start(event.storePath, { isCheck: event.kind === 'check-started', nowMs });
        return;
      case 'build-log':
        this.builds.get(event.storePath)?.lines?.write(event.log);
        return;
      case 'build-succeeded':
      case 'build-not-needed':
        this.#end(event.storePath, 'done', nowMs);
        return;
      case 'build-failed':
        this.#end(event.storePath, 'failed', nowMs);
        return;
      case 'build-refused':
        this.#end(event.storePath, 'refused', nowMs);
        return;
      case 'failure':
        this.failures.push(event.detail);
        return;
      case 'waiting-for-lock':
        this.locked.add(event.storePath);
        return;
      case 'task-progress':
        this.task = event;
        return;
      default:
        this.#takeTransfer(event, nowMs);
    }
  }

  // oxlint-disable-next-line eslint/max-lines-per-function -- a table
  #takeTransfer(event: ProgressEvent, nowMs: number): void {
    switch (event.kind) {
      case 'substitution-planned':
        this.#transfer(event.storePath, 'substitution', { ...event, source: event.detail });
        return;
      case 'substitution-started':
        this.#run(this.#transfer(event.storePath, 'substitution', { source: event.detail }), nowMs);
        return;
      case 'substitution-progress':
        this.#arrive(this.transfers.get(event.storePath), event.bytes, nowMs);
        return;
      case 'fetch-started':
        this.#run(this.#transfer(event.storePath, 'fetch', { ...event, source: '' }), nowMs);
        return;
      case 'download-started': {
        const transfer = this.#transfer(event.storePath ?? event.detail, 'fetch', { source: event.detail });
        transfer.source = event.detail;
        transfer.totalBytes = event.totalBytes;
        transfer.bytes = 0;
        this.#run(transfer, nowMs);
        return;
      }
      case 'downloaded': {
        const transfer = this.transfers.get(event.storePath ?? event.detail);
        this.#arrive(transfer, event.bytes - (transfer?.bytes ?? 0), nowMs);
        return;
      }
      case 'unpacking': {
        const transfer = this.transfers.get(event.storePath ?? event.detail);
        if (transfer !== undefined) transfer.isUnpacking = true;
        return;
      }
      case 'download-ended':
        // The fetch goes on, unless there is none that would end.
        if (event.storePath === undefined) this.#endTransfer(event.detail, 'done', nowMs);
        return;
      case 'substitution-ended':
      case 'substitution-not-needed':
      case 'fetch-ended':
        this.#endTransfer(event.storePath, 'done', nowMs);
        return;
      case 'substitution-failed':
      case 'fetch-failed':
        this.#endTransfer(event.storePath, 'failed', nowMs);
        return;
      default:
      // What is only said.
    }
  }

  #plan(
    drvPath: string,
    { inputs = [], expectedMs }: { readonly inputs?: readonly string[]; readonly expectedMs?: number } = {},
  ): Build {
    const known = this.builds.get(drvPath);
    if (known !== undefined) return known;
    const build: Build = {
      ...{ drvPath, inputs, expectedMs, name: nameOfPath(drvPath) },
      dependents: this.#dependentsOf(drvPath),
      ...{ state: 'waiting', isCheck: false, startedMs: 0, endedMs: 0 },
      ...{ phase: undefined, lastLine: undefined, lines: undefined },
    };
    this.builds.set(drvPath, build);
    for (const input of inputs) this.#dependentsOf(input).add(drvPath);
    this.buildCounts.waiting++;
    return build;
  }

  /** Those that wait for a derivation, built or not. */
  #dependentsOf(drvPath: string): Set<string> {
    const known = this.#dependents.get(drvPath);
    if (known !== undefined) return known;
    const dependents = new Set<string>();
    this.#dependents.set(drvPath, dependents);
    return dependents;
  }

  /** Whether a derivation cannot be built, be it that others are waited for before that is said. */
  isDoomed({ inputs, state }: Build): boolean {
    const hasFailed = (drvPath: string): boolean => {
      const input = this.builds.get(drvPath)?.state;
      return input === 'failed' || input === 'refused';
    };
    return state === 'refused' || (state === 'waiting' && inputs.some(hasFailed));
  }

  /** What waits for the output of a derivation. */
  dependentsOf(drvPath: string | undefined): ReadonlySet<string> {
    return (drvPath === undefined ? undefined : this.#dependents.get(drvPath)) ?? new Set();
  }

  #start(drvPath: string, { isCheck, nowMs }: { readonly isCheck: boolean; readonly nowMs: number }): void {
    const build = this.#plan(drvPath);
    this.#move(build, 'running');
    this.#running.add(drvPath);
    build.isCheck = isCheck;
    build.startedMs = nowMs;
    build.lines = new BuildLogLines({
      line: (line) => {
        const [, phase] = /^Running phase: (\S+)\s*$/.exec(line) ?? [];
        if (phase !== undefined) build.phase = phase;
        else if (line.trim() !== '') build.lastLine = line;
        this.#onLogLine?.(drvPath, line);
      },
      phase: (name) => (build.phase = name),
      message: (_level, text) => this.#onLogLine?.(drvPath, text),
    });
  }

  // oxlint-disable-next-line eslint/max-params -- what, how, when
  #end(drvPath: string, state: 'done' | 'failed' | 'refused', nowMs: number): void {
    const build = this.builds.get(drvPath);
    if (build === undefined) return;
    build.lines?.end();
    build.lines = undefined;
    // What was never begun took no work, and counts as none.
    if (build.state === 'waiting' && state === 'done') this.buildCounts.done--;
    this.#move(build, state);
    this.#running.delete(drvPath);
    if (state === 'failed') this.#failed.push(drvPath);
    build.endedMs = nowMs;
  }

  #move(build: Build, state: BuildState): void {
    if (build.state === state) return;
    if (build.state !== 'refused') this.buildCounts[build.state]--;
    if (state !== 'refused') this.buildCounts[state]++;
    build.state = state;
  }

  // oxlint-disable-next-line eslint/max-params -- which, of what kind, and what is known of it
  #transfer(
    key: string,
    kind: Transfer['kind'],
    known: { readonly source: string; readonly derivation?: string; readonly totalBytes?: number },
  ): Transfer {
    const earlier = this.transfers.get(key);
    if (earlier !== undefined) return earlier;
    const transfer: Transfer = {
      ...{ key, kind, source: known.source, derivation: known.derivation, totalBytes: known.totalBytes },
      name: key.startsWith('/') ? nameOfPath(key) : nameOfUrl(key),
      ...{ state: 'waiting', startedMs: 0, endedMs: 0, bytes: 0, isUnpacking: false },
    };
    this.transfers.set(key, transfer);
    this.transferCounts.waiting++;
    return transfer;
  }

  #run(transfer: Transfer, nowMs: number): void {
    if (transfer.state === 'running') return;
    this.#moveTransfer(transfer, 'running');
    transfer.startedMs = nowMs;
  }

  #arrive(transfer: Transfer | undefined, bytes: number, nowMs: number): void {
    if (transfer === undefined || bytes <= 0) return;
    transfer.bytes += bytes;
    this.downloadedBytes += bytes;
    const last = this.#recent.at(-1);
    // Few entries, however small the pieces are.
    if (last !== undefined && nowMs - last.ms < 100) {
      this.#recent[this.#recent.length - 1] = { ms: last.ms, bytes: last.bytes + bytes };
    } else this.#recent.push({ ms: nowMs, bytes });
  }

  // oxlint-disable-next-line eslint/max-params -- what, how, when
  #endTransfer(key: string, state: 'done' | 'failed', nowMs: number): void {
    const transfer = this.transfers.get(key);
    if (transfer === undefined) return;
    if (transfer.state === 'waiting' && state === 'done') this.transferCounts.done--;
    this.#moveTransfer(transfer, state);
    transfer.endedMs = nowMs;
    transfer.isUnpacking = false;
  }

  #moveTransfer(transfer: Transfer, state: TransferState): void {
    this.transferCounts[transfer.state]--;
    this.transferCounts[state]++;
    transfer.state = state;
  }
}

/** The last part of its path, or all of it. */
function nameOfUrl(url: string): string {
  return /([^/?#]+)\/*(?:[?#].*)?$/.exec(url)?.[1] ?? url;
}
