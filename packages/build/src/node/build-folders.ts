/**
 * The folders of builds under way, and what became of those whose owner has ended.
 *
 *     builds/<number>-<random>/   `number` is the monotonic clock of the machine when it began, in nanoseconds
 *       lock                      locked as long as the owner runs
 *       …                         what the build needs
 *     builds/new-<number>-…/      one that is not locked yet
 *
 * The parent can be entered but not listed by others; each folder belongs to the user of its build and to nobody else, so
 * that no other user of the machine gets at a file that a build makes (CVE-2024-38531 of Nix).
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '@neve/castore/node';
import { type FileLock, tryLock } from './file-lock.ts';
import type { UserIds } from './sandbox/sandbox.ts';

export type BuildFolder = AsyncDisposable & { readonly path: string };

const lockName = 'lock';
const newPrefix = 'new-';
const nameDigits = 20;

export class BuildFolders {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Removes what builds of ended processes left in `path`, which is made if need be. */
  static async open(path: string): Promise<BuildFolders> {
    await mkdir(path, { recursive: true });
    await chmod(path, 0o711);
    const folders = new BuildFolders(path);
    await folders.removeAbandoned();
    return folders;
  }

  /** A folder of `owner`, or of the caller, that nobody else can enter. */
  async create(owner?: UserIds): Promise<BuildFolder> {
    const name = `${clockText()}-${randomBytes(6).toString('hex')}`;
    const path = join(this.#path, name);
    // Who looks for what is abandoned takes locks for a moment, and makes those that are not there: it keeps off new ones.
    const unlocked = join(this.#path, `${newPrefix}${name}`);
    await mkdir(unlocked, { mode: 0o700 });
    const lock = await tryLock(join(unlocked, lockName));
    if (lock === undefined) throw new Error(`a new folder, '${unlocked}', has an owner already`);
    await rename(unlocked, path);
    if (owner !== undefined) await chown(path, owner.uid, owner.gid);
    return { path, [Symbol.asyncDispose]: () => removeOwned(path, lock) };
  }

  /** When the oldest build began that runs now: a number to compare with `clock()`. */
  async oldestStart(): Promise<bigint | undefined> {
    let oldest: bigint | undefined;
    for (const name of await readdir(this.#path)) {
      const start = startOf(name.replace(newPrefix, ''));
      if (start === undefined || (await this.#isAbandoned(name))) continue;
      if (oldest === undefined || start < oldest) oldest = start;
    }
    return oldest;
  }

  async removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.#path)) {
      const path = join(this.#path, name);
      if (name.startsWith(newPrefix)) {
        // Nobody needs an hour to lock it.
        if (await isOld(path)) await removeAnyTree(path);
        continue;
      }
      const lock = await tryLock(join(path, lockName)).catch(() => undefined);
      if (lock !== undefined) await removeOwned(path, lock);
    }
  }

  async #isAbandoned(name: string): Promise<boolean> {
    const path = join(this.#path, name);
    // Its owner makes the lock and then takes it: whoever looked in between would take it away from them.
    if (name.startsWith(newPrefix) || !(await hasLock(path))) return false;
    const lock = await tryLock(join(path, lockName)).catch(() => undefined);
    await lock?.[Symbol.asyncDispose]();
    return lock !== undefined;
  }
}

/** Nanoseconds that no setting of the clock changes; the same for all processes. */
export function clock(): bigint {
  return process.hrtime.bigint();
}

export function clockText(): string {
  return clock().toString().padStart(nameDigits, '0');
}

/** `undefined` for a name that `clockText` does not begin. */
export function startOf(name: string): bigint | undefined {
  const digits = /^([0-9]{20})-/u.exec(name)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

async function hasLock(path: string): Promise<boolean> {
  return await stat(join(path, lockName)).then(
    () => true,
    () => false,
  );
}

const oldMs = 60 * 60 * 1000;

async function isOld(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > oldMs;
}

async function removeOwned(path: string, lock: FileLock): Promise<void> {
  try {
    await removeAnyTree(path);
  } finally {
    await lock[Symbol.asyncDispose]();
  }
}

/** Removes a tree whoever made it. Trees that are deeper than a path can be are left to `rm`. */
export async function removeAnyTree(path: string): Promise<void> {
  try {
    await removeTree(path);
  } catch {
    await runProgram('chmod', ['-R', 'u+rwX', path]).catch(() => {});
    await runProgram('rm', ['-rf', '--', path]);
  }
}

function runProgram(file: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'ignore' });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`'${file} ${args.join(' ')}' ended with exit code ${code}`)),
    );
  });
}

/** Moves a folder, also to another file system. */
export async function moveFolder(source: string, target: string): Promise<void> {
  try {
    await rename(source, target);
  } catch {
    await runProgram('cp', ['-a', '--', source, target]);
    await removeAnyTree(source);
  }
}
