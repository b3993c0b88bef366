/** What the C library has and Node has not: pseudo-terminals, locks of open files, and `posix_spawn`. It is loaded when first needed. */
import { BuildError } from '../build-error.ts';

export type CLibrary = {
  readonly posix_openpt: (flags: number) => number;
  readonly grantpt: (master: number) => number;
  readonly unlockpt: (master: number) => number;
  readonly ptsname_r: (master: number, name: Uint8Array, length: number) => number;
  readonly tcgetattr: (terminal: number, attributes: Uint8Array) => number;
  readonly cfmakeraw: (attributes: Uint8Array) => void;
  readonly tcsetattr: (terminal: number, when: number, attributes: Uint8Array) => number;
  readonly flock: (file: number, operation: number) => number;
  readonly fcntl: (file: number, command: number, argument: number) => number;
  readonly close: (file: number) => number;
  readonly pipe2: (ends: Int32Array, flags: number) => number;
  readonly waitpid: (pid: number, status: Int32Array, options: number) => number;
  readonly sigemptyset: (signals: Uint8Array) => number;
  readonly sigfillset: (signals: Uint8Array) => number;
  readonly posix_spawn_file_actions_init: (actions: Uint8Array) => number;
  readonly posix_spawn_file_actions_destroy: (actions: Uint8Array) => number;
  readonly posix_spawn_file_actions_adddup2: (actions: Uint8Array, file: number, as: number) => number;
  readonly posix_spawn_file_actions_addchdir_np: (actions: Uint8Array, path: string) => number;
  readonly posix_spawnattr_init: (attributes: Uint8Array) => number;
  readonly posix_spawnattr_destroy: (attributes: Uint8Array) => number;
  readonly posix_spawnattr_setflags: (attributes: Uint8Array, flags: number) => number;
  readonly posix_spawnattr_setsigmask: (attributes: Uint8Array, signals: Uint8Array) => number;
  readonly posix_spawnattr_setsigdefault: (attributes: Uint8Array, signals: Uint8Array) => number;
  /** Gives an errno. */
  // oxlint-disable-next-line eslint/max-params -- as C has it
  readonly posix_spawn: (
    pid: Int32Array,
    path: string,
    actions: Uint8Array,
    attributes: Uint8Array,
    args: readonly (string | null)[],
    environment: readonly (string | null)[],
  ) => number;
};

let library: Promise<CLibrary> | undefined;

/** Throws `BuildError` (`no-sandbox`) where it cannot be loaded. */
export function cLibrary(): Promise<CLibrary> {
  library ??= load();
  return library;
}

async function load(): Promise<CLibrary> {
  try {
    const { default: koffi } = await import('koffi');
    const c = koffi.load(null);
    return {
      posix_openpt: c.func('int posix_openpt(int flags)'),
      grantpt: c.func('int grantpt(int master)'),
      unlockpt: c.func('int unlockpt(int master)'),
      ptsname_r: c.func('int ptsname_r(int master, _Out_ void *name, size_t length)'),
      tcgetattr: c.func('int tcgetattr(int terminal, _Out_ void *attributes)'),
      cfmakeraw: c.func('void cfmakeraw(_Inout_ void *attributes)'),
      tcsetattr: c.func('int tcsetattr(int terminal, int when, void *attributes)'),
      flock: c.func('int flock(int file, int operation)'),
      fcntl: c.func('int fcntl(int file, int command, int argument)'),
      close: c.func('int close(int file)'),
      pipe2: c.func('int pipe2(_Out_ void *ends, int flags)'),
      waitpid: c.func('int waitpid(int pid, _Out_ void *status, int options)'),
      sigemptyset: c.func('int sigemptyset(_Out_ void *signals)'),
      sigfillset: c.func('int sigfillset(_Out_ void *signals)'),
      posix_spawn_file_actions_init: c.func('int posix_spawn_file_actions_init(_Out_ void *actions)'),
      posix_spawn_file_actions_destroy: c.func('int posix_spawn_file_actions_destroy(void *actions)'),
      posix_spawn_file_actions_adddup2: c.func(
        'int posix_spawn_file_actions_adddup2(_Inout_ void *actions, int file, int as)',
      ),
      posix_spawn_file_actions_addchdir_np: c.func(
        'int posix_spawn_file_actions_addchdir_np(_Inout_ void *actions, str path)',
      ),
      posix_spawnattr_init: c.func('int posix_spawnattr_init(_Out_ void *attributes)'),
      posix_spawnattr_destroy: c.func('int posix_spawnattr_destroy(void *attributes)'),
      posix_spawnattr_setflags: c.func('int posix_spawnattr_setflags(_Inout_ void *attributes, short flags)'),
      posix_spawnattr_setsigmask: c.func(
        'int posix_spawnattr_setsigmask(_Inout_ void *attributes, void *signals)',
      ),
      posix_spawnattr_setsigdefault: c.func(
        'int posix_spawnattr_setsigdefault(_Inout_ void *attributes, void *signals)',
      ),
      posix_spawn: c.func(
        'int posix_spawn(_Out_ void *pid, str path, void *actions, void *attributes, const char **args, const char **environment)',
      ),
    };
  } catch (cause) {
    const problem =
      "the C library cannot be called, which building needs: 'koffi' does not load on this machine";
    throw new BuildError('no-sandbox', problem, { cause });
  }
}
