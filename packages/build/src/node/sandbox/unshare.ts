/**
 * Sandboxes by system calls alone: the launcher makes them itself, and nothing has to be installed.
 *
 * Two processes: the outer one makes the namespaces, forks, waits, and reports how the inner one ended; the inner one is
 * process 1 and becomes the command. When the outer one dies, so does the inner one: it tells that it has asked the kernel
 * for that, and goes on only when it hears from our process, which so was still there.
 *
 *     with CAP_SYS_ADMIN   namespaces, mounts as root, then the build's user and a user namespace of its own: nothing
 *                          inside has any power over the mounts
 *     without, and for     first the user namespace, then everything else in it
 *     ranges of users
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { appendDeathSignal, appendHostName, appendUserMap, firstFreeDescriptor } from './command-program.ts';
import {
  appendBinds,
  appendEnterRoot,
  appendFileSystems,
  appendLeaveHost,
  makeDevices,
} from './mount-program.ts';
import { type Launch, type LaunchContext, type Sandbox, type SandboxPlan, launcherPath } from './sandbox.ts';
import {
  Label,
  type SyscallProgram,
  goDescriptor,
  recordBytes,
  recordKind,
  statusDescriptor,
} from './syscall-program.ts';

const namespace = {
  mounts: 0x2_0000,
  cgroup: 0x200_0000,
  hostName: 0x400_0000,
  ipc: 0x800_0000,
  user: 0x1000_0000,
  processes: 0x2000_0000,
  network: 0x4000_0000,
};
const childSignal = 17;
const lastDescriptor = 0xffff_ffff;

export function unshareSandbox(): Sandbox {
  return { name: 'unshare', hasUserRange: true, launch: launchUnshared };
}

function launchUnshared(plan: SandboxPlan, { program, finish }: LaunchContext): Launch {
  const { user, root, devices, network } = plan;
  const hasRange = user.count > 1;
  const isPrivileged = !hasRange && canAdministrate();
  if (devices === 'minimal') makeDevices(root);
  if (hasRange && network === 'none') mkdirSync(`${root}/sys`);
  program.call('close_range', [firstFreeDescriptor, lastDescriptor, 0], {
    purpose: 'close descriptors; that needs Linux 5.9',
  });
  appendDeathSignal(program);
  if (!isPrivileged) {
    unshare(program, namespace.user, 'users');
    if (!hasRange) appendUserMap(program, user);
  }
  appendNamespaces(program, plan);
  appendFork(program);
  appendDeathSignal(program);
  appendHandshake(program);
  appendBinds(program, plan);
  appendEnterRoot(program, plan);
  // From here on there is no path of the host that this user might not pass.
  if (hasRange) appendBecome(program, user.inside);
  appendFileSystems(program, plan);
  appendLeaveHost(program);
  if (network === 'none') appendLoopback(program);
  appendHostName(program);
  if (isPrivileged) {
    appendBecome(program, user.outside);
    unshare(program, namespace.user, 'users');
    appendUserMap(program, user);
  }
  finish({});
  return {
    file: launcherPath,
    args: [],
    reportsEnd: true,
    ...(hasRange && {
      maps: {
        uid: `${user.inside.uid} ${user.outside.uid} ${user.count}`,
        gid: `${user.inside.gid} ${user.outside.gid} ${user.count}`,
      },
    }),
  };
}

const administrate = 21; // CAP_SYS_ADMIN

function canAdministrate(): boolean {
  const capabilities = /^CapEff:\s*([0-9a-f]+)/mu.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return (BigInt(`0x${capabilities ?? '0'}`) & (1n << BigInt(administrate))) !== 0n;
}

function unshare(program: SyscallProgram, flags: number, what: string): void {
  program.call('unshare', [flags], { purpose: `make a namespace of ${what}` });
}

function appendNamespaces(program: SyscallProgram, { network }: SandboxPlan): void {
  unshare(program, namespace.mounts, 'mounts');
  unshare(program, namespace.processes | namespace.ipc | namespace.hostName, 'processes, IPC and host name');
  if (network === 'none') unshare(program, namespace.network, 'the network');
  program.call('unshare', [namespace.cgroup], { purpose: 'make a namespace of cgroups', onError: 'next' });
}

/** The outer process stays in these rows, the inner one goes on behind them. */
function appendFork(program: SyscallProgram): void {
  const inner = new Label();
  const waits = new Label();
  const ended = program.words([recordKind.ended, 0]);
  program
    .call('clone', [childSignal, 0, 0, 0, 0], { purpose: 'fork', onZero: inner })
    .place(waits)
    .call('wait4', [-1, { data: ended, offset: 8 }, 0, 0], { purpose: 'wait', onError: waits })
    .call('write', [statusDescriptor, ended, recordBytes], { purpose: 'report the end', onError: 'next' })
    .call('exit_group', [0], { purpose: 'exit' })
    .place(inner);
}

function appendHandshake(program: SyscallProgram): void {
  const record = program.words([recordKind.ready, 0]);
  const answer = program.data(new Uint8Array(8));
  program
    .call('write', [statusDescriptor, record, recordBytes], { purpose: 'report to be ready' })
    .call('read', [goDescriptor, answer, 1], { purpose: 'hear from the builder', onZero: 'fail' });
}

/** Groups go first: afterwards nobody may change them. */
function appendBecome(
  program: SyscallProgram,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): void {
  program
    .call('setgroups', [0, 0], { purpose: 'leave all groups' })
    .call('setresgid', [gid, gid, gid], { purpose: `become group ${gid}` })
    .call('setresuid', [uid, uid, uid], { purpose: `become user ${uid}` });
}

const familyInternet = 2;
const datagrams = 2;
const setInterfaceFlags = 0x8914; // SIOCSIFFLAGS
const upAndRunning = 0x1 | 0x8 | 0x40; // IFF_UP | IFF_LOOPBACK | IFF_RUNNING

function appendLoopback(program: SyscallProgram): void {
  const purpose = 'start the loopback interface';
  // `struct ifreq`: a name of 16 bytes, then flags.
  const request = new Uint8Array(40);
  request.set(Buffer.from('lo'));
  new DataView(request.buffer).setInt16(16, upAndRunning, true);
  program
    .call('socket', [familyInternet, datagrams, 0], { purpose })
    .call('ioctl', [firstFreeDescriptor, setInterfaceFlags, program.data(request)], { purpose })
    .call('close', [firstFreeDescriptor], { purpose });
}
