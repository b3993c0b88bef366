/** What the C library has and Node has not: pseudo-terminals and locks of open files. It is loaded when first needed. */
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
    };
  } catch (cause) {
    const problem =
      "the C library cannot be called, which building needs: 'koffi' does not load on this machine";
    throw new BuildError('no-sandbox', problem, { cause });
  }
}
