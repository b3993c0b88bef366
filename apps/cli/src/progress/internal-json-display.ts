/**
 * The lines of Nix's `--log-format internal-json`, which programs such as nix-output-monitor read, on standard error:
 *
 *     @nix {"action":"start","fields":[…],"id":N,"level":N,"parent":N,"text":"…","type":N}
 *     @nix {"action":"stop","id":N}
 *     @nix {"action":"result","fields":[…],"id":N,"type":N}
 *     @nix {"action":"msg","level":N,"msg":"…"}
 *
 * Activities, fields, levels and the order of keys are those of Nix 2.34. Numbers of activities have the process in their
 * upper 32 bits, as there.
 */
import { activityNumbers, resultNumbers, verbosity } from '@neve/nix-compat';
import { BuildLogLines } from '@neve/realise/build-log-lines';
import type { Display } from './display.ts';
import type { ProgressEvent, TaskProgress } from './progress-event.ts';
import { SaidLines } from './said-lines.ts';

type Fields = readonly (string | number)[];

type NewActivity = {
  readonly type: keyof typeof activityNumbers;
  readonly level: number;
  readonly text?: string;
  readonly fields?: Fields;
  readonly parent?: bigint;
};

type Counter = { done: number; running: number; waiting: number; failed: number };

type Totals = { readonly realise: bigint; readonly builds: bigint; readonly copies: bigint };

type Write = (file: 1 | 2, text: string | Uint8Array) => void;

export class InternalJsonDisplay implements Display {
  readonly #write: Write;
  #lastId = (BigInt(process.pid) << 32n) - 1n;
  #totals: Totals | undefined;
  readonly #builds = new Map<string, { readonly id: bigint; readonly lines: BuildLogLines }>();
  readonly #copies = new Map<
    string,
    { readonly substitution: bigint; readonly copy: bigint; bytes: number; total: number }
  >();
  readonly #transfers = new Map<string, { readonly id: bigint; total: number }>();
  readonly #planned = new Set<string>();
  /** What is downloaded for a store path. */
  readonly #sizes = new Map<string, number>();
  readonly #buildCount: Counter = { done: 0, running: 0, waiting: 0, failed: 0 };
  readonly #copyCount: Counter = { done: 0, running: 0, waiting: 0, failed: 0 };
  /** Bytes of everything that was planned. */
  readonly #expected = { download: 0, nar: 0 };
  #hasPlan = false;
  #task: bigint | undefined;
  readonly #said = new SaidLines((text) => this.#message(text));

  constructor(write: Write) {
    this.#write = write;
  }

  write(file: 1 | 2, text: string | Uint8Array): void {
    if (file === 1) this.#write(1, text);
    else this.#said.write(text);
  }

