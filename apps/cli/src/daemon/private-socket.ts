/**
 * The Unix socket of a daemon: only its user can open it, and only one daemon has it. Whoever holds the lock of the file
 * beside it (`….lock`, with the number of the process in it) owns the socket, so that one that a killed daemon left behind is
 * taken over, and one in use never is.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:net';
import { dirname } from 'node:path';
import { type FileLock, tryLock } from '@neve/build/node';
import { UsageError } from '../usage-error.ts';
import { type ReleaseConnections, holdConnections } from './hold-connections.ts';

/** What `sockaddr_un` holds, without the zero at its end. */
const maxPathBytes = 107;

export type PrivateSocket = {
  readonly listener: Server;
  readonly lock: FileLock;
  readonly release: ReleaseConnections;
};

/** Throws `UsageError` when another daemon has it, or when others could replace it. */
export async function listenPrivately(path: string): Promise<PrivateSocket> {
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw new UsageError(
      `the path of the socket '${path}' is longer than ${maxPathBytes} bytes, which the system allows; choose another with --listen unix:/path`,
    );
  }
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  checkFolder(folder);
  const lockPath = `${path}.lock`;
  const lock = await tryLock(lockPath);
  if (lock === undefined) {
    const owner = readFileSync(lockPath, 'utf8').trim();
    const which = owner === '' ? 'another daemon' : `another daemon, process ${owner},`;
    throw new UsageError(`${which} listens at '${path}': stop it with 'neve daemon stop'`);
  }
  try {
    writeFileSync(lockPath, `${process.pid}\n`);
    rmSync(path, { force: true });
    const listener = createServer();
    const release = holdConnections(listener);
    await listenAt(listener, path);
    return { listener, lock, release };
  } catch (cause) {
    await lock[Symbol.asyncDispose]();
    throw cause;
  }
}

/** Whether nobody but this user can connect to a socket that somebody else has made. */
export function isPrivateSocket(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.uid === process.geteuid?.() && (found.mode & 0o077) === 0;
}

function listenAt(listener: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    // Node binds before it returns, so that the socket never is what others can open.
    const before = process.umask(0o177);
    try {
      listener.listen(path, () => {
        listener.off('error', reject);
        chmodSync(path, 0o600);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

/** In a folder where others write, they could put a socket of their own in place of this one. */
function checkFolder(folder: string): void {
  const { uid, mode } = statSync(folder);
  const isOwn = uid === process.geteuid?.() || uid === 0;
  const isSafe = (mode & 0o022) === 0 || (mode & 0o1000) !== 0;
  if (!isOwn || !isSafe) {
    throw new UsageError(`others can write to '${folder}', which is no place for the socket of a daemon`);
  }
}
