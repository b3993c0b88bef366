/**
 * Machines that build for others, as `/etc/nix/machines` and the setting `builders` list them: one a line or between
 * semicolons, `#` begins a comment, `@file` stands for what another file lists. The fields of a machine are separated by
 * white space; `-` stands for what is left out, as does nothing at the end.
 *
 *     store URL   systems   ssh key   max jobs   speed factor   features   mandatory features   host key
 *
 * Lists have commas between their items. A host alone is reached by `ssh://`. Unless given, there is one job at a time, the
 * factor is 1, and the system is that of this machine.
 */
import { BytesError, decodeBase64 } from '@neve/bytes';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { type RemoteStoreUrl, parseRemoteStoreUrl } from './remote-store-url.ts';

export type Machine = {
  readonly url: RemoteStoreUrl;
  readonly systems: readonly string[];
  /** A path. */
  readonly sshKey?: string | undefined;
  readonly maxJobs: number;
  /** How fast it is, compared with others; more than 0. */
  readonly speedFactor: number;
  /** What derivations may require. */
  readonly features: ReadonlySet<string>;
  /** What they must require, so that the machine is kept for such. */
  readonly mandatoryFeatures: ReadonlySet<string>;
  /** As a line of `known_hosts` without the host, in base 64. */
  readonly hostKey?: string | undefined;
};

export type MachinesOptions = {
  /** Of machines that do not say theirs. */
  readonly systems: readonly string[];
  /** What a file holds; `undefined` when there is none, which counts as empty. */
  readonly readFile: (path: string) => string | undefined;
};

/** How deep files may name files. */
const maxDepth = 16;

/** Throws `NixDaemonError` (`invalid-request`), which says in which line. */
export function parseMachines(text: string, options: MachinesOptions): readonly Machine[] {
  return machinesOf(text, { ...options, file: undefined, depth: 0 });
}

type Place = MachinesOptions & { readonly file: string | undefined; readonly depth: number };

function machinesOf(text: string, place: Place): readonly Machine[] {
  return text.split('\n').flatMap((line, index) =>
    line
      .replace(/#.*$/s, '')
      .split(';')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '')
      .flatMap((entry) => {
        const where = `line ${index + 1}${place.file === undefined ? '' : ` of '${place.file}'`}`;
        return entry.startsWith('@')
          ? included(entry.slice(1).trim(), where, place)
          : [machineOf(entry, where, place)];
      }),
  );
}

// oxlint-disable-next-line eslint/max-params -- the entry and where it stands
function included(file: string, where: string, place: Place): readonly Machine[] {
  if (place.depth === maxDepth) throw bad(where, `'@${file}' leads through more than ${maxDepth} files`);
  const text = place.readFile(file);
  return text === undefined ? [] : machinesOf(text, { ...place, file, depth: place.depth + 1 });
}

// oxlint-disable-next-line eslint/max-params -- the entry and where it stands
function machineOf(entry: string, where: string, { systems }: Place): Machine {
  const fields = entry.split(/\s+/);
  const field = (index: number): string | undefined => {
    const value = fields[index];
    return value === undefined || value === '-' || value === '' ? undefined : value;
  };
  const [store, jobs, speed] = [field(0), field(3), field(4)];
  if (store === undefined) throw bad(where, 'it begins with no URL of a store');
  const maxJobs = jobs === undefined ? 1 : /^[0-9]{1,9}$/.test(jobs) ? Number(jobs) : NaN;
  if (Number.isNaN(maxJobs)) throw bad(where, `field 4, '${jobs}', is no number of jobs`);
  const speedFactor = speed === undefined ? 1 : /^[0-9]*\.?[0-9]+$/.test(speed) ? Number(speed) : NaN;
  if (Number.isNaN(speedFactor))
    throw bad(where, `field 5, '${speed}', is no speed factor, which is a number from 0 on`);
  return {
    url: urlOf(store, where),
    systems: listOf(field(1)) ?? systems,
    sshKey: field(2),
    maxJobs,
    speedFactor: speedFactor === 0 ? 1 : speedFactor,
    features: new Set(listOf(field(5))),
    mandatoryFeatures: new Set(listOf(field(6))),
    hostKey: hostKeyOf(field(7), where),
  };
}

function urlOf(text: string, where: string): RemoteStoreUrl {
  const isUrl = text.includes('/') || /^(auto|daemon|local)(\?|$)/.test(text);
  try {
    return parseRemoteStoreUrl(isUrl ? text : `ssh://${text}`);
  } catch (cause) {
    if (!(cause instanceof NixDaemonError)) throw cause;
    throw bad(where, cause.message, { cause });
  }
}

function listOf(field: string | undefined): readonly string[] | undefined {
  return field?.split(',').filter((it) => it !== '');
}

function hostKeyOf(field: string | undefined, where: string): string | undefined {
  if (field === undefined) return undefined;
  try {
    decodeBase64(field);
    return field;
  } catch (cause) {
    if (!(cause instanceof BytesError)) throw cause;
    throw bad(where, `field 8 is no host key in base 64: ${cause.message}`, { cause });
  }
}

function bad(where: string, problem: string, options?: ErrorOptions): NixDaemonError {
  return new NixDaemonError('invalid-request', `${where} of the machines: ${problem}`, options);
}

/** Whether a machine may build what has this system and requires these features. */
export function canBuild(
  { systems, features, mandatoryFeatures }: Machine,
  { system, required }: { readonly system: string; readonly required: readonly string[] },
): boolean {
  return (
    systems.includes(system) &&
    required.every((it) => features.has(it) || mandatoryFeatures.has(it)) &&
    [...mandatoryFeatures].every((it) => required.includes(it))
  );
}
