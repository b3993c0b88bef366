/**
 * Mounting and unmounting by the programs of the system: `mount` and `umount` for root, `fusermount3` (setuid) for others.
 *
 * `mount` inherits the opened device as its descriptor 3. `fusermount3` opens it and sends the descriptor back through a
 * socket. A mount whose server is gone stays where it is and answers nothing but ENOTCONN, so a small shell watches over
 * the server: it waits for the end of its input, which comes with the server's death, and unmounts.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { realpath, stat, statfs, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { CastoreError } from '../../castore-error.ts';

/** What a mounted file system is called in the table of mounts. */
const sourceName = 'neve';

const connections = '/sys/fs/fuse/connections';

export type MountRequest = {
  readonly mountpoint: string;
  /** Whether users other than the one who mounts may look; `fusermount3` wants `user_allow_other` in /etc/fuse.conf. */
  readonly allowOther: boolean;
};

/** A mount of the kernel. The descriptor of the device belongs to the caller. */
export type KernelMount = { readonly fd: number; readonly unmounter: Unmounter };

/** Throws `CastoreError`: `not-found` without a mountpoint, `unsupported` where nothing can be mounted, else `io`. */
export async function mountFuse(request: MountRequest, signal?: AbortSignal): Promise<KernelMount> {
  const mountpoint = await checkMountpoint(request.mountpoint);
  signal?.throwIfAborted();
  const isRoot = process.geteuid?.() === 0;
  const fd = isRoot
    ? await mountAsRoot({ ...request, mountpoint })
    : await mountAsUser({ ...request, mountpoint });
  return { fd, unmounter: new Unmounter(mountpoint, isRoot) };
}

async function checkMountpoint(path: string): Promise<string> {
  try {
    const status = await stat(path);
    // The attributes of a mount whose server is gone may still be known to the kernel; this asks the server.
    await statfs(path);
    if (!status.isDirectory()) throw new CastoreError('io', `cannot mount at ${path}: it is not a directory`);
    return await realpath(path);
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'ENOENT') {
      throw new CastoreError(
        'not-found',
        `cannot mount at ${path}: there is no such directory; create it first`,
        {
          cause,
        },
      );
    }
    if (code === 'ENOTCONN' || code === 'ECONNABORTED') {
      const program = process.geteuid?.() === 0 ? 'umount -l' : 'fusermount3 -u -z';
      const problem = `cannot mount at ${path}: a mount is left there whose server is gone`;
      throw new CastoreError('io', `${problem}; remove it with '${program} ${path}'`, { cause });
    }
    if (cause instanceof CastoreError) throw cause;
    throw new CastoreError('io', `cannot mount at ${path}: ${String(cause)}`, { cause });
  }
}

