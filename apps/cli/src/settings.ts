/**
 * Settings, as `--option NAME VALUE`, as an option of their own (`--NAME VALUE`, `--NAME` and `--no-NAME` for a
 * switch, `--extra-NAME VALUE` to append to a list), and from the environment variable `NIX_CONFIG`.
 */
import type { LintLevel } from '@neve/eval';
import { parseSize } from './quantities.ts';
import { UsageError } from './usage-error.ts';

/** `builders` is accepted for the sake of scripts; nothing that is there yet heeds it. */
const kinds = {
  'abort-on-warn': 'switch',
  'allow-import-from-derivation': 'switch',
  'allowed-impure-host-deps': 'list',
  'allowed-users': 'list',
  'build-users-group': 'text',
  builders: 'text',
  'builders-use-substitutes': 'switch',
  'connect-timeout': 'number',
  cores: 'number',
  /** The daemon that runs commands, as `--daemon=`. */
  daemon: 'text',
  'download-attempts': 'number',
  'eval-profile-file': 'text',
  'eval-profiler': 'text',
  'eval-profiler-frequency': 'number',
  'eval-system': 'text',
  'experimental-features': 'list',
  'extra-platforms': 'list',
  fallback: 'switch',
  'hashed-mirrors': 'list',
  /** Whether results and images of evaluations are kept, and used. */
  image: 'switch',
  'image-cache-size': 'size',
  'keep-failed': 'switch',
  'keep-going': 'switch',
  'lint-absolute-path-literals': 'lint',
  'lint-short-path-literals': 'lint',
  'lint-url-literals': 'lint',
  'log-lines': 'number',
  'max-build-log-size': 'number',
  'max-call-depth': 'number',
  'max-heap-size': 'size',
  'max-jobs': 'text',
  'max-silent-time': 'number',
  'max-substitution-jobs': 'number',
  'netrc-file': 'text',
  'nix-path': 'list',
  'pure-eval': 'switch',
  'require-sigs': 'switch',
  'restrict-eval': 'switch',
  sandbox: 'text',
  'sandbox-paths': 'list',
  'secret-key-files': 'list',
  'show-trace': 'switch',
  substitute: 'switch',
  substituters: 'list',
  system: 'text',
  'system-features': 'list',
  'tarball-ttl': 'number',
  timeout: 'number',
  'trace-verbose': 'switch',
  'trusted-public-keys': 'list',
  'trusted-substituters': 'list',
  'trusted-users': 'list',
} as const;

export type SettingName = keyof typeof kinds;

/** Settings by name, as text; a name that is not there has its default. */
export class Settings {
  readonly #values = new Map<SettingName, string>();
  /** What `extra-NAME` appends, be it to a value or to the default. */
  readonly #extras = new Map<SettingName, string>();

  /** Sets a setting by its name, or appends with `extra-` before it; `false` when there is no such setting. */
  set(name: string, value: string): boolean {
    const extra = name.startsWith('extra-') ? name.slice('extra-'.length) : undefined;
    if (extra !== undefined && isSetting(extra) && kinds[extra] === 'list') {
      this.#extras.set(extra, `${this.#extras.get(extra) ?? ''} ${value}`);
      return true;
    }
    if (!isSetting(name)) return false;
    checkValue(name, value);
    this.#values.set(name, value);
    this.#extras.delete(name);
    return true;
  }

  has(name: SettingName): boolean {
    return this.#values.has(name) || this.#extras.has(name);
  }

  unset(name: SettingName): void {
    this.#values.delete(name);
    this.#extras.delete(name);
  }

  isOn(name: SettingName): boolean {
    return isTrue(this.#values.get(name) ?? '');
  }

  text(name: SettingName): string | undefined {
    return this.#values.get(name);
  }

  /** All that are set, as text. */
  all(): Readonly<Record<string, string>> {
    const extras = [...this.#extras].map(([name, value]) => [`extra-${name}`, value] as const);
    return Object.fromEntries([...this.#values, ...extras]);
  }

  number(name: SettingName): number | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : Number(value);
  }

  /** In bytes; 0 means that there is no limit. */
  size(name: SettingName): number | undefined {
    const value = this.#values.get(name);
    const bytes = value === undefined ? 0 : parseSize(value);
    return bytes === 0 ? undefined : bytes;
  }

  lint(name: SettingName): LintLevel | undefined {
    const value = this.#values.get(name);
    return lintLevels.find((level) => level === value);
  }

  list(name: SettingName, defaults: readonly string[] = []): readonly string[] {
    const value = this.#values.get(name);
    return [...(value === undefined ? defaults : words(value)), ...words(this.#extras.get(name) ?? '')];
  }
}

/** How an option is a setting: its name and the value it sets, `undefined` when that is the next argument. */
export function settingOfOption(option: string): { name: string; value: string | undefined } | undefined {
  const name = option.slice('--'.length);
  if (isSetting(name)) return { name, value: kinds[name] === 'switch' ? 'true' : undefined };
  const positive = name.replace(/^no-/, '');
  if (positive !== name && isSetting(positive) && kinds[positive] === 'switch')
    return { name: positive, value: 'false' };
  const base = name.replace(/^extra-/, '');
  if (base !== name && isSetting(base) && kinds[base] === 'list') return { name, value: undefined };
  return undefined;
}

export type SettingKind = (typeof kinds)[SettingName];

export function kindOfSetting(name: SettingName): SettingKind {
  return kinds[name];
}

/** Every option that is a setting. */
export function settingOptions(): readonly string[] {
  return settingNames().flatMap((name) => {
    if (kinds[name] === 'switch') return [`--${name}`, `--no-${name}`];
    return kinds[name] === 'list' ? [`--${name}`, `--extra-${name}`] : [`--${name}`];
  });
}

export function settingNames(): readonly SettingName[] {
  return Object.keys(kinds).filter(isSetting);
}

/** `name = value` lines, `#` comments; names that are not known are returned. */
export function applyConfig(settings: Settings, text: string): readonly string[] {
  const unknown: string[] = [];
  for (const line of text.split('\n')) {
    const [name = '', ...value] = line
      .replace(/#.*/, '')
      .trim()
      .split(/\s*=\s*/);
    if (name !== '' && !settings.set(name, value.join('='))) unknown.push(name);
  }
  return unknown;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(kinds, name);
}

function checkValue(name: SettingName, value: string): void {
  if (kinds[name] === 'switch' && !isTrue(value) && !['false', 'no', '0'].includes(value)) {
    throw new UsageError(`Boolean setting '${name}' has invalid value '${value}'`);
  }
  if (kinds[name] === 'lint' && !lintLevels.some((level) => level === value)) {
    throw new UsageError(`setting '${name}' has invalid value '${value}'`);
  }
  if (kinds[name] === 'size') parseSize(value);
  if (kinds[name] === 'number' && !/^[0-9]+$/.test(value)) {
    throw new UsageError(`setting '${name}' has invalid value '${value}'`);
  }
}

export const lintLevels = ['ignore', 'warn', 'fatal'] as const satisfies readonly LintLevel[];

function isTrue(value: string): boolean {
  return value === 'true' || value === 'yes' || value === '1';
}
