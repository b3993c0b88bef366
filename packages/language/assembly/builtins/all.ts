// Everything that `builtins` holds, and the internal builtins under it.

import { initializeJson } from "../formats/write-json";
import { initializeXml } from "../formats/write-xml";
import { initializeOperators } from "../machine/operators";
import { initializeAutoCall } from "../operations/auto-call";
import { initializeCoercion } from "../operations/coerce";
import { initializeComparison } from "../operations/comparison";
import { initializeVisits } from "../operations/visit-derivation";
import { initializeDeepForce } from "../operations/deep-force";
import { initializeEquality } from "../operations/equality";
import { initializeDifferences } from "../operations/explain-difference";
import { FALSE, NULL, TRUE } from "../values/constants";
import { defineArithmeticBuiltins } from "./arithmetic";
import { defineAttrsFromListBuiltins } from "./attrs-from-lists";
import { defineAttrsetBuiltins } from "./attrsets";
import { defineContextBuiltins } from "./contexts";
import { defineControlBuiltins } from "./control";
import { defineEvaluationBuiltins } from "./evaluation";
import { defineDerivationBuiltins } from "./derivations";
import { defineEnvironmentBuiltins } from "./environment";
import { defineFetcherBuiltins } from "./fetchers";
import { defineTreeFetchers } from "./fetch-tree";
import { defineUnsupportedFetchers } from "./unsupported-fetchers";
import { defineFileBuiltins, initializeFiles } from "./files";
import { defineFormatsBuiltins } from "./formats";
import { defineGenericClosure } from "./generic-closure";
import { defineHashBuiltins } from "./hashing";
import { initializeDerivationImport } from "./import-derivation";
import { defineListPredicateBuiltins } from "./list-predicates";
import { defineListBuiltins } from "./lists";
import { defineRegexBuiltins } from "./regexes";
import { defineConstant } from "./registry";
import { defineSearchPathBuiltins } from "./search-path";
import { defineSortingBuiltins } from "./sorting";
import { defineStorePathBuiltins } from "./store-paths";
import { defineStringBuiltins } from "./strings";
import { defineTypeBuiltins } from "./types";
import { defineVersionBuiltins } from "./versions";

/** What builtins and instructions are made of. Before `defineAllBuiltins`. */
export function initializeOperations(): void {
  initializeOperators();
  initializeCoercion();
  initializeEquality();
  initializeDifferences();
  initializeComparison();
  initializeDeepForce();
  initializeVisits();
  initializeJson();
  initializeXml();
  initializeAutoCall();
}

export function defineAllBuiltins(): void {
  defineConstant("true", TRUE);
  defineConstant("false", FALSE);
  defineConstant("null", NULL);
  defineArithmeticBuiltins();
  defineAttrsetBuiltins();
  defineAttrsFromListBuiltins();
  defineContextBuiltins();
  defineControlBuiltins();
  defineEvaluationBuiltins();
  initializeFiles();
  defineDerivationBuiltins();
  initializeDerivationImport();
  defineEnvironmentBuiltins();
  defineFetcherBuiltins();
  defineTreeFetchers();
  defineUnsupportedFetchers();
  defineFileBuiltins();
  defineSearchPathBuiltins();
  defineStorePathBuiltins();
  defineFormatsBuiltins();
  defineGenericClosure();
  defineHashBuiltins();
  defineListBuiltins();
  defineListPredicateBuiltins();
  defineRegexBuiltins();
  defineSortingBuiltins();
  defineStringBuiltins();
  defineTypeBuiltins();
  defineVersionBuiltins();
}
