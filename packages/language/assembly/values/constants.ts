// Values that exist once, at fixed addresses below the module's data, so that they are compile-time constants:
// null, false, true, "", [ ], { } and the key set of { }.

import { KIND_ATTRS, KIND_BOOL, KIND_KEYS, KIND_LIST, KIND_NULL, KIND_STRING, Value, cellHeader } from "./value";

export const NULL: Value = 1024;
export const FALSE: Value = 1032;
export const TRUE: Value = 1040;
/** 16 bytes: header, length, context, symbol. */
export const EMPTY_STRING: Value = 1048;
/** 8 bytes: header, length. */
export const EMPTY_LIST: Value = 1064;
/** 16 bytes: header, count, order, unused. */
export const EMPTY_KEYS: Value = 1072;
/** 8 bytes: header, keys. */
export const EMPTY_ATTRS: Value = 1088;

/** Writes the static cells. Once, before anything else. */
export function initializeConstants(): void {
  store<u32>(NULL, cellHeader(KIND_NULL));
  store<u32>(FALSE, cellHeader(KIND_BOOL, 0));
  store<u32>(TRUE, cellHeader(KIND_BOOL, 1));
  store<u32>(EMPTY_STRING, cellHeader(KIND_STRING));
  store<u32>(EMPTY_LIST, cellHeader(KIND_LIST));
  store<u32>(EMPTY_KEYS, cellHeader(KIND_KEYS));
  store<u32>(EMPTY_ATTRS, cellHeader(KIND_ATTRS));
  store<u32>(EMPTY_ATTRS, <u32>EMPTY_KEYS, 4);
}

@inline
export function makeBool(condition: bool): Value {
  return condition ? TRUE : FALSE;
}
