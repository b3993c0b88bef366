/**
 * Sandboxes by `bwrap` of bubblewrap, from version 0.8 on. It makes the namespaces and mounts; the launcher does the rest,
 * and also sets what `bwrap` cannot: the name of the program, limits, the domain name.
 *
 * The arguments come from a descriptor: there may be many more than a command line can have. `bwrap` gives only one user to a
 * sandbox, and says of a command that was ended by a signal only that its exit code is 128 and the signal's number.
 */
import { readFileSync } from 'node:fs';
import {
  type Sandbox,
  type SandboxMount,
  type SandboxPlan,
  argumentsDescriptor,
  launcherPath,
} from './sandbox.ts';
import { maskedPaths, readOnlyPaths } from './masked-paths.ts';

/** `binary` is a path. */
export function bubblewrapSandbox(binary: string): Sandbox {
  return {
    name: 'bubblewrap',
    hasUserRange: false,
    launch: (plan, { finish }) => {
      // A namespace of names has the domain name of the one that it was made from, and only its owner changes that.
      finish(hasDomainName() ? { mapFrom: plan.user.inside } : {});
      const args = bubblewrapArguments(plan);
      return {
        file: binary,
        args: ['--args', String(argumentsDescriptor), '--', launcherPath],
        argumentBytes: Buffer.from(args.map((it) => `${it}\0`).join('')),
        runAs: plan.user.outside,
        reportsEnd: false,
      };
    },
  };
}

function hasDomainName(): boolean {
  return readFileSync('/proc/sys/kernel/domainname', 'utf8').trim() !== '(none)';
}

function bubblewrapArguments({
  root,
  emptyFolder,
  mounts,
  devices,
  network,
  user,
}: SandboxPlan): readonly string[] {
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(network === 'none' ? ['--unshare-net'] : []),
    ...['--uid', String(user.inside.uid), '--gid', String(user.inside.gid), '--hostname', 'localhost'],
    ...['--die-with-parent', '--as-pid-1'],
    ...['--ro-bind', root, '/', '--proc', '/proc'],
    ...(devices === 'host' ? ['--dev-bind', '/dev', '/dev'] : minimalDevices),
    ...['--perms', '1777', '--tmpfs', '/tmp'],
    ...mounts.flatMap(mountArguments),
    // Not before there is a place for devices of the host, such as `/dev/kvm`.
    ...(devices === 'host' ? [] : ['--remount-ro', '/dev']),
    ...maskedPaths().flatMap(({ path, kind }) => [
      '--ro-bind',
      kind === 'file' ? '/dev/null' : emptyFolder,
      path,
    ]),
    // Only what is outside can be bound; it is the same for every process.
    ...readOnlyPaths().flatMap(({ path }) => ['--ro-bind', path, path]),
    // Last, since what is mounted may be a device.
    ...(devices === 'host' ? [] : ['--remount-ro', '/dev']),
    ...['--chdir', '/'],
  ];
}

/** `--dev` makes what Nix has, and a link `core`. */
const minimalDevices = [...['--dev', '/dev', '--perms', '1777', '--tmpfs', '/dev/shm']] as const;

function mountArguments({ source, target, access }: SandboxMount): readonly string[] {
  const bind = { read: '--ro-bind', write: '--bind', device: '--dev-bind' }[access];
  return [bind, source, `/${target}`];
}
