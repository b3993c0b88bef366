// Positions are part of what a program may find out of an argument (`unsafeGetAttrPos`), and they differ between arguments
// that are equal otherwise. Hardly any program asks; once what is shared has asked for one that is not of a shared file, all
// positions of arguments are compared (shared-calls.ts). If calls were found before that, what they were found for may have
// had other positions, and the evaluation is to be done without an image.

import { OWNER_HEAP, ownerOf } from "../memory/chunks";
import { REGION_SHARED, region } from "../memory/heap";
import { Position, sourceAt, sourceOf } from "../syntax/positions";
import { Value } from "../values/value";
import { foundCalls, raiseHole } from "./shared-calls";
import { isInSharedTree } from "./shared-trees";

export let comparesPositions: bool = false;

/** The program is told the position of an attribute of `attrs`, or that it has none (0). */
export function notePosition(attrs: Value, position: Position): void {
  if (region != REGION_SHARED || comparesPositions) return;
  const isOwn = ownerOf(attrs) == OWNER_HEAP;
  if (!isOwn && (position == 0 || isInSharedSource(position))) return;
  comparesPositions = true;
  // What is this evaluation's own is what the call was given. Anything else may be what was kept in its place.
  if (!isOwn && foundCalls != 0) raiseHole();
}

function isInSharedSource(position: Position): bool {
  const path = sourceAt(sourceOf(position)).path;
  return path != 0 && isInSharedTree(path);
}
