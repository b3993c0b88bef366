/**
 * What a client says with `SetOptions`: some settings in places of their own, and others by name, as in `nix.conf`. A client
 * that is not trusted may set only what harms nobody else: limits of time, and caches among those that the daemon trusts. What
 * it may not set is left alone, and it is told so. A value that makes no sense is told too, and left alone.
 */
import type { ClientOptions, Verbosity } from '@neve/nix-compat/protocols';
import { type BuildOptions, defaultBuildOptions } from './build-options.ts';

export type SettingsRules = {
  readonly isTrusted: boolean;
  /** The caches of the daemon, and others that anybody may use. */
  readonly trustedSubstituters: readonly string[];
};

export type AppliedSettings = {
  readonly options: BuildOptions;
  readonly verbosity: Verbosity;
  /** For the client, without a `warning:` before them. */
  readonly warnings: readonly string[];
};

export function applySettings(settings: ClientOptions, rules: SettingsRules): AppliedSettings {
  const { keepFailed, keepGoing, tryFallback, maxBuildJobs, buildCores, useSubstitutes } = settings;
  const application = new Application(rules, {
    ...defaultBuildOptions,
    ...{ keepFailed, keepGoing, fallback: tryFallback, maxJobs: maxBuildJobs, cores: buildCores },
    ...{ maxSilentSeconds: positive(settings.maxSilentTime), substitutes: useSubstitutes },
  });
  for (const [name, value] of settings.overrides) application.apply(name, value);
  const { options, warnings } = application;
  return { options, verbosity: settings.verbosity, warnings };
}

/** What anybody may set beside caches. */
const harmless = new Set(['timeout', 'build-timeout', 'max-silent-time', 'build-max-silent-time']);

/** Of no meaning here, or of no consequence, so that nobody has to be told. */
const ignored = new Set(['ssh-auth-sock', 'experimental-features', 'build-poll-interval', 'connect-timeout']);

type Reader = (value: string, options: BuildOptions) => Partial<BuildOptions>;

const readers: Readonly<Record<string, Reader>> = {
  timeout: (value) => ({ timeoutSeconds: positive(number(value)) }),
  'max-silent-time': (value) => ({ maxSilentSeconds: positive(number(value)) }),
  'max-build-log-size': (value) => ({ maxLogBytes: positive(number(value)) }),
  'log-lines': (value) => ({ logLines: number(value) }),
  sandbox: (value) => ({ sandbox: value === 'relaxed' ? value : flag(value) }),
  'sandbox-paths': (value) => ({ sandboxPaths: words(value) }),
  'system-features': (value) => ({ systemFeatures: words(value) }),
  'extra-platforms': (value) => ({ extraPlatforms: words(value) }),
  // Machines of its own it cannot bring.
  builders: (value) => (value === '' ? { usesMachines: false } : {}),
  substituters: (value, { caches }) => ({ caches: { ...caches, substituters: words(value) } }),
  'trusted-public-keys': (value, { caches }) => ({ caches: { ...caches, trustedPublicKeys: words(value) } }),
};

const aliases: Readonly<Record<string, string>> = {
  'build-timeout': 'timeout',
  'build-max-silent-time': 'max-silent-time',
  'build-max-log-size': 'max-build-log-size',
  'build-use-sandbox': 'sandbox',
  'build-use-chroot': 'sandbox',
  'build-sandbox-paths': 'sandbox-paths',
  'build-chroot-dirs': 'sandbox-paths',
  'binary-caches': 'substituters',
  'binary-cache-public-keys': 'trusted-public-keys',
};

class Application {
  options: BuildOptions;
  readonly warnings: string[] = [];
  readonly #rules: SettingsRules;

  constructor(rules: SettingsRules, options: BuildOptions) {
    this.#rules = rules;
    this.options = options;
  }

  apply(given: string, value: string): void {
    const name = aliases[given] ?? given;
    if (ignored.has(name)) return;
    if (name === 'plugin-files') {
      this.warnings.push('Ignoring the client-specified plugin-files.');
    } else if (this.#rules.isTrusted || harmless.has(given) || (name === 'builders' && value === '')) {
      this.#set(name, value);
    } else if (name === 'substituters') {
      const caches = { ...this.options.caches, substituters: this.#trusted(words(value)) };
      this.options = { ...this.options, caches };
    } else {
      this.warnings.push(
        `ignoring the client-specified setting '${given}', because it is a restricted setting and you are not a trusted user`,
      );
    }
  }

  #set(name: string, value: string): void {
    if (name === 'builders' && value !== '') {
      this.warnings.push(
        "ignoring the client-specified 'builders': this daemon builds on its own machines only",
      );
    }
    try {
      this.options = { ...this.options, ...readers[name]?.(value, this.options) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.warnings.push(`setting '${name}' has invalid value '${value}'`);
    }
  }

  #trusted(urls: readonly string[]): readonly string[] {
    const known = new Set(this.#rules.trustedSubstituters.map(withoutSlash));
    const isTrusted = (url: string): boolean => known.has(withoutSlash(url));
    for (const url of urls.filter((it) => !isTrusted(it))) {
      this.warnings.push(
        `ignoring untrusted substituter '${url}', you are not a trusted user.\n` +
          'Run `man nix.conf` for more information on the `substituters` configuration option.',
      );
    }
    return urls.filter(isTrusted);
  }
}

/** A slash at the end makes no difference. */
function withoutSlash(url: string): string {
  return url.replace(/\/$/, '');
}

function words(value: string): readonly string[] {
  return value.split(/\s+/).filter((word) => word !== '');
}

function number(value: string): number {
  if (/^[0-9]{1,15}$/.test(value)) return Number(value);
  throw new RangeError(value);
}

function flag(value: string): boolean {
  if (['true', 'yes', '1'].includes(value)) return true;
  if (['false', 'no', '0'].includes(value)) return false;
  throw new RangeError(value);
}

/** Nix has 0 for no limit. */
function positive(value: number): number | undefined {
  return value === 0 ? undefined : value;
}
