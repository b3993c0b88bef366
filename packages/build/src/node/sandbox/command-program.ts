/**
 * The last rows of a table of system calls: what is done inside of a sandbox before the command, in this order, as Nix
 * does it: descriptors, session, host name, limits, personality, no new privileges, no abstract sockets of others, the
 * filter of system calls, and `execve`.
 */
import { seccompFilter } from './seccomp-filter.ts';
import type { FinishOptions, SandboxUser } from './sandbox.ts';
import type { Machine } from './launcher.ts';
import {
  type Argument,
  Label,
  type SyscallProgram,
  logDescriptor,
  recordBytes,
  recordKind,
  statusDescriptor,
} from './syscall-program.ts';

export type Command = {
  readonly program: string;
  /** `argv[0]` included. */
  readonly argv: readonly string[];
  readonly environment: ReadonlyMap<string, Uint8Array>;
  /** Absolute, inside of the sandbox. */
  readonly workingDirectory: string;
  /** Whether the machine is to say that it has 32 bits. */
  readonly is32Bit: boolean;
  readonly limits: CommandLimits;
};

/** Of the kernel, for each process, or all of the user. */
export type CommandLimits = {
  readonly processes?: number | undefined;
  readonly fileBytes?: number | undefined;
};

const atCurrentDirectory = -100;
const openWriteOnly = 1;
const closeOnExec = 4; // CLOSE_RANGE_CLOEXEC
const lastDescriptor = 0xffff_ffff;

const namespace = { user: 0x1000_0000, uts: 0x0400_0000 };
const option = { parentDeathSignal: 1, dumpable: 4, noNewPrivileges: 38, ambient: 47 };
const clearAmbient = 4;
const resource = { fileSize: 1, core: 4, processes: 6 };
const unlimited = -1;
const linux32 = 0x08;
const noRandomAddresses = 0x4_0000;
const killSignal = 9;
const seccompSetFilter = 1;
const scopeAbstractSockets = 1n;

/** `undefined` for `command` makes a table that ends well instead: for a trial. */
export function appendCommand(
  program: SyscallProgram,
  command: Command | undefined,
  context: FinishOptions & { readonly machine: Machine; readonly user: SandboxUser },
): void {
  appendDescriptors(program);
  const { user, mapFrom, machine } = context;
  if (mapFrom !== undefined) {
    program.call('unshare', [namespace.user | namespace.uts], {
      purpose: 'make a user namespace in the sandbox',
    });
    appendHostName(program);
    appendUserMap(program, { inside: user.inside, outside: mapFrom });
  }
  appendDeathSignal(program);
  program
    .call('setsid', [], { purpose: 'begin a session', onError: 'next' })
    .call('umask', [0o022], { purpose: 'set the mask of permissions' });
  appendSignals(program);
  appendLimits(program, command?.limits ?? {});
  program
    .call('personality', [noRandomAddresses | (command?.is32Bit === true ? linux32 : 0)], {
      purpose: 'set the personality of the process',
    })
    .call('prctl', [option.ambient, clearAmbient, 0, 0, 0], { purpose: 'drop capabilities', onError: 'next' })
    .call('prctl', [option.noNewPrivileges, 1, 0, 0, 0], { purpose: 'forbid new privileges' });
  appendSocketScope(program);
  appendFilter(program, machine);
  if (command === undefined) {
    program.call('exit_group', [0], { purpose: 'end a trial' });
    return;
  }
  program.call('chdir', [program.text(command.workingDirectory)], {
    purpose: `enter the folder '${command.workingDirectory}'`,
  });
  const started = program.words([recordKind.started, 0]);
  program.call('write', [statusDescriptor, started, recordBytes], { purpose: 'report the start' });
  appendExec(program, command);
}

/** The command's standard streams; all else is closed by `execve` at the latest. Runtimes give what they want as input. */
function appendDescriptors(program: SyscallProgram): void {
  const input = firstFreeDescriptor;
  const purpose = 'open /dev/null';
  program
    .call('close_range', [firstFreeDescriptor, lastDescriptor, 0], { purpose: 'close descriptors' })
    .call('openat', [atCurrentDirectory, program.text('/dev/null'), 0, 0], { purpose })
    .call('dup3', [input, 0, 0], { purpose });
  for (const stream of [1, 2]) {
    program.call('dup3', [logDescriptor, stream, 0], { purpose: 'open the log' });
  }
  program.call('close', [input], { purpose }).call('close_range', [3, lastDescriptor, closeOnExec], {
    purpose: 'close all other descriptors; that needs Linux 5.11',
  });
}

/** Two that glibc keeps for itself, and has a child of `posix_spawn` ignore. */
const librarySignals = [32, 33];
const signalSetBytes = 8;

