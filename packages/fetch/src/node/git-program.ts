/**
 * The git program, as it is used here: never on a repository that it had to look for, and with nothing in it that somebody
 * else can have put there.
 *
 * - The repository is named outright (`GIT_DIR`). Then git does not ask who owns it, a question that protects from commands
 *   in the configuration of a stranger's repository; so those are all switched off: hooks, file monitors, filters.
 * - Protocols are those of the list below: not `ext:`, which runs any command.
 * - Of the variables for git only those are passed on that say how to reach servers. The configuration of the user counts,
 *   since it has his proxies, keys and credential helpers. Nothing is ever asked on the terminal.
 */
import { FetchError } from '../fetch-error.ts';
import { type RunResult, runProgram } from './run-program.ts';

export type GitCallOptions = {
  /** The repository, or the `.git` of a work tree. */
  readonly gitDir: string;
  readonly workTree?: string;
  readonly input?: Uint8Array;
  readonly onComplaint?: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Beside those that are always set. */
  readonly settings?: readonly Setting[];
};

export type Setting = readonly [name: string, value: string];

export const gitProtocols: readonly string[] = ['file', 'git', 'http', 'https', 'ssh'];

const passedVariables: ReadonlySet<string> = new Set([
  ...['GIT_SSH', 'GIT_SSH_COMMAND', 'GIT_SSH_VARIANT', 'GIT_ASKPASS'],
  ...['GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'GIT_SSL_CERT', 'GIT_SSL_KEY', 'GIT_PROXY_COMMAND'],
]);

const safeSettings: readonly Setting[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.untrackedCache', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.writeCommitGraph', 'false'],
  ['advice.detachedHead', 'false'],
];

export class GitProgram {
  readonly #environment: NodeJS.ProcessEnv;

  /** `environment` has `PATH`, `HOME` and whatever else git and ssh look at. */
  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
  }

  /** Throws `FetchError` (`unsupported` when git is not installed, `io`). */
  run(args: readonly string[], options: GitCallOptions): Promise<RunResult> {
    const { gitDir, workTree, settings = [], ...rest } = options;
    return runProgram(['git', '--literal-pathspecs', ...args], {
      ...rest,
      cwd: workTree ?? '/',
      environment: {
        ...this.variables([...safeSettings, ...settings]),
        GIT_DIR: gitDir,
        ...(workTree === undefined ? {} : { GIT_WORK_TREE: workTree }),
      },
    });
  }

  /** The output; any exit code but 0 is an error (`io`). */
  async output(args: readonly string[], options: GitCallOptions): Promise<Buffer> {
    const { code, stdout, stderr } = await this.run(args, options);
    if (code === 0) return stdout;
    throw new FetchError('io', `'git ${args[0]}' failed for '${options.gitDir}': ${stderr}`);
  }

  /** A text of one line; `undefined` when git says no by its exit code. */
  async line(args: readonly string[], options: GitCallOptions): Promise<string | undefined> {
    const { code, stdout } = await this.run(args, options);
    return code === 0 ? stdout.toString().replace(/\n$/, '') : undefined;
  }

  /** The environment for git, or for a program that calls it. */
  variables(settings: readonly Setting[]): NodeJS.ProcessEnv {
    const variables: NodeJS.ProcessEnv = {};
    for (const [name, value] of Object.entries(this.#environment)) {
      if (!name.startsWith('GIT_') || passedVariables.has(name)) variables[name] = value;
    }
    for (const [index, [name, value]] of settings.entries()) {
      variables[`GIT_CONFIG_KEY_${index}`] = name;
      variables[`GIT_CONFIG_VALUE_${index}`] = value;
    }
    return {
      ...variables,
      GIT_CONFIG_COUNT: String(settings.length),
      GIT_ALLOW_PROTOCOL: gitProtocols.join(':'),
      GIT_TERMINAL_PROMPT: '0',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_NO_REPLACE_OBJECTS: '1',
      LC_ALL: 'C',
    };
  }
}
