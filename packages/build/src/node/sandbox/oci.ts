/**
 * Sandboxes by an OCI runtime, `crun` or `runc`: a bundle with a `config.json` (runtime-spec 1.0) for each build.
 *
 * A runtime needs a user 0 in its container, so that is whom the build's user is there; the launcher maps that to the
 * user that the command is to be, in one more user namespace, and also sets what a bundle cannot say: the name of the
 * program, the domain name, the filter of system calls. A runtime does not end with who started it, so the launcher
 * starts that too, to have it do so.
 *
 * Runtimes make cgroups. They remove them at the end; what is left when they are killed is removed by the next builder.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { programFolders } from '../host.ts';
import { appendDeathSignal } from './command-program.ts';
import { hostMachine, programDescriptor } from './launcher.ts';
import { maskedPaths, readOnlyPaths } from './masked-paths.ts';
import { removeAbandonedCgroups } from './oci-cgroups.ts';
import {
  type Launch,
  type LaunchContext,
  type Sandbox,
  type SandboxMount,
  type SandboxPlan,
  innerTableDescriptor,
  launcherPath,
} from './sandbox.ts';
import { SyscallProgram, logDescriptor } from './syscall-program.ts';

/** Of containers, and so of their cgroups. */
const idPrefix = 'neve-build-';
const firstPassed = 3;

/** `binary` is a path. */
export function ociSandbox(binary: string): Sandbox {
  removeAbandonedCgroups(idPrefix);
  return {
    name: basename(binary),
    hasUserRange: true,
    launch: (plan, context) => launchContainer(binary, plan, context),
  };
}

function launchContainer(binary: string, plan: SandboxPlan, { folder, finish }: LaunchContext): Launch {
  const bundle = join(folder, 'bundle');
  const state = join(folder, 'state');
  const id = `${idPrefix}${basename(folder)}`;
  for (const path of [bundle, state]) mkdirSync(path, { mode: 0o700 });
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(ociConfig(plan)));
  finish(plan.user.count > 1 ? {} : { mapFrom: { uid: 0, gid: 0 } });
  const passed = logDescriptor - firstPassed + 1;
  const args = ['--root', state, 'run', '--bundle', bundle, '--preserve-fds', String(passed), id];
  return { file: launcherPath, args: [], outer: starter(binary, args), reportsEnd: false };
}

/** A table that becomes the runtime, which gets the table of the sandbox in its place. */
function starter(binary: string, args: readonly string[]): SyscallProgram {
  const program = new SyscallProgram(hostMachine());
  appendDeathSignal(program);
  const variables = [`PATH=${programFolders.join(':')}`];
  const words = (texts: readonly string[]): ReturnType<SyscallProgram['words']> =>
    program.words([...texts.map((it) => program.text(it)), 0]);
  program
    .call('dup3', [innerTableDescriptor, programDescriptor, 0], { purpose: 'pass the table' })
    .call('close', [innerTableDescriptor], { purpose: 'pass the table' })
    .call('execve', [program.text(binary), words([binary, ...args]), words(variables)], {
      purpose: `execute '${binary}'`,
    });
  return program;
}

/** What of `config.json` is used. */
type OciMount = {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
};

function ociConfig(plan: SandboxPlan): unknown {
  const { root, network, user } = plan;
  const namespaces = ['pid', 'ipc', 'uts', 'mount', 'user', ...(network === 'none' ? ['network'] : [])];
  const mapping = (hostID: number): readonly unknown[] => [{ containerID: 0, hostID, size: user.count }];
  return {
    ociVersion: '1.0.2',
    root: { path: root, readonly: true },
    hostname: 'localhost',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: [launcherPath],
      cwd: '/',
      env: [],
      noNewPrivileges: true,
      capabilities: capabilities(user.count > 1 ? rangeCapabilities : mappingCapabilities),
    },
    mounts: ociMounts(plan),
    linux: {
      namespaces: namespaces.map((type) => ({ type })),
      uidMappings: mapping(user.outside.uid),
      gidMappings: mapping(user.outside.gid),
      maskedPaths: maskedPaths().map(({ path }) => path),
      readonlyPaths: readOnlyPaths().map(({ path }) => path),
    },
  };
}

function ociMounts({ mounts, devices, network, user }: SandboxPlan): readonly OciMount[] {
  const hidden = ['nosuid', 'nodev'];
  const standard: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: [...hidden, 'noexec'] },
  ];
  if (devices === 'host') standard.push(bind({ source: '/dev', target: 'dev', access: 'device' }));
  else {
    const terminals = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'];
    standard.push(
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'ro', 'mode=755'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: terminals },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: [...hidden, 'mode=1777', 'size=50%'],
      },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: [...hidden, 'mode=1777'] },
    );
  }
  if (user.count > 1 && network === 'none') {
    standard.push({ destination: '/sys', type: 'sysfs', source: 'sysfs', options: hidden });
  }
  return [...standard, ...mounts.map(bind)];
}

function bind({ source, target, access }: SandboxMount): OciMount {
  const options = {
    read: ['rbind', 'ro', 'nosuid', 'nodev'],
    write: ['rbind', 'rw', 'nosuid', 'nodev'],
    device: ['rbind', 'rw', 'nosuid'],
  }[access];
  return { destination: `/${target}`, type: 'bind', source, options };
}

/** Without it, nobody may map user 0 of a namespace into another one. The command does not have it. */
const mappingCapabilities = ['CAP_SETFCAP'] as const;

/** For commands that may make containers of their own. */
const rangeCapabilities: readonly string[] = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
  ...['NET_BIND_SERVICE', 'NET_ADMIN', 'NET_RAW', 'IPC_OWNER', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_ADMIN'],
  ...['SYS_RESOURCE', 'MKNOD', 'SETFCAP'],
].map((it) => `CAP_${it}`);

function capabilities(names: readonly string[]): Readonly<Record<string, readonly string[]>> {
  return { bounding: names, effective: names, permitted: names };
}
