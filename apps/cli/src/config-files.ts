/**
 * Where settings come from besides the command line: `nix.conf` of the system and of the user, then the environment
 * variable `NIX_CONFIG`. The later ones win. A file that is not there is no error; neither is one that may not be read.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Environment } from './caller.ts';
import { type Settings, applyConfig } from './settings.ts';
import { UsageError } from './usage-error.ts';

/** As many files may include each other. */
const maximumDepth = 20;

export function applyConfigFiles(settings: Settings, environment: Environment): void {
  applyFile(settings, join(environment['NIX_CONF_DIR'] ?? '/etc/nix', 'nix.conf'), 0);
  for (const file of userFiles(environment)) applyFile(settings, file, 0);
  applyConfig(settings, environment['NIX_CONFIG'] ?? '');
  // Of the search path this variable has the last word, but for the command line.
  if (environment['NIX_PATH'] !== undefined) settings.unset('nix-path');
}

/** The files of the user, the most important one last. */
function userFiles(environment: Environment): readonly string[] {
  const named = environment['NIX_USER_CONF_FILES'];
  if (named !== undefined)
    return named
      .split(':')
      .filter((file) => file !== '')
      .toReversed();
  const home = environment['HOME'];
  const folders = [
    environment['XDG_CONFIG_HOME'] ?? (home === undefined ? '' : join(home, '.config')),
    ...(environment['XDG_CONFIG_DIRS'] ?? '').split(':'),
  ];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'nix/nix.conf'))
    .toReversed();
}

function applyFile(settings: Settings, path: string, depth: number): boolean {
  const text = readIfThere(path);
  if (text === undefined) return false;
  if (depth > maximumDepth) throw new UsageError(`configuration file '${path}' includes itself`);
  let lines: string[] = [];
  const applyLines = (): void => {
    applyConfig(settings, lines.join('\n'));
    lines = [];
  };
  for (const line of text.split('\n')) {
    const [, optional, name] = /^\s*(!?)include\s+([^#]*?)\s*(?:#.*)?$/.exec(line) ?? [];
    if (name === undefined) {
      lines.push(line);
      continue;
    }
    applyLines();
    const file = resolve(dirname(path), name);
    if (!applyFile(settings, file, depth + 1) && optional === '') {
      throw new UsageError(`file '${file}' included from '${path}' not found`);
    }
  }
  applyLines();
  return true;
}

function readIfThere(path: string): string | undefined {
  try {
    // Most of the files are not there, and an error takes long to make.
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
