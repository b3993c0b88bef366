/**
 * Failures of system calls as `EvalIOError`, in the words that Nix 2.34 has for them. A missing file is always "path
 * '…' does not exist"; for the rest Nix names the call, and quotes the path as that call's wrapper happens to do.
 */
import { decodeUtf8 } from '@neve/bytes';
import { EvalIOError, type EvalIOErrorCode } from '@neve/eval';

/** What was being done, and how Nix words it. */
export type Action = 'lstat' | 'open' | 'read' | 'list' | 'readlink' | 'write';

export function notFound(path: Uint8Array): EvalIOError {
  return new EvalIOError('not-found', `path '${decodeUtf8(path)}' does not exist`, { path });
}

/** Turns what a `node:fs` call threw into an `EvalIOError`; what has no `code` is a bug and stays itself. */
export function ioError(error: unknown, action: Action, path: Uint8Array): unknown {
  const code = errorCode(error);
  if (code === undefined) return error;
  if (action !== 'write' && isMissing(code)) return notFound(path);
  const [stable, reason] = reasons[code] ?? ['io-error', code];
  return new EvalIOError(stable, describe(action, path, reason), { path, cause: error });
}

/** `ENOENT` and the like, when an error comes from the system. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether nothing is at a path; so it is too when a parent of it is not a directory. */
export function isMissing(code: string | undefined): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function describe(action: Action, path: Uint8Array, reason: string): string {
  const text = decodeUtf8(path);
  const quoted = `"${text.replace(/["\\]/g, '\\$&')}"`;
  switch (action) {
    case 'lstat':
      return `getting status of ${quoted}: ${reason}`;
    case 'open':
      return `opening file '${text}': ${reason}`;
    case 'read':
      return `reading file '${text}': ${reason}`;
    case 'list':
      return `cannot read directory ${quoted}: ${reason}`;
    case 'readlink':
      return `reading symbolic link '${text}': ${reason}`;
    case 'write':
      return `writing to the store at '${text}': ${reason}`;
  }
}

/** The C library's text for an error number, which is a part of Nix's messages. */
const reasons: Record<string, [EvalIOErrorCode, string]> = {
  EACCES: ['permission-denied', 'Permission denied'],
  EEXIST: ['io-error', 'File exists'],
  EINVAL: ['io-error', 'Invalid argument'],
  EIO: ['io-error', 'Input/output error'],
  EISDIR: ['is-directory', 'Is a directory'],
  ELOOP: ['symlink-loop', 'Too many levels of symbolic links'],
  EMFILE: ['io-error', 'Too many open files'],
  ENAMETOOLONG: ['io-error', 'File name too long'],
  ENOENT: ['not-found', 'No such file or directory'],
  ENOSPC: ['io-error', 'No space left on device'],
  ENOTDIR: ['not-a-directory', 'Not a directory'],
  EPERM: ['permission-denied', 'Operation not permitted'],
  EROFS: ['permission-denied', 'Read-only file system'],
};
