/**
 * Finds out which kinds of sandbox work, by making one and ending it. What does not work says why, and what to do about it.
 */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BuildError } from '../../build-error.ts';
import type { BuildFolders } from '../build-folders.ts';
import { findProgram } from '../host.ts';
import { bubblewrapSandbox } from './bubblewrap.ts';
import { ociSandbox } from './oci.ts';
import { runInSandbox } from './run-in-sandbox.ts';
import type { Sandbox, SandboxPlan, UserIds } from './sandbox.ts';
import { unshareSandbox } from './unshare.ts';

/** In the order in which they are tried. */
export const sandboxNames = ['unshare', 'bubblewrap', 'oci'] as const;

export type SandboxName = (typeof sandboxNames)[number];

export type TrialContext = {
  readonly builds: BuildFolders;
  readonly emptyFolder: string;
  readonly launcher: string;
  /** Whom builds run as, if not as the caller. */
  readonly user: UserIds | undefined;
  readonly programFolders: Folders;
};

type Folders = readonly string[] | undefined;

export type ChosenSandbox = { readonly name: SandboxName; readonly sandbox: Sandbox };

/** Throws `BuildError` (`no-sandbox`) with what was wrong with each of them. */
export async function chooseSandbox(
  wanted: SandboxName | undefined,
  context: TrialContext,
): Promise<ChosenSandbox> {
  const problems: string[] = [];
  for (const name of wanted === undefined ? sandboxNames : [wanted]) {
    const found = candidates[name](context.programFolders);
    if (found.length === 0)
      problems.push(`no ${name} sandbox: ${packages[name] ?? 'nothing'} is not installed`);
    for (const sandbox of found) {
      const problem = await trialProblem(sandbox, context);
      if (problem === undefined) return { name, sandbox };
      problems.push(problem);
    }
  }
  const hints = [...kernelHints(), ...folderHints(context)];
  throw new BuildError('no-sandbox', [...problems, ...hints].join('\n'));
}

const candidates: Readonly<Record<SandboxName, (folders: Folders) => readonly Sandbox[]>> = {
  unshare: () => [unshareSandbox()],
  bubblewrap: (folders) => installed(['bwrap'], folders).map(bubblewrapSandbox),
  oci: (folders) => installed(['crun', 'runc'], folders).map(ociSandbox),
};

function installed(programs: readonly string[], folders: Folders): readonly string[] {
  return programs.map((it) => findProgram(it, folders)).filter((it) => it !== undefined);
}

/** What to install where none of the programs is there. */
const packages: Readonly<Record<SandboxName, string | undefined>> = {
  unshare: undefined,
  bubblewrap: "'bubblewrap'",
  oci: "'crun' or 'runc'",
};

async function trialProblem(sandbox: Sandbox, context: TrialContext): Promise<string | undefined> {
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const outside = context.user ?? own;
  await using folder = await context.builds.create(outside.uid === own.uid ? undefined : outside);
  const root = join(folder.path, 'root');
  for (const name of ['', 'dev', 'proc', 'tmp']) mkdirSync(join(root, name));
  const plan: SandboxPlan = {
    root,
    emptyFolder: context.emptyFolder,
    mounts: [],
    devices: 'minimal',
    network: 'none',
    user: { inside: { uid: 1000, gid: 100 }, outside, count: 1 },
  };
  try {
    const run = await runInSandbox({
      sandbox,
      plan,
      command: undefined,
      folder: folder.path,
      launcher: context.launcher,
      onLog: () => {},
      onStart: () => {},
    });
    await run.ended;
    return undefined;
  } catch (cause) {
    if (cause instanceof BuildError && cause.code === 'no-sandbox') return cause.message;
    throw cause;
  }
}

/** Settings with which a kernel forbids ordinary users to make namespaces. */
const settings = [
  { file: 'kernel/unprivileged_userns_clone', bad: '0', good: '1' },
  { file: 'user/max_user_namespaces', bad: '0', good: '10000' },
  { file: 'kernel/apparmor_restrict_unprivileged_userns', bad: '1', good: '0' },
] as const;

function kernelHints(): readonly string[] {
  return settings.flatMap(({ file, bad, good }) => {
    if (readSetting(file) !== bad) return [];
    const name = file.replaceAll('/', '.');
    return [`the kernel restricts user namespaces: ${name} is ${bad}; 'sysctl ${name}=${good}' allows them`];
  });
}

/** Only the launcher makes a sandbox before it becomes a build user. */
function folderHints({ emptyFolder, user }: TrialContext): readonly string[] {
  if (user === undefined) return [];
  for (let folder = dirname(emptyFolder); folder !== '/'; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) !== 0) continue;
    return [`build users cannot pass through '${folder}'; 'chmod o+x' lets them, or use another folder`];
  }
  return [];
}

function readSetting(file: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${file}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}
