/**
 * Runs a program that sees store paths where they belong. The files of a store are elsewhere most often; then the program runs in
 * a mount namespace of its own (`unshare` and `mount` of util-linux), in which they are in the store directory, read only:
 *
 *     the directory is not there    a new root, with all that is in the real one, and the store
 *     it is empty                   the store is mounted on it
 *     it has something              both are seen: the user's own shell may be from there
 *
 * Who is not root needs a user namespace for that, which some systems forbid, and has no power in it any more when the program begins.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailure } from './expected-failure.ts';

export type ProgramToRun = {
  /** The program, which is looked for in `PATH`, and its arguments. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** What stands in store paths. */
  readonly storeDir: string;
  /** Where the files are. */
  readonly viewFolder: string;
};

/**
 * Its arguments are the store directory, where the files are, an empty folder for a new root or nothing, the working folder, what
 * `PATH` is to be, and the program.
 */
const script = `
set -eu
store=$1 view=$2 root=$3 directory=$4 path=$5
shift 5
PATH=$PATH:/usr/sbin:/sbin
drop=$(command -v setpriv || :)
if [ "$(id -u)" != 0 ] && [ -n "$drop" ]; then set -- "$drop" --inh-caps=-all --ambient-caps=-all "$@"; fi
if [ -n "$root" ]; then
  mount -t tmpfs -o mode=755 none "$root"
  for it in /* /.[!.]*; do
    if [ -L "$it" ]; then cp -P "$it" "$root$it"
    elif [ -d "$it" ]; then mkdir "$root$it" && mount --rbind "$it" "$root$it"
    elif [ -e "$it" ]; then : > "$root$it" && mount --bind "$it" "$root$it"
    fi
  done
  mkdir -p "$root$store"
  mount --bind "$view" "$root$store"
  mount -o remount,bind,ro "$root$store"
  exec chroot "$root" sh -c 'cd "$1" && PATH=$2 && shift 2 && exec "$@"' sh "$directory" "$path" "$@"
fi
if [ -n "$(ls -A "$store")" ]; then mount -t overlay -o "ro,lowerdir=$view:$store" none "$store"
else
  mount --bind "$view" "$store"
  mount -o remount,bind,ro "$store"
fi
PATH=$path
exec "$@"
`;

/** Gives the exit code: that of the program, or 128 and the number of the signal that has ended it. Throws `CommandFailure`. */
export async function runProgram(program: ProgramToRun): Promise<number> {
  const { command, environment, directory, storeDir, viewFolder } = program;
  const { PATH: path = '' } = environment;
  if (storeDir === viewFolder) return await run(command, { cwd: directory, env: environment });
  const isRoot = process.geteuid?.() === 0;
  const namespaces = ['--mount', ...(isRoot ? [] : ['--user', '--map-current-user', '--keep-caps'])];
  const root = existsSync(storeDir) ? '' : mkdtempSync(join(tmpdir(), 'neve-root-'));
  const words = [
    'unshare',
    ...namespaces,
    'sh',
    '-c',
    script,
    'sh',
    storeDir,
    viewFolder,
    root,
    directory,
    path,
  ];
  // What makes the namespace is the host's, whatever the program is to find.
  const { PATH } = process.env;
  try {
    return await run([...words, ...command], { cwd: directory, env: { ...environment, PATH } });
  } finally {
    if (root !== '') rmdirSync(root);
  }
}

async function run(
  [file = '', ...args]: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env'>,
): Promise<number> {
  return await ending(spawn(file, args, { ...options, stdio: 'inherit' }), file);
}

/** A terminal sends its signals to the program as well, which does what it likes about them. */
async function ending(child: ChildProcess, file: string): Promise<number> {
  const ignore = (): void => undefined;
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  const own = ['SIGINT', 'SIGQUIT'] as const;
  const passed = ['SIGTERM', 'SIGHUP'] as const;
  for (const name of own) process.on(name, ignore);
  for (const name of passed) process.on(name, passOn);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (cause) => {
        const message = `'${file}' cannot be run: ${cause.message}`;
        reject(new CommandFailure(message, { cause }));
      });
      child.once('close', (code, signal) => {
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
  } finally {
    for (const name of own) process.off(name, ignore);
    for (const name of passed) process.off(name, passOn);
  }
}
