// What stands for a path that is not known before something is built (Nix manual, "Input placeholders").

import { Address } from "../memory/chunks";
import { appendByte, appendBytes, appendText, textAdvance, textLengthFrom, textMark, textReserve, textRewind, textStart } from "../memory/text";
import { nix32Encode } from "../hash/encoding";
import { sha256 } from "../hash/sha256";
import { storeDirectory } from "../operations/store-path";
import { Symbol, symbolName } from "../symbols/symbols";
import { makeString, stringBytes, stringLength, takeTextAsString } from "../values/string";
import { Value } from "../values/value";
import { appendString, outputPathName } from "./make-store-path";
import { FEATURE_CA_DERIVATIONS, requireFeature } from "./settings";

const HASH_TEXT_LENGTH: u32 = 32;
const DERIVATION_SUFFIX_LENGTH: u32 = 4;
const digest: Address = memory.data(32);

/** What stands in other derivations for an output of `derivation` whose path follows from its contents. */
export function downstreamPlaceholder(derivation: Symbol, output: Symbol): Value {
  requireFeature(FEATURE_CA_DERIVATIONS);
  const path = symbolName(derivation);
  const hash = stringLength(storeDirectory) + 1;
  const name = hash + HASH_TEXT_LENGTH + 1;
  const drvName = makeString(stringBytes(path) + name, stringLength(path) - name - DERIVATION_SUFFIX_LENGTH);
  const outputName = outputPathName(drvName, output);
  const mark = textMark();
  appendText("nix-upstream-output:");
  appendBytes(stringBytes(path) + hash, HASH_TEXT_LENGTH);
  appendByte(0x3a);
  appendString(outputName);
  sha256(textStart(mark), textLengthFrom(mark), digest);
  textRewind(mark);
  appendByte(0x2f);
  nix32Encode(digest, 32, textReserve(52));
  textAdvance(52);
  return takeTextAsString(mark);
}
