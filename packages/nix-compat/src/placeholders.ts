/**
 * Texts that stand for store paths which are not known yet: `/` and 52 characters of nixbase32, the SHA-256 of what they
 * stand for.
 *
 *     nix-output:<output>                                           an output, in its own derivation
 *     nix-upstream-output:<hash part>:<name>                        an output of the derivation with that hash part, in one
 *                                                                   that uses it; the name is that of the output's path
 *
 * The first kind is replaced when a build starts, the second when a derivation is resolved. Described in the Nix manual
 * under "Input-addressed and content-addressed derivation outputs".
 */
import { encodeNixBase32, encodeUtf8 } from '@neve/bytes';
import type { HashFunctions } from '@neve/bytes';
import type { StorePath } from './store-path.ts';
import { NixCompatError } from './nix-compat-error.ts';

/** What `builtins.placeholder` gives. */
export function outputPlaceholder(output: string, hashes: HashFunctions): string {
  return placeholder(`nix-output:${output}`, hashes);
}

export type UpstreamOutput = {
  /** Of a derivation; its name ends with `.drv`. */
  readonly derivation: StorePath;
  readonly output: string;
};

/** What stands for an output whose path follows from its contents. Throws `NixCompatError` (`bad-store-path`). */
export function upstreamPlaceholder({ derivation, output }: UpstreamOutput, hashes: HashFunctions): string {
  const name = outputPathName(derivationName(derivation), output);
  return placeholder(`nix-upstream-output:${derivation.hashPart}:${name}`, hashes);
}

/** Whether a text has the form of a placeholder, at its beginning or as a whole. */
export function isPlaceholder(text: string): boolean {
  return /^\/[0-9a-df-np-sv-z]{52}(?:\/|$)/.test(text);
}

/** The name of a derivation, which is that of its path without `.drv`. Throws `NixCompatError` (`bad-store-path`). */
export function derivationName(path: StorePath): string {
  if (path.isDerivation) return path.name.slice(0, -'.drv'.length);
  throw new NixCompatError(
    'bad-store-path',
    `store path '${path.baseName}' is not a valid derivation path: its name does not end with '.drv'`,
  );
}

/** The name part of the store path of an output. */
export function outputPathName(derivation: string, output: string): string {
  return output === 'out' ? derivation : `${derivation}-${output}`;
}

function placeholder(what: string, hashes: HashFunctions): string {
  return `/${encodeNixBase32(hashes.hash('sha256', encodeUtf8(what)).bytes)}`;
}
