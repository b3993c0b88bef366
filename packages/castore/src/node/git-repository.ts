/**
 * A git repository, asked by the git program. Only commands that look things up are run, and nothing but the repository
 * itself has a say in their answers: the configuration of user and system is left out, and so are hooks, file monitors,
 * replaced objects and objects that would have to be fetched from somewhere.
 *
 * The repository is named outright (`GIT_DIR`), so git neither searches the folders above nor asks who owns it. That
 * question protects from commands in the configuration of a stranger's repository; none of the commands here runs any.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CastoreError } from '../castore-error.ts';

export type GitRunOptions = {
  readonly input?: Uint8Array;
  /** In place of the repository's own index. */
  readonly indexFile?: string;
  readonly signal?: AbortSignal | undefined;
};

export type GitResult = { readonly code: number | null; readonly stdout: Buffer; readonly stderr: string };

const maxErrorLength = 4096;

const settings = ['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'core.attributesFile=/dev/null'];

export class GitRepository {
  readonly path: string;
  readonly #gitDir: string;

  private constructor(path: string, gitDir: string) {
    this.path = path;
    this.#gitDir = gitDir;
  }

  /** `path` is that of a work tree or of a bare repository. Throws `CastoreError` (`not-found`). */
  static async open(path: string): Promise<GitRepository> {
    const repository = await GitRepository.find(path);
    if (repository !== undefined) return repository;
    const problem = (await exists(path)) ? 'is not a git repository' : 'does not exist';
    throw new CastoreError(
      'not-found',
      `'${path}' ${problem}; name the top folder of a work tree, or a bare repository`,
    );
  }

  static async find(path: string): Promise<GitRepository | undefined> {
    const full = resolve(path);
    if (await exists(join(full, '.git'))) return new GitRepository(full, join(full, '.git'));
    const isBare = (await exists(join(full, 'HEAD'))) && (await exists(join(full, 'objects')));
    return isBare ? new GitRepository(full, full) : undefined;
  }

  /** Whether files lie beside the repository. */
  get hasWorkTree(): boolean {
    return this.#gitDir !== this.path;
  }

  /** All output at once: for answers whose length is known to be moderate. Throws `CastoreError` if git cannot be run. */
  async run(args: readonly string[], options: GitRunOptions = {}): Promise<GitResult> {
    await using git = this.start(args, options);
    const pieces: Buffer[] = [];
    git.stdin.end(options.input);
    for await (const piece of git.stdout) pieces.push(piece as Buffer);
    return { code: await git.exitCode(), stdout: Buffer.concat(pieces), stderr: git.complaint };
  }

  /** The same; any exit code but 0 is an error. */
  async output(args: readonly string[], options: GitRunOptions = {}): Promise<Buffer> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code === 0) return stdout;
    throw this.failure(`'git ${args[0]}' ended with code ${code}: ${stderr}`);
  }

  start(args: readonly string[], { indexFile, signal }: GitRunOptions = {}): GitProcess {
    signal?.throwIfAborted();
    const all = [...settings.flatMap((it) => ['-c', it]), '--literal-pathspecs', ...args];
    const environment = { ...environmentOf(this.#gitDir), ...(indexFile && { GIT_INDEX_FILE: indexFile }) };
    return new GitProcess(
      spawn('git', all, { cwd: this.path, env: environment, stdio: 'pipe' }),
      this,
      signal,
    );
  }

  failure(problem: string, cause?: unknown): CastoreError {
    return new CastoreError('io', `the git repository '${this.path}' cannot be read: ${problem}`, { cause });
  }
}

/** Disposing of it ends it. */
export class GitProcess implements AsyncDisposable {
  readonly stdin: ChildProcessWithoutNullStreams['stdin'];
  readonly stdout: ChildProcessWithoutNullStreams['stdout'];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #signal: AbortSignal | undefined;
  readonly #ended: Promise<unknown>;
  readonly #abort: () => void;
  #complaint = '';

  constructor(
    child: ChildProcessWithoutNullStreams,
    repository: GitRepository,
    signal: AbortSignal | undefined,
  ) {
    this.#child = child;
    this.#signal = signal;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    // When git ends early, its exit code and its words say more than the broken pipe.
    child.stdin.on('error', () => {});
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-maxErrorLength);
    });
    this.#ended = once(child, 'close').catch((cause: unknown) => {
      throw startError(cause, repository);
    });
    this.#ended.catch(() => {});
    this.#abort = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', this.#abort);
  }

  /** What git said on its error output. */
  get complaint(): string {
    return this.#complaint.trim();
  }

  /** Waits for the end. Throws the reason of the signal if that was it, `CastoreError` if git could not be started. */
  async exitCode(): Promise<number | null> {
    await this.#ended;
    this.#signal?.throwIfAborted();
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#child.kill('SIGKILL');
    this.stdout.destroy();
    await this.#ended.catch(() => {});
  }
}

/** Nothing of the environment but where programs are. */
function environmentOf(gitDir: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    GIT_DIR: gitDir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    // Older versions do not know the line above: no protocol may be used.
    GIT_ALLOW_PROTOCOL: 'none',
  };
}

function startError(cause: unknown, repository: GitRepository): unknown {
  if (!(cause instanceof Error) || !('code' in cause)) return cause;
  if (cause.code !== 'ENOENT') return repository.failure(`git cannot be run: ${cause.message}`, cause);
  return new CastoreError(
    'unsupported',
    `the git repository '${repository.path}' cannot be read without the program 'git', which is not in PATH; install it`,
    { cause },
  );
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