  // oxlint-disable-next-line eslint/max-lines-per-function -- a table
  report(event: ProgressEvent): void {
    switch (event.kind) {
      case 'plan':
        this.#tellPlan(event.detail);
        return;
      case 'work-started':
        if (!this.#hasPlan) this.#tellQuestion();
        this.#begin();
        this.#progress();
        this.#tellQuestion();
        return;
      case 'work-ended':
        this.#end();
        return;
      case 'build-planned':
        this.#planned.add(event.storePath);
        this.#buildCount.waiting++;
        this.#progress();
        return;
      case 'build-started':
      case 'check-started':
        this.#startBuild(event.storePath, event.kind === 'check-started');
        return;
      case 'build-log':
        this.#builds.get(event.storePath)?.lines.write(event.log);
        return;
      case 'build-not-needed':
      case 'build-refused':
        if (this.#planned.delete(event.storePath)) this.#buildCount.waiting--;
        if (this.#builds.has(event.storePath)) this.#endBuild(event.storePath, true);
        else this.#progress();
        return;
      case 'build-succeeded':
      case 'build-failed':
        this.#endBuild(event.storePath, event.kind === 'build-failed');
        return;
      case 'substitution-planned':
        this.#planCopy(event.storePath, event);
        return;
      case 'substitution-not-needed':
        if (this.#planned.delete(event.storePath)) this.#copyCount.waiting--;
        return;
      case 'substitution-started':
        this.#startCopy(event.storePath, event.detail);
        return;
      case 'substitution-progress':
        this.#copyBytes(event.storePath, event.bytes);
        return;
      case 'substitution-ended':
        this.#endCopy(event.storePath, false);
        return;
      case 'substitution-failed':
        this.#endCopy(event.storePath, true);
        this.#message(`warning: '${event.storePath}' could not be substituted: ${event.detail}`);
        return;
      case 'download-started':
        this.#startTransfer(event.detail, event.totalBytes ?? 0);
        return;
      case 'downloaded':
        this.#transferBytes(event.detail, event.bytes);
        return;
      case 'download-ended':
        this.#endTransfer(event.detail);
        return;
      case 'cache-failed':
      case 'warning':
        this.#message(`warning: ${event.detail}`);
        return;
      case 'waiting-for-lock':
        this.#message(`waiting for lock on '${event.storePath}'`);
        return;
      case 'failure':
        this.#message(event.detail.trimEnd());
        return;
      case 'task-progress':
        this.#takeTask(event);
        return;
      default:
      // Nix says nothing of it.
    }
  }

  /** Ends whatever has not ended. */
  [Symbol.dispose](): void {
    this.#said.end();
    if (this.#task !== undefined) this.#stop(this.#task);
    this.#task = undefined;
    this.#end();
  }

  #tellPlan(text: string): void {
    this.#hasPlan = true;
    this.#tellQuestion();
    for (const line of text.trimEnd().split('\n')) {
      if (line !== '') this.#tell({ action: 'msg', level: verbosity.info, msg: line });
    }
  }

  /** Nix does this at these moments; what Neve does is told otherwise. */
  #tellQuestion(): void {
    this.#stop(
      this.#start({ type: 'unknown', level: verbosity.debug, text: 'querying info about missing paths' }),
    );
  }

  #begin(): Totals {
    this.#totals ??= {
      realise: this.#start({ type: 'realise', level: verbosity.error }),
      builds: this.#start({ type: 'builds', level: verbosity.error }),
      copies: this.#start({ type: 'copyPaths', level: verbosity.error }),
    };
    return this.#totals;
  }

