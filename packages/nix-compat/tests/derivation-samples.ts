/** Reading what Nix 2.34.8 wrote (nix-derivations.ts). */
import { encodeUtf8 } from '@neve/bytes';
import { nodeHashes } from '@neve/bytes/node';
import { NixCompatError, StoreDirectory, parseDerivation, parseStorePath } from '@neve/nix-compat';
import type { Derivation, StorePath } from '@neve/nix-compat';
import { samples } from './nix-derivations.ts';

export { samples };

export const store: StoreDirectory = new StoreDirectory('/nix/store', nodeHashes);

export function parseSample(text: string | Uint8Array, baseName: string): Derivation {
  const bytes = typeof text === 'string' ? encodeUtf8(text) : text;
  return parseDerivation(bytes, { name: parseStorePath(baseName).name.replace(/\.drv$/, ''), store });
}

export function sample(name: string): Derivation {
  const baseName = samples.names[name] ?? '';
  return parseSample(samples.derivations[baseName] ?? '', baseName);
}

/** Of all samples together. */
export function lookUpSample({ baseName }: StorePath): Derivation {
  const text = samples.derivations[baseName] ?? samples.realised[baseName];
  if (text !== undefined) return parseSample(text, baseName);
  throw new NixCompatError('bad-derivation', `there is no sample '${baseName}'`);
}
