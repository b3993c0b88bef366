// Which bytes can come next: for each way out of a node, the bytes with which it can begin, and whether it can reach
// the end of the pattern without consuming any. Anchors are passed as if they held, so a lookahead may say yes too
// often, and never no where a match is possible. Ways that fan out widely get the set of all bytes.

import {
  ByteSet,
  addByte,
  addRange,
  addSet,
  dropNewestSet,
  newByteSet,
  setsEqual,
} from "./byte-set";
import { NODE_ACCEPT, NODE_BYTE, NODE_COUNTED, NODE_EITHER, NODE_REPEAT, NODE_RUN, NODE_SET, Node, nodeAt } from "./program";

/** How many nodes a look ahead visits before it gives up. */
const MAX_VISITS: u32 = 64;
/** How many of the newest lookahead sets are tried for reuse. */
const RECENT_SETS: u32 = 8;

/** The nodes seen by the present look ahead; the first `expanded` of them have been followed. */
const visits: usize = memory.data(260);
let visitCount: u32 = 0;

const recent: usize = memory.data(32);
let recentCount: u32 = 0;

/** Whether the newest look ahead can reach the end without consuming. */
export let lookaheadEnds: bool = false;

/** The bytes with which the way that starts at `node` can begin. */
export function lookAhead(node: usize): ByteSet {
  const set = newByteSet();
  lookaheadEnds = false;
  visitCount = 0;
  visit(node);
  let expanded: u32 = 0;
  while (expanded < visitCount && visitCount <= MAX_VISITS) {
    expand(nodeAt(load<u32>(visits + (expanded << 2))), set);
    expanded++;
  }
  if (visitCount > MAX_VISITS) {
    addRange(set, 0, 255);
    lookaheadEnds = true;
  }
  return shareRecent(set);
}

function expand(node: Node, set: ByteSet): void {
  switch (node.kind) {
    case NODE_BYTE:
      return addByte(set, node.argument);
    case NODE_SET:
      return addSet(set, node.argument);
    case NODE_ACCEPT:
      lookaheadEnds = true;
      return;
    case NODE_RUN:
    case NODE_REPEAT:
    case NODE_COUNTED:
    case NODE_EITHER:
      visit(node.branch);
      return visit(node.next);
    default:
      return visit(node.next);
  }
}

function visit(node: usize): void {
  if (visitCount > MAX_VISITS) return;
  for (let i: u32 = 0; i < visitCount; i++) if (load<u32>(visits + (i << 2)) == <u32>node) return;
  store<u32>(visits + (visitCount << 2), <u32>node);
  visitCount++;
}

/** An equal set made shortly before, or this one. */
function shareRecent(set: ByteSet): ByteSet {
  const known = recentCount < RECENT_SETS ? recentCount : RECENT_SETS;
  for (let i: u32 = 0; i < known; i++) {
    const other = load<u32>(recent + (i << 2));
    if (setsEqual(other, set)) {
      dropNewestSet(set);
      return other;
    }
  }
  store<u32>(recent + ((recentCount & (RECENT_SETS - 1)) << 2), <u32>set);
  recentCount++;
  return set;
}
