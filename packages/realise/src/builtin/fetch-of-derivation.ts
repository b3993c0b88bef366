/**
 * `builtin:fetchurl` as a fetch. Variables of the derivation: `url`, `unpack` (1: the file is a NAR, its contents are the
 * output) and `executable` (1).
 *
 *     hash of      unpack   executable   fetch
 *     the bytes    no       no           url
 *     the NAR      yes      any          nar
 *     the NAR      no       yes          executable
 *     the NAR      no       no           url, without a hash: the output is verified when it is registered
 *     git, text                          as the last
 *     nothing (impure)                   url, without a hash
 *
 * What is hashed by its bytes cannot be executable or unpacked. That the hash is right is seen again when the output is
 * registered, whatever fetched it.
 */
import type { Fetch } from '@neve/fetch';
import { RealiseError } from '../realise-error.ts';
import type { ResolvedDerivation } from '../resolved-derivation.ts';
import { requireVariable } from './builtin-context.ts';

/** Throws `RealiseError`: `builtin-failed`, and `unsupported` for NARs that are not fixed by their hash. */
export function fetchOfDerivation(resolved: ResolvedDerivation): Fetch {
  const { derivation } = resolved;
  const { name } = derivation;
  const output = derivation.outputs.get('out');
  if (output === undefined) throw failed("'builtin:fetchurl' requires an 'out' output");
  if (output.kind !== 'fixed' && output.kind !== 'impure') {
    throw failed("'builtin:fetchurl' must be a fixed-output or impure derivation");
  }
  const urls = [requireVariable(resolved, 'url')];
  const isOn = (variable: string): boolean =>
    derivation.environment.has(variable) && requireVariable(resolved, variable) === '1';
  const unpack = isOn('unpack');
  const executable = isOn('executable');
  const digest = output.kind === 'fixed' ? output.digest : undefined;
  if (digest !== undefined && output.method === 'nar') {
    if (unpack) return { kind: 'nar', name, urls, hash: digest };
    if (executable) return { kind: 'executable', name, urls, hash: digest };
  }
  if (unpack || executable) {
    const what = unpack ? 'unpacked' : 'made executable';
    const how = output.kind === 'impure' ? 'is not fixed' : `is hashed by the method '${output.method}'`;
    throw new RealiseError(
      'unsupported',
      `'${name}' is to be ${what} by 'builtin:fetchurl', but its output ${how}: ` +
        "use outputHashMode = 'recursive'",
    );
  }
  return { kind: 'url', name, urls, hash: output.method === 'flat' ? digest : undefined };
}

function failed(message: string): RealiseError {
  return new RealiseError('builtin-failed', message);
}
