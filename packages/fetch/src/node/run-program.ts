/**
 * Runs a program to its end: git, git-lfs or hg. Its group of processes is ended when the signal says so, so that what it
 * started goes with it. Nothing passes through a shell.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { redactUrlsIn } from '@neve/diagnostics';
import { FetchError } from '../fetch-error.ts';

export type RunOptions = {
  readonly cwd: string;
  /** All of it. */
  readonly environment: NodeJS.ProcessEnv;
  readonly input?: Uint8Array;
  /** Gets what is written on the error output, as it comes. */
  readonly onComplaint?: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
};

/** `code` is `null` when a signal ended it. `stderr` is the end of it, without passwords. */
export type RunResult = { readonly code: number | null; readonly stdout: Buffer; readonly stderr: string };

const maxComplaintLength = 1 << 14;

/**
 * Throws `FetchError` (`unsupported` when the program is not installed, `io` when it cannot be run), and the reason of the
 * signal.
 */
export async function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  { cwd, environment, input, onComplaint, signal }: RunOptions,
): Promise<RunResult> {
  signal?.throwIfAborted();
  const child = spawn(program, args, { cwd, env: environment, stdio: 'pipe', detached: true });
  const ended = once(child, 'close').catch((cause: unknown) => {
    throw startError(program, cause);
  });
  const end = (): void => killGroup(child);
  signal?.addEventListener('abort', end);
  try {
    let stderr = '';
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => void pieces.push(piece));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-maxComplaintLength);
      onComplaint?.(text);
    });
    // Whoever does not read its input says so by its exit code.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    await ended;
    signal?.throwIfAborted();
    return {
      code: child.exitCode,
      stdout: Buffer.concat(pieces),
      stderr: redactUrlsIn(withoutProgress(stderr)),
    };
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/** What is missing, and how to get it. */
export function missingProgram(program: string, cause?: unknown): FetchError {
  const packageName = { git: 'git', 'git-lfs': 'git-lfs', hg: 'mercurial' }[program] ?? program;
  return new FetchError(
    'unsupported',
    `the program '${program}' is needed for this and is not in PATH; install it, for example by 'apt install ${packageName}' or 'nix-env -iA nixpkgs.${packageName}'`,
    { cause },
  );
}

/** Lines that were written over by the next, as progress is, do not count. */
function withoutProgress(text: string): string {
  return text
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r') + 1).trimEnd())
    .filter((line) => line !== '' && !line.startsWith('remote: '))
    .join('\n');
}

function killGroup(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function startError(program: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('code' in cause)) return cause;
  if (cause.code === 'ENOENT') return missingProgram(program, cause);
  return new FetchError('io', `the program '${program}' cannot be run: ${cause.message}`, { cause });
}
