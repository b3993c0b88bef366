/** What settings mean, for manuals, the reference and completion. Their names and kinds are in `settings.ts`. */
import { type SettingKind, type SettingName, kindOfSetting, settingNames } from '../settings.ts';

export type SettingDescription = {
  readonly name: SettingName;
  readonly kind: SettingKind;
  /** As it is written in `nix.conf`; empty for nothing. */
  readonly default: string;
  /** A sentence or two. */
  readonly description: string;
};

const texts: Record<SettingName, readonly [defaultValue: string, description: string]> = {
  'abort-on-warn': ['false', 'A warning of the program (builtins.warn) ends the evaluation.'],
  'allow-import-from-derivation': ['true', 'Evaluation may wait for something to be built that it reads.'],
  'allowed-impure-host-deps': [
    '',
    'Paths of this machine that derivations may ask to see (__impureHostDeps).',
  ],
  'allowed-users': [
    '*',
    'Who may connect to neve nix-daemon: names, @GROUP, or * for all; a daemon that is not of root serves its user only, unless it is set.',
  ],
  'build-users-group': ['', 'As root, builds run as the members of this group, one each.'],
  builders: ['@/etc/nix/machines', 'Machines that build too, one a line or between semicolons, or @FILE.'],
  'builders-use-substitutes': [
    'false',
    'Machines that build get inputs from their own substituters where they can.',
  ],
  'connect-timeout': ['', 'Seconds until a connection must be made; for binary caches 5, unless it is set.'],
  cores: ['0', 'How many processors one build may use (NIX_BUILD_CORES); 0 for all.'],
  daemon: [
    '',
    'The daemon that runs commands: 1 for the one of the user, or an address. As --daemon and NEVE_DAEMON.',
  ],
  'download-attempts': ['5', 'How often a download is tried; of binary caches twice, unless it is set.'],
  'eval-profile-file': ['nix.profile', 'Where the profile of an evaluation is written.'],
  'eval-profiler': [
    'disabled',
    'flamegraph, or a file: writes where evaluation spends its time, as collapsed stacks of Nix functions.',
  ],
  'eval-profiler-frequency': ['999', 'How often a second the profiler looks; 0 for every call.'],
  'eval-system': ['', 'What builtins.currentSystem is, when not the system.'],
  'experimental-features': ['', 'Features that are off unless they are named here, such as pipe-operators.'],
  'extra-platforms': ['', 'Systems whose builds this machine runs as well.'],
  fallback: ['false', 'Builds what could not be substituted.'],
  image: [
    'true',
    'Keeps what evaluations print with what they have read, and answers from there while that holds. As NEVE_IMAGE.',
  ],
  'image-cache-size': ['2147483648', 'Bytes that kept results and images may have together.'],
  'hashed-mirrors': ['', 'Places that have files by their hash, asked by builtin:fetchurl.'],
  'keep-failed': ['false', 'Keeps the folder of a build that failed, and says where it is.'],
  'keep-going': ['false', 'Goes on with other builds when one has failed.'],
  'lint-absolute-path-literals': ['ignore', 'What is done about path literals that begin with a slash.'],
  'lint-short-path-literals': [
    'ignore',
    'What is done about path literals such as foo/bar, without ./ before them.',
  ],
  'lint-url-literals': ['ignore', 'What is done about URLs without quotes.'],
  'log-lines': ['25', 'How many last lines of its log are shown of a build that failed.'],
  'max-build-log-size': ['0', 'Bytes that a build may print; 0 for any number.'],
  'max-call-depth': ['10000', 'How deep calls of functions may be.'],
  'max-heap-size': [
    '',
    'Memory that an evaluation may use, such as 512M or 12G; about half of it can be values in use. None: 4G. More than that, up to 12G, needs Node.js 24 or later.',
  ],
  'max-jobs': ['1', 'How many builds run at the same time, or auto for one for each processor.'],
  'max-silent-time': ['0', 'Seconds after which a build that prints nothing is ended; 0 for never.'],
  'max-substitution-jobs': ['16', 'How many store paths are substituted at the same time.'],
  'netrc-file': ['/etc/nix/netrc', 'User names and passwords for hosts.'],
  'nix-path': ['', 'Where <NAME> is looked up: entries NAME=PATH or PATH. NIX_PATH stands above it.'],
  'pure-eval': [
    'false',
    'Evaluation sees neither the environment nor the time, and only files that are fixed by a hash.',
  ],
  'require-sigs': [
    'true',
    'What is substituted must be signed by a trusted key, unless its path proves its contents.',
  ],
  'restrict-eval': ['false', 'Evaluation reads only files below the search path.'],
  sandbox: [
    'true',
    'Whether builds are shut in: true, false, or relaxed, which lets derivations ask for __noChroot.',
  ],
  'sandbox-paths': [
    '',
    'Paths of this machine that every build sees: PATH or INSIDE=OUTSIDE, with ? behind it if it may be missing.',
  ],
  'secret-key-files': ['', 'Files with secret keys that sign what is built.'],
  'show-trace': ['false', 'Errors show all the frames that led to them.'],
  substitute: ['true', 'Whether binary caches are asked for what would be built.'],
  substituters: ['https://cache.nixos.org/', 'The binary caches that are asked.'],
  system: ['', 'The system that is built for, such as x86_64-linux; that of this machine unless it is set.'],
  'system-features': [
    '',
    'What builds may require of this machine, as kvm or big-parallel; found out unless it is set.',
  ],
  'tarball-ttl': ['3600', 'Seconds for which what was fetched without a hash is not fetched again.'],
  timeout: ['0', 'Seconds after which a build is ended; 0 for never.'],
  'trace-verbose': ['false', 'builtins.traceVerbose prints.'],
  'trusted-public-keys': [
    'cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=',
    'Whose signatures count for what is substituted.',
  ],
  'trusted-substituters': ['', 'Binary caches that users of a daemon may choose who are not trusted.'],
  'trusted-users': ['root', 'Who may do with the store of a daemon what root may: names, @GROUP, or *.'],
};

export function describeSettings(): readonly SettingDescription[] {
  return settingNames().map((name) => {
    const [value, description] = texts[name];
    return { name, kind: kindOfSetting(name), default: value, description };
  });
}
