/** Rows of a table of system calls that build the file system of a sandbox and enter it, in the order of this file. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { maskedPaths, readOnlyPaths } from './masked-paths.ts';
import type { SandboxMount, SandboxPlan } from './sandbox.ts';
import type { SyscallProgram } from './syscall-program.ts';

const bind = 0x1000;
const recursive = 0x4000;
const private_ = 0x4_0000;
const flag = { readOnly: 1, noSuid: 2, noDevices: 4, noExec: 8 };
const detach = 2;

const atCurrentDirectory = -100;
const atRecursive = 0x8000;
/** Of `mount_setattr`. */
const attribute = { readOnly: 1, noSuid: 2, noDevices: 4 };
const attributeBytes = 32;

const deviceNames = ['full', 'null', 'random', 'tty', 'urandom', 'zero'] as const;

const accessAttributes: Readonly<Record<SandboxMount['access'], number>> = {
  read: attribute.readOnly | attribute.noSuid | attribute.noDevices,
  write: attribute.noSuid | attribute.noDevices,
  device: attribute.noSuid,
};

/** What `/dev` has that is not mounted. */
export function makeDevices(root: string): void {
  const folder = `${root}/dev`;
  for (const name of deviceNames) writeFileSync(`${folder}/${name}`, '');
  for (const name of ['pts', 'shm']) mkdirSync(`${folder}/${name}`);
  for (const [name, target] of deviceLinks) symlinkSync(target, `${folder}/${name}`);
}

const deviceLinks = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['ptmx', '/dev/pts/ptmx'],
] as const;

/** Everything that is there already, in a mount namespace of its own. Paths are those of the host. */
export function appendBinds(program: SyscallProgram, { root, mounts, devices }: SandboxPlan): void {
  mount(program, { type: undefined, target: '/', flags: recursive | private_ });
  // Only what is mounted can become the root.
  mount(program, { source: root, target: root, flags: bind });
  if (devices === 'host') bindTo(program, { source: '/dev', target: `${root}/dev`, access: 'device' });
  else {
    for (const name of deviceNames) {
      bindTo(program, { source: `/dev/${name}`, target: `${root}/dev/${name}`, access: 'device' });
    }
  }
  for (const { source, target, access } of mounts)
    bindTo(program, { source, target: `${root}/${target}`, access });
}

/** Makes the root of the plan the root of the process. That of the host is above it until `appendLeaveHost`. */
export function appendEnterRoot(program: SyscallProgram, { root }: SandboxPlan): void {
  const here = program.text('.');
  program
    .call('chdir', [program.text(root)], { purpose: `enter '${root}'` })
    .call('pivot_root', [here, here], { purpose: 'change the root' });
}

/**
 * File systems of the sandbox's own, by a process that may own what is in them. The kernel gives a `/proc` only to whoever
 * sees one already, which is that of the host.
 */
export function appendFileSystems(program: SyscallProgram, { devices, user, network }: SandboxPlan): void {
  const plain = flag.noSuid | flag.noDevices;
  mount(program, { type: 'proc', target: 'proc', flags: plain | flag.noExec });
  for (const { path, kind } of maskedPaths()) {
    const target = path.slice(1);
    if (kind === 'file') bindTo(program, { source: 'dev/null', target, access: 'read' });
    else mount(program, { type: 'tmpfs', target, flags: plain | flag.readOnly, data: 'mode=555' });
  }
  for (const { path } of readOnlyPaths()) {
    bindTo(program, { source: path.slice(1), target: path.slice(1), access: 'read' });
  }
  if (devices === 'minimal') {
    mount(program, { type: 'tmpfs', target: 'dev/shm', flags: plain, data: 'mode=1777,size=50%' });
    const data = 'newinstance,mode=0620,ptmxmode=0666';
    mount(program, { type: 'devpts', target: 'dev/pts', flags: flag.noSuid | flag.noExec, data });
    mount(program, { type: 'tmpfs', target: 'tmp', flags: plain, data: 'mode=1777' });
  }
  // Whoever has users to give out may look at its devices too, as with Nix.
  if (user.count > 1 && network === 'none') mount(program, { type: 'sysfs', target: 'sys', flags: plain });
}

/** Takes the file system of the host away, and makes the root read-only. */
export function appendLeaveHost(program: SyscallProgram): void {
  const root = program.text('/');
  program
    .call('umount2', [program.text('.'), detach], { purpose: 'leave the root of the host' })
    .call('chdir', [root], { purpose: 'enter the root' });
  setAttributes(program, '/', { attributes: accessAttributes.read, isRecursive: false });
}

function bindTo(program: SyscallProgram, { source, target, access }: SandboxMount): void {
  mount(program, { source, target, flags: bind | recursive });
  setAttributes(program, target, { attributes: accessAttributes[access], isRecursive: true });
}

type Mount = {
  readonly source?: string;
  readonly type?: string | undefined;
  readonly target: string;
  readonly flags: number;
  readonly data?: string;
};

function mount(program: SyscallProgram, { source, type, target, flags, data }: Mount): void {
  const text = (it: string | undefined): ReturnType<SyscallProgram['text']> | number =>
    it === undefined ? 0 : program.text(it);
  program.call('mount', [text(source ?? type), program.text(target), text(type), flags, text(data)], {
    purpose:
      source === undefined ? `mount ${type ?? 'nothing'} at '${target}'` : `mount '${source}' at '${target}'`,
  });
}

function setAttributes(
  program: SyscallProgram,
  path: string,
  { attributes, isRecursive }: { readonly attributes: number; readonly isRecursive: boolean },
): void {
  // What is set, what is cleared, propagation, users.
  const words = program.words([attributes, 0, 0, 0]);
  const flags = isRecursive ? atRecursive : 0;
  program.call('mount_setattr', [atCurrentDirectory, program.text(path), flags, words, attributeBytes], {
    purpose: `protect '${path}'; that needs Linux 5.12`,
  });
}