  #end(): void {
    for (const derivation of [...this.#builds.keys()]) this.#endBuild(derivation, true);
    for (const storePath of [...this.#copies.keys()]) this.#endCopy(storePath, true);
    for (const url of [...this.#transfers.keys()]) this.#endTransfer(url);
    if (this.#totals === undefined) return;
    const { realise, builds, copies } = this.#totals;
    this.#totals = undefined;
    for (const id of [copies, builds, realise]) this.#stop(id);
  }

  #startBuild(drvPath: string, isCheck: boolean): void {
    this.#begin();
    if (this.#planned.delete(drvPath)) this.#buildCount.waiting--;
    const id = this.#start({
      type: 'build',
      level: verbosity.info,
      text: isCheck ? `checking outputs of '${drvPath}'` : `building '${drvPath}'`,
      fields: [drvPath, '', 1, 1],
    });
    const lines = new BuildLogLines({
      line: (text) => this.#result(id, 'buildLogLine', [text]),
      phase: (name) => this.#result(id, 'setPhase', [name]),
      message: (level, msg) => this.#tell({ action: 'msg', level, msg }),
    });
    this.#builds.set(drvPath, { id, lines });
    this.#buildCount.running++;
    this.#progress();
  }

  #endBuild(drvPath: string, hasFailed: boolean): void {
    const build = this.#builds.get(drvPath);
    if (build === undefined) return;
    this.#builds.delete(drvPath);
    build.lines.end();
    this.#buildCount.running--;
    this.#buildCount[hasFailed ? 'failed' : 'done']++;
    this.#progress();
    this.#stop(build.id);
  }

  #planCopy(
    storePath: string,
    { totalBytes = 0, narSize }: { readonly totalBytes?: number; readonly narSize: number },
  ): void {
    this.#copyCount.waiting++;
    this.#planned.add(storePath);
    this.#sizes.set(storePath, totalBytes);
    this.#expected.download += totalBytes;
    this.#expected.nar += narSize;
    this.#progress();
  }

  #startCopy(storePath: string, from: string): void {
    this.#begin();
    if (this.#planned.delete(storePath)) this.#copyCount.waiting--;
    const substitution = this.#start({
      type: 'substitute',
      level: verbosity.error,
      fields: [storePath, from],
    });
    const copy = this.#start({
      type: 'copyPath',
      level: verbosity.info,
      text: `copying path '${storePath}' from '${from}'`,
      fields: [storePath, from, 'local'],
      parent: substitution,
    });
    this.#copies.set(storePath, { substitution, copy, bytes: 0, total: this.#sizes.get(storePath) ?? 0 });
    this.#copyCount.running++;
    this.#progress();
  }

  #copyBytes(storePath: string, bytes: number): void {
    const copy = this.#copies.get(storePath);
    if (copy === undefined) return;
    copy.bytes += bytes;
    this.#result(copy.copy, 'progress', [copy.bytes, copy.total, 0, 0]);
  }

  #endCopy(storePath: string, hasFailed: boolean): void {
    const copy = this.#copies.get(storePath);
    if (copy === undefined) {
      if (this.#planned.delete(storePath)) this.#copyCount.waiting--;
      return;
    }
    this.#copies.delete(storePath);
    this.#copyCount.running--;
    this.#copyCount[hasFailed ? 'failed' : 'done']++;
    this.#stop(copy.copy);
    this.#progress();
    this.#stop(copy.substitution);
  }

  #startTransfer(url: string, total: number): void {
    this.#endTransfer(url);
    const id = this.#start({
      type: 'fileTransfer',
      level: verbosity.talkative,
      text: `downloading '${url}'`,
      fields: [url],
    });
    this.#transfers.set(url, { id, total });
  }

  #transferBytes(url: string, bytes: number): void {
    const transfer = this.#transfers.get(url);
    if (transfer !== undefined) this.#result(transfer.id, 'progress', [bytes, transfer.total, 0, 0]);
  }

  #endTransfer(url: string): void {
    const transfer = this.#transfers.get(url);
    this.#transfers.delete(url);
    if (transfer !== undefined) this.#stop(transfer.id);
  }

  #takeTask({ verb, unit, done, total = 0 }: TaskProgress): void {
    this.#task ??= this.#start({ type: 'copyPaths', level: verbosity.info, text: `${verb} ${unit}` });
    this.#result(this.#task, 'progress', [done, total, 0, 0]);
  }

  #progress(): void {
    const { realise, builds, copies } = this.#begin();
    this.#result(builds, 'progress', numbersOf(this.#buildCount));
    this.#result(copies, 'progress', numbersOf(this.#copyCount));
    const { download, nar } = this.#expected;
    this.#result(realise, 'setExpected', [activityNumbers.fileTransfer, download]);
    this.#result(realise, 'setExpected', [activityNumbers.copyPath, nar]);
  }

  #start({ type, level, text = '', fields, parent = 0n }: NewActivity): bigint {
    const id = ++this.#lastId;
    const listed = fields === undefined ? {} : { fields };
    this.#tell({ action: 'start', ...listed, id, level, parent, text, type: activityNumbers[type] });
    return id;
  }

  #stop(id: bigint): void {
    this.#tell({ action: 'stop', id });
  }

  // oxlint-disable-next-line eslint/max-params -- of what, which, and its values
  #result(id: bigint, type: keyof typeof resultNumbers, fields: Fields): void {
    this.#tell({ action: 'result', fields, id, type: resultNumbers[type] });
  }

  /** Nix says what is wrong as text for people, and once more without decoration. */
  #message(said: string): void {
    const plain = said.replace(/\x1b\[[0-9;]*m/g, '');
    if (!plain.startsWith('error:')) {
      const level = /^(trace|evaluation warning):/.test(plain)
        ? verbosity.error
        : plain.startsWith('warning:')
          ? verbosity.warning
          : verbosity.info;
      this.#tell({ action: 'msg', level, msg: said });
      return;
    }
    const raw = plain.replace(/^error: ?/, '').replaceAll('\n       ', '\n');
    const position = { column: null, file: null };
    this.#tell({ action: 'msg', ...position, level: verbosity.error, line: null, msg: said, raw_msg: raw });
  }

  #tell(message: Readonly<Record<string, unknown>>): void {
    const json = Object.entries(message).map(([key, value]) => `${JSON.stringify(key)}:${jsonOf(value)}`);
    this.#write(2, `@nix {${json.join(',')}}\n`);
  }
}

/** Numbers of activities are too large for JSON.stringify. */
function jsonOf(value: unknown): string {
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
}

/** What is done, what is expected, what is under way, what has failed. */
function numbersOf({ done, running, waiting, failed }: Counter): Fields {
  return [done, done + running + waiting, running, failed];
}
