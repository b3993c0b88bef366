/**
 * The last component of a store path, `<hash part>-<name>`, without the directory it lies in.
 *
 *     hash part   32 characters of nixbase32: 20 bytes of a folded SHA-256
 *     name        1 to 211 of `A-Z a-z 0-9 + - . _ ? =`; not `.` or `..`, and not one of them followed by `-`
 *
 * Whoever has a `StorePath` knows that both hold.
 */
import { NixCompatError } from './nix-compat-error.ts';

export const hashPartLength = 32;
export const maxNameLength = 211;

export class StorePath {
  readonly hashPart: string;
  readonly name: string;

  /** Throws `NixCompatError` when either part is not what the format says. */
  constructor(hashPart: string, name: string) {
    const foreign = /[^0-9a-df-np-sv-z]/.exec(hashPart);
    if (foreign !== null) {
      throw bad(`store path '${hashPart}-${name}' contains illegal base-32 character '${foreign[0]}'`);
    }
    if (hashPart.length !== hashPartLength) throw bad(`'${hashPart}' is not the hash part of a store path`);
    const problem = nameProblem(name);
    if (problem !== undefined) throw bad(`path '${hashPart}-${name}' is not a valid store path: ${problem}`);
    this.hashPart = hashPart;
    this.name = name;
  }

  get baseName(): string {
    return `${this.hashPart}-${this.name}`;
  }

  get isDerivation(): boolean {
    return this.name.endsWith('.drv');
  }
}

/** Reads a base name. Throws `NixCompatError`. */
export function parseStorePath(baseName: string): StorePath {
  if (baseName.length < hashPartLength + 1) throw bad(`'${baseName}' is too short to be a valid store path`);
  if (baseName.charAt(hashPartLength) !== '-') {
    throw bad(`'${baseName}' can't name a store path because the hash part is not followed by a '-'`);
  }
  return new StorePath(baseName.slice(0, hashPartLength), baseName.slice(hashPartLength + 1));
}

/** Throws `NixCompatError` unless a store object may have this name. */
export function checkStorePathName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new NixCompatError('bad-store-path-name', problem);
}

function nameProblem(name: string): string | undefined {
  if (name === '') return 'name must not be empty';
  if (name.length > maxNameLength) {
    return `name '${name}' must be no longer than ${maxNameLength} characters`;
  }
  if (name === '.' || name === '..') return `name '${name}' is not valid`;
  const dots = /^(\.\.?)-/.exec(name)?.[1];
  if (dots !== undefined) {
    return `name '${name}' is not valid: first dash-separated component must not be '${dots}'`;
  }
  const foreign = /[^0-9a-zA-Z+\-._?=]/u.exec(name);
  return foreign === null ? undefined : `name '${name}' contains illegal character '${foreign[0]}'`;
}

function bad(message: string): NixCompatError {
  return new NixCompatError('bad-store-path', message);
}

/** A set of store paths as Nix keeps it: in the order of their base names, none twice. */
export function storePathSet(paths: Iterable<StorePath>): StorePath[] {
  const byBaseName = new Map(Array.from(paths, (path) => [path.baseName, path]));
  // They are ASCII, so the order of code units is the order of bytes.
  return [...byBaseName.keys()].sort().map((baseName) => byBaseName.get(baseName) as StorePath);
}
