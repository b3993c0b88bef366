/** The parts of a build result that both protocols share. */
import { Digest } from '@neve/bytes';
import { type BuildStatus, type BuiltOutput, buildStatuses } from '../build-result.ts';
import { printJson } from '../json.ts';
import {
  type UnkeyedRealisation,
  hashedRealisationToJson,
  parseHashedDrvOutput,
  parseHashedRealisation,
  printHashedDrvOutput,
} from '../realisation.ts';
import { mapOf, mapped, record } from './compound-codecs.ts';
import { oneOf, text } from './primitive-codecs.ts';
import { outputName, signatures, storePath } from './store-codecs.ts';
import type { WireCodec } from './wire-codec.ts';

export const buildStatus: WireCodec<BuildStatus> = oneOf('status of a build', buildStatuses);

export const unkeyedRealisation: WireCodec<UnkeyedRealisation> = record<UnkeyedRealisation>({
  outPath: storePath,
  signatures,
});

type BuiltOutputs = ReadonlyMap<string, BuiltOutput>;

/** By the name of the output, as since Nix 2.35. */
export const builtOutputs: WireCodec<BuiltOutputs> = mapOf<string, BuiltOutput>(
  outputName,
  unkeyedRealisation,
);

/** What stands for a derivation whose hash modulo nobody knows. */
const zeroes = new Digest('sha256', new Uint8Array(32));

/**
 * As before: from `sha256:<hex>!<output>` to JSON. An output without a hash is told with zeroes and as little as old
 * versions need, as Nix does; zeroes are read as no hash.
 */
export const hashedBuiltOutputs: WireCodec<BuiltOutputs> = mapped(mapOf(text, text), {
  read: (printed) =>
    new Map(
      Array.from(printed, ([id, json]): [string, BuiltOutput] => [
        parseHashedDrvOutput(id).outputName,
        readHashed(json),
      ]),
    ),
  write: (outputs: BuiltOutputs) =>
    new Map(Array.from(outputs, ([name, output]) => writeHashed(name, output))),
});

function readHashed(json: string): BuiltOutput {
  const { derivationHash, outPath, signatures: its, dependentRealisations } = parseHashedRealisation(json);
  return derivationHash.equals(zeroes)
    ? { outPath, signatures: its }
    : { outPath, signatures: its, derivationHash, dependentRealisations };
}

function writeHashed(name: string, output: BuiltOutput): [string, string] {
  const { derivationHash, outPath, signatures: its, dependentRealisations = [] } = output;
  const key = printHashedDrvOutput({ derivationHash: derivationHash ?? zeroes, outputName: name });
  if (derivationHash === undefined) {
    return [
      key,
      printJson(
        new Map([
          ['id', key],
          ['outPath', outPath.baseName],
        ]),
      ),
    ];
  }
  const realisation = { derivationHash, outputName: name, outPath, signatures: its, dependentRealisations };
  return [key, printJson(hashedRealisationToJson(realisation))];
}
