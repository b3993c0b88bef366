/** The settings of a cache as options of `create` and `configure`. */
import { readFileSync } from 'node:fs';
import { type CacheSettings, parseCacheSettings } from '@neve/nar-bridge';
import { nodeEd25519 } from '@neve/nix-compat/node';
import type { Arguments, OptionSpec } from '../parse-words.ts';
import { parseAge, parseSize } from '../quantities.ts';
import { UsageError } from '../usage-error.ts';

export const settingOptions = {
  public: { names: ['--public'], parameters: [], help: 'anybody may read it' },
  private: { names: ['--private'], parameters: [], help: 'only who has a token may read it (default)' },
  priority: { names: ['--priority'], parameters: ['N'], help: 'what clients are told (default: 40)' },
  signingKey: {
    names: ['--signing-key-file'],
    parameters: ['FILE'],
    help: 'a secret key that signs what is in it, instead of one of its own (repeatable)',
  },
  trustedKey: {
    names: ['--trusted-public-key'],
    parameters: ['KEY'],
    help: 'whose signatures count for uploads (repeatable)',
  },
  requireSignatures: {
    names: ['--require-signatures'],
    parameters: [],
    help: 'refuse uploads without a signature by a trusted key',
  },
  noRequireSignatures: {
    names: ['--no-require-signatures'],
    parameters: [],
    help: 'take uploads that nobody has signed (default)',
  },
  upstream: {
    names: ['--upstream'],
    parameters: ['URL'],
    help: 'a cache behind this one (repeatable; asked by its priority)',
  },
  upstreamKey: {
    names: ['--upstream-key'],
    parameters: ['KEY'],
    help: 'whose signatures count for what comes from upstreams (repeatable)',
  },
  noUpstreams: { names: ['--no-upstreams'], parameters: [], help: 'no caches behind this one (default)' },
  noKeep: { names: ['--no-keep'], parameters: [], help: 'what comes from upstreams does not stay' },
  keep: { names: ['--keep'], parameters: [], help: 'what comes from upstreams stays (default)' },
  fallback: {
    names: ['--upstream-fallback'],
    parameters: [],
    help: 'say that a path is not there when its upstreams cannot be asked',
  },
  noFallback: {
    names: ['--no-upstream-fallback'],
    parameters: [],
    help: 'let clients know when upstreams cannot be asked (default)',
  },
  maxAge: {
    names: ['--max-age'],
    parameters: ['AGE'],
    help: 'remove what was not used for so long: 30d, 12h; none for no limit (default)',
  },
  maxSize: {
    names: ['--max-size'],
    parameters: ['SIZE'],
    help: 'keep as much, by the size of NARs: 500M, 20G; none for no limit (default)',
  },
} as const satisfies Record<string, OptionSpec>;

type SettingArguments = Pick<Arguments<keyof typeof settingOptions>, 'has' | 'all' | 'last'>;

/** Those that were given. Throws `UsageError`, and `NarBridgeError` (`bad-option`) for keys and URLs that are none. */
export function readSettings(args: SettingArguments): Partial<CacheSettings> {
  const [priority, maxAge, maxSize] = [args.last('priority'), args.last('maxAge'), args.last('maxSize')];
  const isPublic = oneOf(args, 'public', 'private');
  const requireSignatures = oneOf(args, 'requireSignatures', 'noRequireSignatures');
  const keeps = oneOf(args, 'keep', 'noKeep');
  const fallback = oneOf(args, 'fallback', 'noFallback');
  const upstreams = readUpstreams(args);
  const signingKeys = args.all('signingKey').map(readKeyFile);
  const trustedKeys = args.all('trustedKey');
  return parseCacheSettings(
    {
      ...(isPublic !== undefined && { isPublic }),
      ...(priority !== undefined && { priority: Number(priority) }),
      ...(signingKeys.length > 0 && { signingKeys }),
      ...(trustedKeys.length > 0 && { trustedKeys }),
      ...(requireSignatures !== undefined && { requireSignatures }),
      ...(upstreams !== undefined && { upstreams }),
      ...(keeps !== undefined && { keepsFromUpstreams: keeps }),
      ...(fallback !== undefined && { upstreamFallback: fallback }),
      ...(maxAge !== undefined && { maxAgeMs: maxAge === 'none' ? null : parseAge(maxAge) }),
      ...(maxSize !== undefined && { maxBytes: maxSize === 'none' ? null : parseSize(maxSize) }),
    },
    nodeEd25519,
  );
}

function oneOf(
  args: SettingArguments,
  yes: keyof typeof settingOptions,
  no: keyof typeof settingOptions,
): boolean | undefined {
  if (!args.has(yes)) return args.has(no) ? false : undefined;
  if (!args.has(no)) return true;
  throw new UsageError(
    `${settingOptions[yes].names[0]} and ${settingOptions[no].names[0]} exclude each other`,
  );
}

function readUpstreams(args: SettingArguments): readonly object[] | undefined {
  const [urls, publicKeys] = [args.all('upstream'), args.all('upstreamKey')];
  if (urls.length === 0) {
    if (publicKeys.length > 0)
      throw new UsageError('--upstream-key needs --upstream, since all upstreams are set at once');
    return args.has('noUpstreams') ? [] : undefined;
  }
  if (args.has('noUpstreams')) throw new UsageError('--upstream and --no-upstreams exclude each other');
  return urls.map((url) => ({ url, publicKeys }));
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`the key file '${file}' cannot be read: ${reason}`);
  }
}