async function mountAsRoot({ mountpoint, allowOther }: MountRequest): Promise<number> {
  const fd = openDevice(mountpoint);
  try {
    const options = ['fd=3', 'rootmode=40000', 'user_id=0', 'group_id=0', ...commonOptions(allowOther)];
    // `-i` keeps mount from looking for a helper program, which would want to run the server itself.
    const args = ['-i', '-t', `fuse.${sourceName}`, '-o', options.join(','), sourceName, mountpoint];
    await run({ program: 'mount', args, stdio: ['ignore', 'ignore', 'pipe', fd], mountpoint });
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openDevice(mountpoint: string): number {
  try {
    return openSync('/dev/fuse', constants.O_RDWR);
  } catch (cause) {
    const problem = `cannot mount at ${mountpoint}: /dev/fuse cannot be opened (${String(cause)})`;
    throw new CastoreError('unsupported', `${problem}; this system or container does not allow FUSE`, {
      cause,
    });
  }
}

async function mountAsUser({ mountpoint, allowOther }: MountRequest): Promise<number> {
  const { openSocketPair, receiveDescriptor } = await import('./descriptor-socket.ts');
  const [ours, theirs] = await openSocketPair();
  try {
    const options = [`fsname=${sourceName}`, `subtype=${sourceName}`, ...commonOptions(allowOther)];
    const args = ['-o', options.join(','), '--', mountpoint];
    const stdio: StdioOptions = ['ignore', 'ignore', 'pipe', theirs];
    await run({ program: 'fusermount3', args, stdio, mountpoint, env: { _FUSE_COMMFD: '3' } });
    return await receiveDescriptor(ours);
  } finally {
    closeSync(ours);
    closeSync(theirs);
  }
}

function commonOptions(allowOther: boolean): readonly string[] {
  const options = ['ro', 'nosuid', 'nodev', 'noatime', 'default_permissions'];
  return allowOther ? [...options, 'allow_other'] : options;
}

/** Ends the mount at one mountpoint. */
export class Unmounter {
  readonly mountpoint: string;
  readonly #program: readonly [string, ...string[]];
  readonly #lazily: string;
  readonly #guard: ChildProcess;

  constructor(mountpoint: string, isRoot: boolean) {
    this.mountpoint = mountpoint;
    this.#program = isRoot ? ['umount'] : ['fusermount3', '-u'];
    this.#lazily = isRoot ? '-l' : '-z';
    this.#guard = startGuard([...this.#program, this.#lazily, mountpoint]);
  }

  /** Whether it is unmounted now; false when it is in use. Throws `CastoreError` (`io`) if it cannot be unmounted. */
  async unmount(): Promise<boolean> {
    const [program, ...flags] = this.#program;
    try {
      const stdio: StdioOptions = ['ignore', 'ignore', 'pipe'];
      await run({ program, args: [...flags, this.mountpoint], stdio, mountpoint: this.mountpoint });
      return true;
    } catch (error) {
      if (/not mounted|not found/i.test(String(error))) return true;
      if (/busy/i.test(String(error))) return false;
      throw error;
    }
  }

  /** Takes the mount out of the tree of files although it is in use; those who use it keep it. */
  async unmountLazily(): Promise<void> {
    const [program, ...flags] = this.#program;
    const args = [...flags, this.#lazily, this.mountpoint];
    await run({ program, args, stdio: ['ignore', 'ignore', 'pipe'], mountpoint: this.mountpoint });
  }

  /**
   * Ends the connection by the number of its device. Where the system does not show connections (fusectl), root looks at them
   * in a namespace of its own.
   */
  async abort(device: number): Promise<boolean> {
    const minor = (device & 0xff) | ((device >>> 12) & ~0xff);
    try {
      await writeFile(`${connections}/${minor}/abort`, '1');
      return true;
    } catch {
      return await this.#abortInNamespace(minor);
    }
  }

  async #abortInNamespace(minor: number): Promise<boolean> {
    const script = 'mount -t fusectl fusectl "$1" && echo 1 >"$1/$2/abort"';
    const args = [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      'sh',
      connections,
      String(minor),
    ];
    try {
      await run({
        program: 'unshare',
        args,
        stdio: ['ignore', 'ignore', 'pipe'],
        mountpoint: this.mountpoint,
      });
      return true;
    } catch {
      return false;
    }
  }

  /** Waits for one request to the mounted file system, which fails when the server ends at it. */
  wakeServerSync(): void {
    spawnSync('stat', ['-f', '--', this.mountpoint], { stdio: 'ignore' });
  }

  unmountLazilySync(): void {
    const [program, ...flags] = this.#program;
    spawnSync(program, [...flags, this.#lazily, this.mountpoint], { stdio: 'ignore' });
  }

  /** The mount is gone: nothing is left to watch over. */
  dismissGuard(): void {
    this.#guard.stdin?.end('done\n');
  }
}

/** In a session of its own, so that what ends the server from the keyboard does not end the guard first. */
function startGuard(command: readonly string[]): ChildProcess {
  const script = 'trap "" HUP INT TERM; read -r line || exec "$@"';
  const guard = spawn('sh', ['-c', script, 'neve-mount-guard', ...command], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard all works but the cleaning up after a killed server.
  guard.on('error', () => undefined);
  guard.stdin?.on('error', () => undefined);
  guard.unref();
  // The input is a socket, which the types do not know.
  (guard.stdin as Socket | null)?.unref();
  return guard;
}

type ProgramRun = {
  readonly program: string;
  readonly args: readonly string[];
  readonly stdio: StdioOptions;
  readonly mountpoint: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** Throws `CastoreError` (`io`) with what the program said unless it succeeds. */
function run({ program, args, stdio, mountpoint, env }: ProgramRun): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio, env: { ...process.env, ...env, LC_ALL: 'C' } });
    let said = '';
    child.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString('utf8')));
    child.on('error', (cause) => {
      const problem = `${program}, which mounts and unmounts ${mountpoint}, cannot be run (${cause.message})`;
      reject(new CastoreError('unsupported', `${problem}; install it or run as root`, { cause }));
    });
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new CastoreError('io', `${program} failed at ${mountpoint}: ${said.trim() || `exit ${code}`}`),
        );
    });
  });
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
