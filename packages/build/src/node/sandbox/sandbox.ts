/**
 * What the kinds of sandbox have in common. A sandbox is described once (`SandboxPlan`); a kind turns that into a program
 * of the host to start and a table of system calls for the launcher, with which the sandbox is completed and entered.
 * `run-in-sandbox.ts` starts it and follows it to its end.
 *
 * Every kind keeps these promises:
 *   - namespaces of its own for processes, mounts, IPC, host name and users, and for the network unless it is shared;
 *   - nothing is mounted where the host can see it;
 *   - the command is process 1 of its namespace, so that nothing outlives it;
 *   - everything ends when the process that started it does.
 */
import type { SyscallProgram } from './syscall-program.ts';

export type SandboxPlan = {
  /** A folder of the host: `/`, which cannot be written to. What is mounted finds its target in it or in what was mounted before. */
  readonly root: string;
  /** A folder of the host with nothing in it. */
  readonly emptyFolder: string;
  readonly mounts: readonly SandboxMount[];
  /** `host` shows all devices of the host. */
  readonly devices: 'minimal' | 'host';
  readonly network: 'none' | 'host';
  readonly user: SandboxUser;
};

/** Paths of targets are relative to the root. */
export type SandboxMount = {
  readonly source: string;
  readonly target: string;
  readonly access: 'read' | 'write' | 'device';
};

/** `inside` is seen by the command, `outside` is who that is on the host. */
export type SandboxUser = {
  readonly inside: UserIds;
  readonly outside: UserIds;
  /** How many users follow, from both on: 1, or 65,536 where the command may give out users. */
  readonly count: number;
};

export type UserIds = { readonly uid: number; readonly gid: number };

/** A kind of sandbox. */
export interface Sandbox {
  readonly name: string;
  /** Whether several users can be mapped. */
  readonly hasUserRange: boolean;
  /** What to start for a plan; `finish` appends what is done inside, up to the command. */
  launch(plan: SandboxPlan, context: LaunchContext): Launch;
}

export type LaunchContext = {
  /** An empty folder of the host for files that the kind needs. */
  readonly folder: string;
  readonly program: SyscallProgram;
  readonly finish: (options: FinishOptions) => void;
};

export type FinishOptions = {
  /** Set where the user inside is another one than the plan wants: it is mapped once more, from these. */
  readonly mapFrom?: UserIds;
};

export type Launch = {
  /** A program, looked for in `PATH` unless it has a slash. */
  readonly file: string;
  readonly args: readonly string[];
  /** What it can read from `argumentsDescriptor`. */
  readonly argumentBytes?: Uint8Array;
  /** A table for a launcher outside of the sandbox; then that of the sandbox is in `innerTableDescriptor`. */
  readonly outer?: SyscallProgram;
  /** Who it runs as. */
  readonly runAs?: UserIds;
  /** Whether the command's own end is reported as a record; otherwise the program ends as the command did. */
  readonly reportsEnd: boolean;
  /** What is to be mapped when it asks for that. */
  readonly maps?: { readonly uid: string; readonly gid: string };
};

export const argumentsDescriptor = 8;
export const innerTableDescriptor = 8;

/** As an executable for `exec` by whoever inherits it. */
export const launcherPath = '/proc/self/fd/3';
export const launcherDescriptor = 3;
