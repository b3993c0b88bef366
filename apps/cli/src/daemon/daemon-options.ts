/** The options of `neve daemon`, and what they say. */
import { availableParallelism } from 'node:os';
import type { Arguments, OptionSpec } from '../parse-words.ts';
import { type StoreOptionName, storeOptions } from '../store/store-options.ts';
import { tlsOptions } from '../tls-options.ts';
import { UsageError } from '../usage-error.ts';

export const daemonOptions = {
  listen: {
    names: ['-l', '--listen-address', '--listen'],
    parameters: ['ADDRESS'],
    help: "host:port for stores and builds, or unix:/path in place of the user's socket; may be given again",
  },
  ...tlsOptions,
  cert: { ...tlsOptions.cert, help: 'certificate of the server at host:port, PEM' },
  builder: {
    names: ['--builder'],
    parameters: ['URL'],
    values: [['local:', 'bwrap:', 'oci:', 'unshare:']],
    help: 'where builds run: local: (the default), bwrap:, …; given, it also builds for clients at host:port',
  },
  maxJobs: {
    names: ['-j', '--max-jobs', '--max-builds'],
    parameters: ['N'],
    help: 'how many builds run at the same time, for all clients (default: one for each processor)',
  },
  evaluators: {
    names: ['--evaluators'],
    parameters: ['N'],
    help: 'how many evaluations run at the same time (default: one for each processor)',
  },
  evaluationMemory: {
    names: ['--evaluation-memory'],
    parameters: ['MIB'],
    help: 'how much memory an evaluation may have (default: 4096, which is the most)',
  },
  recycleMemory: {
    names: ['--recycle-memory'],
    parameters: ['MIB'],
    help: 'a thread that has used more is not kept for the next evaluation (default: 512)',
  },
  idleTimeout: {
    names: ['--idle-timeout'],
    parameters: ['SECONDS'],
    help: 'end when nobody was connected for so long (default: never)',
  },
  grace: {
    names: ['--grace'],
    parameters: ['SECONDS'],
    help: 'how long commands may go on when the daemon is to end (default: 30)',
  },
  buildUsers: {
    names: ['--build-users-group'],
    parameters: ['GROUP'],
    help: 'as root, build as the members of this group',
  },
  hostPaths: {
    names: ['--allow-host-path'],
    parameters: ['PATH'],
    help: 'what builds of clients at host:port may see of this machine, beside /dev/kvm; may be given again',
  },
  now: { names: ['--now'], parameters: [], help: 'of stop: end commands that run' },
  ...storeOptions,
} as const satisfies Record<string, OptionSpec>;

export type DaemonArguments = Arguments<keyof typeof daemonOptions | StoreOptionName>;

export type DaemonLimits = {
  readonly maxJobs: number;
  readonly evaluators: number;
  readonly evaluationBytes: number;
  readonly recycleBytes: number;
  /** In milliseconds; `undefined` for ever. */
  readonly idleMs: number | undefined;
  readonly graceMs: number;
};

const mebibyte = 1024 * 1024;
const maxEvaluationMebibytes = 4096;

/** Throws `UsageError`. */
export function daemonLimits(args: DaemonArguments): DaemonLimits {
  const count = (option: keyof typeof daemonOptions): number | undefined => {
    const text = args.last(option);
    if (text === undefined) return undefined;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw new UsageError(`'${daemonOptions[option].names.at(-1)}' takes a number, not '${text}'`);
  };
  const atLeastOne = (option: keyof typeof daemonOptions): number | undefined => {
    const value = count(option);
    if (value !== 0) return value;
    throw new UsageError(`'${daemonOptions[option].names.at(-1)}' is 1 at least`);
  };
  const idleSeconds = atLeastOne('idleTimeout');
  const memory = Math.min(atLeastOne('evaluationMemory') ?? maxEvaluationMebibytes, maxEvaluationMebibytes);
  return {
    maxJobs: atLeastOne('maxJobs') ?? availableParallelism(),
    evaluators: atLeastOne('evaluators') ?? availableParallelism(),
    evaluationBytes: memory * mebibyte,
    recycleBytes: (count('recycleMemory') ?? 512) * mebibyte,
    idleMs: idleSeconds === undefined ? undefined : idleSeconds * 1000,
    graceMs: (count('grace') ?? 30) * 1000,
  };
}
