/** What a command wants of the store that it realises in: settings and options, as plain data, since another script reads it. */
import { type DisplayOptions, displayOptions } from '../progress/display.ts';
import type { Settings } from '../settings.ts';
import type { EvaluateArguments } from '../parse-arguments.ts';
import { UsageError } from '../usage-error.ts';

export type RealiseOptions = {
  readonly storeDir: string;
  readonly experimentalFeatures: readonly string[];
  /** As `--store`; the user's own store without it. */
  readonly store: string | undefined;
  /** The service that builds, as `--builder`. */
  readonly builder: string;
  /** Machines that build too, as in `/etc/nix/machines`. */
  readonly builders: string;
  readonly buildersUseSubstitutes: boolean;
  readonly maxJobs: number;
  readonly maxSubstitutions: number;
  readonly cores: number;
  readonly keepGoing: boolean;
  readonly keepFailed: boolean;
  readonly fallback: boolean;
  readonly substituters: readonly string[];
  readonly trustedPublicKeys: readonly string[];
  readonly requireSignatures: boolean;
  readonly systems: readonly string[];
  /** `undefined` for the default. */
  readonly systemFeatures: readonly string[] | undefined;
  readonly sandbox: true | false | 'relaxed';
  readonly sandboxPaths: readonly string[];
  readonly allowedImpureHostDeps: readonly string[];
  readonly buildUsersGroup: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly maxSilentSeconds: number | undefined;
  readonly maxLogBytes: number | undefined;
  readonly logLines: number;
  readonly display: DisplayOptions;
  readonly hashedMirrors: readonly string[] | undefined;
  readonly tarballTtlSeconds: number | undefined;
  readonly netrcFile: string | undefined;
  readonly downloadAttempts: number | undefined;
  readonly connectTimeoutSeconds: number | undefined;
};

const officialCache = 'https://cache.nixos.org/';
const officialKey = 'cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=';
const officialStoreDir = '/nix/store';

/** Throws `UsageError` for a value that makes no sense. */
export function realiseOptions(
  args: Pick<EvaluateArguments, 'has' | 'last'>,
  {
    settings,
    storeDir,
    system,
  }: { readonly settings: Settings; readonly storeDir: string; readonly system: string },
): RealiseOptions {
  const substitutes = settings.has('substitute') ? settings.isOn('substitute') : true;
  return {
    storeDir,
    experimentalFeatures: settings.list('experimental-features'),
    store: args.last('store'),
    builder: args.last('builder') ?? 'local:',
    builders: settings.text('builders') ?? '@/etc/nix/machines',
    buildersUseSubstitutes: settings.isOn('builders-use-substitutes'),
    maxJobs: numberOfJobs(args.last('maxJobs') ?? settings.text('max-jobs') ?? '1'),
    maxSubstitutions: settings.number('max-substitution-jobs') ?? 16,
    cores: settings.number('cores') ?? 0,
    keepGoing: args.has('keepGoing') || settings.isOn('keep-going'),
    keepFailed: args.has('keepFailed') || settings.isOn('keep-failed'),
    fallback: settings.isOn('fallback'),
    // As for Nix, the official cache is asked unless somebody says otherwise. It knows its own store directory only.
    substituters: substitutes
      ? settings.list('substituters', storeDir === officialStoreDir ? [officialCache] : [])
      : [],
    trustedPublicKeys: settings.list('trusted-public-keys', [officialKey]),
    requireSignatures: settings.has('require-sigs') ? settings.isOn('require-sigs') : true,
    systems: [system, ...settings.list('extra-platforms')],
    systemFeatures: settings.has('system-features') ? settings.list('system-features') : undefined,
    sandbox: sandboxMode(settings.text('sandbox') ?? 'true'),
    sandboxPaths: settings.list('sandbox-paths'),
    allowedImpureHostDeps: settings.list('allowed-impure-host-deps'),
    buildUsersGroup: settings.text('build-users-group'),
    timeoutSeconds: positive(settings.number('timeout')),
    maxSilentSeconds: positive(settings.number('max-silent-time')),
    maxLogBytes: positive(settings.number('max-build-log-size')),
    logLines: settings.number('log-lines') ?? 25,
    display: displayOptions(args),
    hashedMirrors: settings.has('hashed-mirrors') ? settings.list('hashed-mirrors') : undefined,
    tarballTtlSeconds: settings.number('tarball-ttl'),
    netrcFile: settings.text('netrc-file'),
    downloadAttempts: settings.number('download-attempts'),
    connectTimeoutSeconds: settings.number('connect-timeout'),
  };
}

function numberOfJobs(text: string): number {
  if (text === 'auto') return process.getBuiltinModule('node:os').availableParallelism();
  if (/^[0-9]+$/.test(text)) return Number(text);
  throw new UsageError(`'--max-jobs' is a number or 'auto', not '${text}'`);
}

function sandboxMode(text: string): true | false | 'relaxed' {
  if (text === 'relaxed') return text;
  if (['true', 'yes', '1'].includes(text)) return true;
  if (['false', 'no', '0'].includes(text)) return false;
  throw new UsageError(`setting 'sandbox' is 'true', 'false' or 'relaxed', not '${text}'`);
}

/** Nix has 0 for no limit. */
function positive(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}
