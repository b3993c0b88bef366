// Making the module's state one that can be kept: the shared region of the heap, compacted, and all permanent memory, with
// nothing that belonged to this evaluation alone. Afterwards the module must not run any more; its memory and its globals
// are the image, which another instance of the same module goes on from (packages/eval/src/core-image.ts).

import { Address } from "../memory/chunks";
import { beginImageCall, beginImageCollection, collectReachable, endImageCollection, holesMade, isEntangled } from "../memory/collect";
import { clearRoots } from "../memory/roots";
import { decompress } from "../memory/pointers";
import { forgetOwnFiles, forgetSharedFile, nextSharedFile, rewindSharedFiles } from "../builtins/evaluation";
import { forgetOwnSearches } from "../builtins/search-path";
import { forgetCurrentTime, forgetOwnVariables } from "../builtins/environment";
import { forgetOwnAddedPaths } from "../operations/added-paths";
import { resetStack } from "../machine/stack";
import { isWhnf, resolve } from "../values/value";
import { Call, keepCall, takeCalls } from "./shared-calls";

/** As many calls of one function are kept. */
const MAXIMUM_CALLS: u32 = 4;

/** Prepares the image. Only between evaluations. */
export function prepareImage(): void {
  beginImageCollection();
  rewindSharedFiles();
  // What follows from files alone refers to no argument.
  let root = nextSharedFile();
  while (root != 0) {
    const holes = holesMade;
    collectReachable(root);
    if (holesMade != holes) forgetSharedFile();
    root = nextSharedFile();
  }
  keepCalls(takeCalls(), 0);
  clearRoots();
  endImageCollection();
  forgetOwnFiles();
  forgetOwnSearches();
  forgetOwnVariables();
  forgetCurrentTime();
  forgetOwnAddedPaths();
  resetStack();
}

/** Keeps the newest calls; the last one in the chain first, so that their order stays. */
function keepCalls(address: Address, newer: u32): void {
  if (address == 0) return;
  const call = changetype<Call>(address);
  const isUseful = isWhnf(resolve(decompress(load<u32>(call.result)))) && newer < MAXIMUM_CALLS;
  keepCalls(call.next, newer + (isUseful ? 1 : 0));
  if (!isUseful) return;
  beginImageCall();
  collectReachable(call.argument);
  collectReachable(call.result);
  // What refers to a hole of another call would be complete only together with that one.
  if (!isEntangled()) keepCall(address);
}
