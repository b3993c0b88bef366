/**
 * Starts what a kind of sandbox wants to have started, and follows it to its end: log, records of the launcher, limits of
 * time, and the ending of everything.
 *
 * The descriptors of the program: 0 and 1 nothing, 2 what it prints about the sandbox itself, 3 the launcher, 4 the
 * table, 5 records, 6 go, 7 the log, 8 arguments.
 */
import { closeSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { BuildError, type ExitStatus } from '../../build-error.ts';
import { programFolders } from '../host.ts';
import { type Command, appendCommand, execPurpose } from './command-program.ts';
import { type HostProcess, startHostProcess, statusOfWait } from './host-process.ts';
import { hostMachine } from './launcher.ts';
import { type PseudoTerminal, openPseudoTerminal } from './pseudo-terminal.ts';
import type { Launch, Sandbox, SandboxPlan } from './sandbox.ts';
import {
  SyscallProgram,
  goDescriptor,
  recordBytes,
  recordKind,
  statusDescriptor,
} from './syscall-program.ts';

export type RunOptions = {
  readonly sandbox: Sandbox;
  readonly plan: SandboxPlan;
  /** `undefined` for a trial that does nothing and ends with 0. */
  readonly command: Command | undefined;
  /** Empty, for files that the run needs. */
  readonly folder: string;
  readonly launcher: string;
  readonly onLog: (bytes: Uint8Array) => void;
  readonly onStart: () => void;
};

/** A command under way. */
export interface SandboxRun {
  /** How the command ended; then nothing of it runs and all of its log has come. */
  readonly ended: Promise<ExitStatus>;
  /** The process of the host that the sandbox is below. */
  readonly pid: number;
  /** Ends everything. `ended` says when that is done. */
  kill(): void;
}

/** Throws `BuildError` (`no-sandbox`); `ended` also with `failed` when the command cannot be executed. */
export async function runInSandbox(options: RunOptions): Promise<SandboxRun> {
  const { sandbox, plan, folder, command } = options;
  const machine = hostMachine();
  const program = new SyscallProgram(machine);
  const launch = sandbox.launch(plan, {
    folder,
    program,
    finish: (finish) => appendCommand(program, command, { ...finish, machine, user: plan.user }),
  });
  const ownUid = process.getuid?.();
  const owner = plan.user.outside.uid === ownUid ? undefined : plan.user.outside;
  const terminal = await openPseudoTerminal(owner);
  const files: number[] = [];
  try {
    const table = encode(program);
    files.push(openSync(options.launcher, 'r'));
    if (launch.outer === undefined) files.push(openBytes(join(folder, 'table'), table));
    else {
      files.push(
        openBytes(join(folder, 'table'), encode(launch.outer)),
        openBytes(join(folder, 'inner'), table),
      );
    }
    if (launch.argumentBytes !== undefined)
      files.push(openBytes(join(folder, 'arguments'), launch.argumentBytes));
    const child = await start(launch, { files, log: terminal.slave });
    return new RunningSandbox(child, { options, launch, program, terminal });
  } catch (cause) {
    terminal.close();
    throw cause;
  } finally {
    for (const file of files) closeSync(file);
  }
}

function encode(program: SyscallProgram): Uint8Array {
  try {
    return program.encode();
  } catch (cause) {
    if (cause instanceof RangeError) throw new BuildError('invalid-request', cause.message, { cause });
    throw cause;
  }
}

/** A file that only descriptors know. */
function openBytes(path: string, bytes: Uint8Array): number {
  writeFileSync(path, bytes);
  return openSync(path, 'r');
}

async function start(
  { file, args, runAs }: Launch,
  { files, log }: { readonly files: readonly number[]; readonly log: number },
): Promise<HostProcess> {
  const [launcher = -1, table = -1, ...others] = files;
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const isOther = runAs !== undefined && (runAs.uid !== own.uid || runAs.gid !== own.gid);
  try {
    return await startHostProcess({
      file,
      args,
      environment: { PATH: programFolders.join(':') },
      descriptors: ['nothing', 'nothing', 'from', launcher, table, 'from', 'to', log, ...others],
      runAs: isOther ? runAs : undefined,
    });
  } catch (cause) {
    throw noProgram(file, cause);
  }
}

type RunParts = {
  readonly options: RunOptions;
  readonly launch: Launch;
  readonly program: SyscallProgram;
  readonly terminal: PseudoTerminal;
};

const messageDescriptor = 2;
const maxMessageBytes = 16 << 10;

class RunningSandbox implements SandboxRun {
  readonly ended: Promise<ExitStatus>;
  readonly #child: HostProcess;
  readonly #parts: RunParts;
  readonly #go: Writable;
  #records: Buffer = Buffer.alloc(0);
  #message = '';
  #hasStarted = false;
  #failure: BuildError | undefined;
  #reported: ExitStatus | undefined;
  #isKilled = false;

  constructor(child: HostProcess, parts: RunParts) {
    this.#child = child;
    this.#parts = parts;
    const { terminal, options } = parts;
    terminal.read(options.onLog);
    child.readable.get(messageDescriptor)?.on('data', (bytes: Buffer) => {
      if (this.#message.length < maxMessageBytes) this.#message += bytes.toString();
    });
    child.readable.get(statusDescriptor)?.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#go = child.writable.get(goDescriptor) as Writable;
    // Writing to a process that has gone is no failure of its own.
    this.#go.on('error', () => {});
    this.ended = this.#follow();
    this.ended.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid;
  }

  kill(): void {
    this.#isKilled = true;
    // Ending the command's first process ends all; the program outside then sees that nothing is left.
    const inner = this.#hasStarted ? childrenOf(this.pid) : [];
    for (const pid of inner) killProcess(pid);
    if (inner.length === 0) this.#child.kill();
  }

  async #follow(): Promise<ExitStatus> {
    const { terminal, launch } = this.#parts;
    try {
      const status = await this.#child.closed;
      await terminal.drain();
      if (this.#failure !== undefined) throw this.#failure;
      if (!this.#hasStarted && this.#parts.options.command !== undefined && !this.#isKilled) {
        throw this.#notStarted(status);
      }
      if (this.#parts.options.command === undefined && !isSuccess(status)) throw this.#notStarted(status);
      return launch.reportsEnd ? (this.#reported ?? status) : status;
    } finally {
      terminal.close();
    }
  }

  #notStarted(status: ExitStatus): BuildError {
    const { launch, options } = this.#parts;
    const how = 'code' in status ? `exit code ${status.code}` : status.signal;
    const said = this.#message.trim() === '' ? `it ended with ${how}` : this.#message.trim();
    return new BuildError(
      'no-sandbox',
      `no ${options.sandbox.name} sandbox: '${launch.file}' failed: ${said}`,
    );
  }

  #take(bytes: Buffer): void {
    this.#records = Buffer.concat([this.#records, bytes]);
    while (this.#records.length >= recordBytes) {
      const [kind, detail] = [this.#records.readBigInt64LE(0), this.#records.readBigUInt64LE(8)];
      this.#records = this.#records.subarray(recordBytes);
      this.#handle(kind, detail);
    }
  }

  #handle(kind: bigint, detail: bigint): void {
    const { program, options, launch } = this.#parts;
    if (kind < 0n) {
      this.#failure ??= this.#explain(program.explain(kind, detail));
    } else if (kind === BigInt(recordKind.started)) {
      this.#hasStarted = true;
      options.onStart();
      if (this.#isKilled) this.kill();
    } else if (kind === BigInt(recordKind.ended)) {
      this.#reported = statusOfWait(Number(BigInt.asUintN(32, detail)));
    } else if (kind === BigInt(recordKind.ready)) {
      try {
        if (launch.maps !== undefined) writeMaps(this.pid, launch.maps);
        this.#go.write('g');
      } catch (cause) {
        this.#failure ??= new BuildError('no-sandbox', `users cannot be mapped: ${String(cause)}`, { cause });
        this.#child.kill();
      }
    }
  }

  #explain({ purpose, errno }: { readonly purpose: string; readonly errno: string }): BuildError {
    const { command, sandbox } = this.#parts.options;
    if (purpose === execPurpose && command !== undefined) {
      const problem = `'${command.program}' cannot be executed: ${errno}`;
      const hint = errno === 'ENOENT' ? '; it, or the interpreter that it names, is not in the sandbox' : '';
      return new BuildError('failed', problem + hint, { status: { code: 1 } });
    }
    return new BuildError('no-sandbox', `no ${sandbox.name} sandbox: cannot ${purpose}: ${errno}`);
  }
}

function isSuccess(status: ExitStatus): boolean {
  return 'code' in status && status.code === 0;
}

function noProgram(file: string, cause: unknown): BuildError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BuildError('no-sandbox', `'${file}' cannot be started: ${reason}; is it installed?`, { cause });
}

/** Processes that a process has started, in any of its threads. */
export function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function writeMaps(pid: number, { uid, gid }: { readonly uid: string; readonly gid: string }): void {
  writeFileSync(`/proc/${pid}/uid_map`, uid);
  writeFileSync(`/proc/${pid}/gid_map`, gid);
}
