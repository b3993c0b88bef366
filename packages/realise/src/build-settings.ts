/** What whoever runs builds allows them, and what the machine for them is. */
import type { BuildLimits, HostPath } from '@neve/build';
import type { PathInfo } from '@neve/store';
import { RealiseError } from './realise-error.ts';

export type BuildSettings = {
  /** Systems that can be built for, as in `x86_64-linux`; the first is the machine's own. */
  readonly systems: readonly string[];
  readonly systemFeatures: ReadonlySet<string>;
  /** `relaxed`: derivations that ask for it, and those that may use the network, have none. */
  readonly sandbox: true | false | 'relaxed';
  readonly sandboxPaths: readonly HostPath[];
  /** Closures of store paths among the sandbox paths, which are shown to every build. */
  readonly sandboxClosure: readonly PathInfo[];
  /** `__impureHostDeps` may name these and what is below them. */
  readonly allowedImpureHostDeps: readonly string[];
  /** What `NIX_BUILD_CORES` says. */
  readonly cores: number;
  /** Values for `impureEnvVars`. */
  readonly impureEnvironment: ReadonlyMap<string, string>;
  readonly limits: BuildLimits;
};

export const defaultBuildSettings: Omit<BuildSettings, 'systems'> = {
  systemFeatures: new Set(['nixos-test', 'benchmark', 'big-parallel', 'uid-range', 'ca-derivations']),
  sandbox: true,
  sandboxPaths: [],
  sandboxClosure: [],
  allowedImpureHostDeps: [],
  cores: 1,
  impureEnvironment: new Map(),
  limits: {},
};

/** Reads `<path>`, `<target>=<source>`, either with `?` at its end. Throws `RealiseError` (`not-allowed`). */
export function parseSandboxPath(text: string): HostPath {
  const optional = text.endsWith('?');
  const plain = optional ? text.slice(0, -1) : text;
  const equals = plain.indexOf('=');
  const target = equals === -1 ? plain : plain.slice(0, equals);
  const source = equals === -1 ? plain : plain.slice(equals + 1);
  for (const path of [target, source]) {
    if (path.startsWith('/')) continue;
    throw new RealiseError(
      'not-allowed',
      `the sandbox path '${text}' is not '<absolute path>' or '<target>=<source>', both absolute`,
    );
  }
  return { target, source, optional };
}
