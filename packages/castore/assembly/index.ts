// The hot loops of castore, compiled to one small WebAssembly module: BLAKE3 and FastCDC.
//
// The host writes bytes at INPUT, calls one function, and reads the results at OUTPUT. Nothing but the tables is kept
// between calls, so all users of a thread share one instance.

export { INPUT, INPUT_SIZE, OUTPUT } from "./buffers";
export { hashGroups, hashLastGroup, hashParents } from "./blake3";
export { GEAR } from "../build/gear";
export { findCut } from "./fastcdc";