function appendSignals(program: SyscallProgram): void {
  const defaultAction = program.words([0, 0, 0, 0]);
  for (const signal of librarySignals) {
    program.call('rt_sigaction', [signal, defaultAction, 0, signalSetBytes], {
      purpose: 'let no signal be ignored',
    });
  }
}

/** What the kernel calls a machine without a name. */
export function appendHostName(program: SyscallProgram): void {
  const host = 'localhost';
  const domain = '(none)';
  program
    .call('sethostname', [program.text(host), host.length], { purpose: 'set the host name' })
    .call('setdomainname', [program.text(domain), domain.length], { purpose: 'set the domain name' });
}

/** Ends the process when its parent ends. Changing users takes that back. */
export function appendDeathSignal(program: SyscallProgram): void {
  program.call('prctl', [option.parentDeathSignal, killSignal, 0, 0, 0], {
    purpose: 'follow the parent process to its end',
  });
}

/** One user, by a process of that user. */
export function appendUserMap(
  program: SyscallProgram,
  { inside, outside }: Pick<SandboxUser, 'inside' | 'outside'>,
): void {
  // The files to write belong to root after a change of users, until the process may be looked at again.
  program.call('prctl', [option.dumpable, 1, 0, 0, 0], { purpose: 'own the files in /proc' });
  for (const [name, text] of [
    ['uid_map', `${inside.uid} ${outside.uid} 1`],
    ['setgroups', 'deny'],
    ['gid_map', `${inside.gid} ${outside.gid} 1`],
  ] as const) {
    appendWriteFile(program, `/proc/self/${name}`, text);
  }
}

/** All descriptors from 8 on must be closed. */
function appendWriteFile(program: SyscallProgram, path: string, text: string): void {
  const purpose = `write '${text}' to ${path}`;
  const descriptor = firstFreeDescriptor;
  program
    .call('openat', [atCurrentDirectory, program.text(path), openWriteOnly, 0], { purpose })
    .call('write', [descriptor, program.text(text), text.length], { purpose })
    .call('close', [descriptor], { purpose });
}

/** The lowest one that is free when the launcher has closed what others left open. */
export const firstFreeDescriptor = 8;

function appendLimits(program: SyscallProgram, { processes, fileBytes }: CommandLimits): void {
  const wanted: readonly (readonly [number, string, Argument, Argument])[] = [
    [resource.core, 'core dumps', 0, unlimited],
    ...(processes === undefined ? [] : [[resource.processes, 'processes', processes, processes] as const]),
    ...(fileBytes === undefined ? [] : [[resource.fileSize, 'file sizes', fileBytes, fileBytes] as const]),
  ];
  for (const [number, name, soft, hard] of wanted) {
    const purpose = `limit ${name}`;
    const done = new Label();
    program.call('prlimit64', [0, number, program.words([soft, hard]), 0], {
      purpose,
      // Nobody may raise a hard limit that is lower already.
      onError: 'next',
      onZero: done,
    });
    program.call('prlimit64', [0, number, program.words([soft, soft]), 0], { purpose, onError: 'next' });
    program.place(done);
  }
}

/** Sockets without a file belong to the network, which may be the host's. Kernels without Landlock 6 do not know this. */
function appendSocketScope(program: SyscallProgram): void {
  const without = new Label();
  // The rules for files, for the network, and for what is outside of the domain.
  const rules = program.words([0, 0, scopeAbstractSockets]);
  program
    .call('landlock_create_ruleset', [rules, 24, 0], { purpose: 'make a Landlock domain', onError: without })
    .call('landlock_restrict_self', [firstFreeDescriptor, 0], { purpose: 'enter a Landlock domain' })
    .call('close', [firstFreeDescriptor], { purpose: 'close a Landlock domain' })
    .place(without);
}

function appendFilter(program: SyscallProgram, machine: Machine): void {
  const { bytes, length } = seccompFilter(machine);
  const filter = program.words([length, program.data(bytes)]);
  program.call('seccomp', [seccompSetFilter, 0, filter], { purpose: 'filter system calls' });
}

function appendExec(program: SyscallProgram, { program: path, argv, environment }: Command): void {
  const args = argv.map((it) => program.text(it));
  const variables = [...environment].map(([name, value]) =>
    program.text(Buffer.concat([Buffer.from(`${name}=`), value])),
  );
  program.call(
    'execve',
    [program.text(path), program.words([...args, 0]), program.words([...variables, 0])],
    {
      purpose: execPurpose,
    },
  );
}

/** The purpose of the row that starts the command. */
export const execPurpose = 'execute the command';
