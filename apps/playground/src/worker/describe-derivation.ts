/** A derivation as the page shows it, from the file that evaluation has put into the store. */
import { decodeUtf8 } from '@neve/bytes';
import {
  type Derivation,
  NixCompatError,
  type StoreDirectory,
  derivationToJson,
  parseDerivation,
  printJson,
} from '@neve/nix-compat';
import type { DerivationView } from '../protocol.ts';

export function describeDerivation(
  path: string,
  contents: Uint8Array,
  store: StoreDirectory,
): DerivationView {
  const name = store.parse(path).name.slice(0, -'.drv'.length);
  const derivation = parseDerivation(contents, { name, store });
  return {
    path,
    name,
    system: decodeUtf8(derivation.system),
    builder: decodeUtf8(derivation.builder),
    outputs: Array.from(derivation.outputs, ([output, value]) => ({
      name: output,
      path: 'path' in value ? store.print(value.path) : undefined,
    })),
    inputs: derivation.inputDerivations.map((input) => store.print(input.path)),
    sources: derivation.inputSources.map((source) => store.print(source)),
    aterm: decodeUtf8(contents),
    json: jsonOf(derivation),
  };
}

function jsonOf(derivation: Derivation): string {
  try {
    const json: unknown = JSON.parse(printJson(derivationToJson(derivation)));
    return JSON.stringify(json, undefined, 2);
  } catch (error) {
    // A text that is not UTF-8.
    if (error instanceof NixCompatError) return error.message;
    throw error;
  }
}
