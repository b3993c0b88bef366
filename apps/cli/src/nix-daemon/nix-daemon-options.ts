/** The command line of `neve nix-daemon`. Other settings come from `nix.conf` and from `--option`, as for `neve build`. */
import { availableParallelism, userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { SecretKey } from '@neve/nix-compat';
import type { UserRules } from '@neve/nix-daemon';
import type { CommandDescription } from '../command-description.ts';
import { applyConfigFiles } from '../config-files.ts';
import { hostSystem } from '../host-system.ts';
import { type Arguments, type OptionSpec, optionsByName, parseWords } from '../parse-words.ts';
import { type RealiseOptions, realiseOptions } from '../realise/realise-options.ts';
import { Settings } from '../settings.ts';
import { readSecretKey } from '../store/read-secret-key.ts';
import { storeOptions } from '../store/store-options.ts';
import { summaries } from '../top-level-commands.ts';
import { UsageError } from '../usage-error.ts';

const ownOptions = {
  listen: {
    names: ['-l', '--listen'],
    parameters: ['ADDRESS'],
    help: 'the path of the socket, or sd-listen for sockets of systemd (default: nix/daemon-socket in the state folder)',
  },
  stdio: { names: ['--stdio'], parameters: [], help: 'serve one client on standard input and output' },
  trustedUsers: {
    names: ['--trusted-users'],
    parameters: ['USERS'],
    help: 'who may do with the store what root may: names, @GROUP, * (default: root, and who runs the daemon)',
  },
  allowedUsers: {
    names: ['--allowed-users'],
    parameters: ['USERS'],
    help: 'who may connect beside them (default: *, if root runs the daemon)',
  },
  forceUntrusted: {
    names: ['--force-untrusted'],
    parameters: [],
    help: 'trust nobody, not even on standard input',
  },
  maxJobs: {
    names: ['-j', '--max-jobs'],
    parameters: ['N'],
    help: 'how many builds of all clients run at the same time (default: one for each processor)',
  },
  builder: {
    names: ['--builder'],
    parameters: ['URL'],
    values: [['local:', 'bwrap:', 'oci:', 'unshare:']],
    help: 'what builds, as for neve build (default: local:)',
  },
  builders: {
    names: ['--builders'],
    parameters: ['MACHINES'],
    help: 'machines that build, too, or @FILE with one a line (default: @/etc/nix/machines)',
  },
  substituters: {
    names: ['--substituters'],
    parameters: ['URLS'],
    help: 'the caches that are asked, unless a client says otherwise',
  },
  noView: {
    names: ['--no-view'],
    parameters: [],
    help: 'do not show store paths as files; clients need a mount of the store then',
  },
  view: {
    names: ['--view'],
    parameters: ['DIR'],
    help: 'where store paths are shown as files (default: nix/store in the state folder)',
  },
  setting: {
    names: ['--option'],
    parameters: ['NAME', 'VALUE'],
    values: ['setting', 'setting-value'],
    help: 'a setting, as in nix.conf (repeatable)',
  },
} as const satisfies Record<string, OptionSpec>;

const options = { ...ownOptions, ...storeOptions };

export type NixDaemonArguments = Arguments<keyof typeof options>;

export type NixDaemonOptions = {
  readonly args: NixDaemonArguments;
  readonly realise: RealiseOptions;
  readonly rules: UserRules;
  readonly trustedSubstituters: readonly string[];
  /** What builds make is signed by these. */
  readonly secretKeys: readonly SecretKey[];
};

export function parseNixDaemonArguments(argv: readonly string[]): NixDaemonArguments {
  const args = parseWords(argv, optionsByName(options));
  if (args.positional.length > 0) throw new UsageError('neve nix-daemon takes no arguments');
  return args;
}

/** Throws `UsageError` for a value that makes no sense. */
export function nixDaemonOptions(args: NixDaemonArguments): NixDaemonOptions {
  const settings = readSettings(args);
  const values = new Map<string, string | undefined>([
    ['store', args.last('store')],
    ['builder', args.last('builder')],
    ['maxJobs', args.last('maxJobs') ?? settings.text('max-jobs') ?? String(availableParallelism())],
  ]);
  const realise = realiseOptions(
    { has: () => false, last: (name) => values.get(name) },
    {
      settings,
      storeDir: resolve(args.last('storeDir') ?? process.env['NIX_STORE_DIR'] ?? '/nix/store'),
      system: settings.text('system') ?? hostSystem(),
    },
  );
  const trustedSubstituters = [...realise.substituters, ...settings.list('trusted-substituters')];
  const secretKeys = settings.list('secret-key-files').map(readSecretKey);
  return { args, realise, rules: userRules(settings), trustedSubstituters, secretKeys };
}

/** For its help, manuals and completion. */
export function describeNixDaemon(): CommandDescription {
  return {
    name: 'nix-daemon',
    summary: summaries['nix-daemon'],
    usage: ['nix-daemon [OPTIONS]'],
    description: `Serves the store, and builds in it, to unmodified clients of Nix, until it is interrupted: they connect with
NIX_REMOTE or --store, to the URL that is shown at the start. With --stdio it serves a client that has logged in by ssh.`,
    arguments: [],
    options: Object.values(options),
  };
}

function readSettings(args: NixDaemonArguments): Settings {
  const settings = new Settings();
  applyConfigFiles(settings, process.env);
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined && !settings.set(name, value)) throw new UsageError(`unknown setting '${name}'`);
  };
  for (const { option, values } of args.occurrences) {
    if (option === 'setting') set(values[0] ?? '', values[1]);
  }
  set('builders', args.last('builders'));
  set('substituters', args.last('substituters'));
  set('trusted-users', args.has('forceUntrusted') ? '' : args.last('trustedUsers'));
  set('allowed-users', args.last('allowedUsers'));
  return settings;
}

/** Somebody's own daemon serves its owner, and that of root everybody. */
function userRules(settings: Settings): UserRules {
  const { uid, username } = userInfo();
  return {
    trustedUsers: settings.list('trusted-users', ['root', username]),
    allowedUsers: settings.list('allowed-users', uid === 0 ? ['*'] : [username]),
  };
}
