// How golden files are compared with what Neve makes of them. Each function throws an error that says what differs.

import { printJson, StoreDirectory } from '@neve/nix-compat';
import { nodeHashes } from '@neve/bytes/node';

/**
 * @typedef {object} Golden
 * @property {string} name relative to the checkout's `src`
 * @property {Uint8Array} bytes
 * @property {(name: string) => Uint8Array | undefined} sibling another file of the same folder
 */

/** @typedef {(file: Golden) => void | Promise<void>} Check */

export const store = new StoreDirectory('/nix/store', nodeHashes);

/** @type {(actual: string, expected: string) => void} */
export function expectText(actual, expected) {
  if (actual === expected) return;
  let at = 0;
  while (actual[at] === expected[at]) at++;
  const shown = (/** @type {string} */ it) => JSON.stringify(it.slice(Math.max(0, at - 30), at + 60));
  throw new Error(`differs at ${at}: got …${shown(actual)}, expected …${shown(expected)}`);
}

/** @type {(actual: Uint8Array, expected: Uint8Array) => void} */
export function expectBytes(actual, expected) {
  expectText(Buffer.from(actual).toString('latin1'), Buffer.from(expected).toString('latin1'));
}

/** As the files are: two spaces, a line feed at the end. @type {(json: string) => string} */
export function indented(json) {
  return `${JSON.stringify(JSON.parse(json), null, 2)}\n`;
}

/** @type {(value: any, expected: Uint8Array) => void} */
export function expectJson(value, expected) {
  expectText(indented(printJson(toJson(value))), Buffer.from(expected).toString());
}

/** Numbers, objects and lists of the language as values of `printJson`. @type {(value: any) => any} */
export function toJson(value) {
  if (typeof value === 'number') return BigInt(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return new Map(Array.from(value, ([key, it]) => [key, toJson(it)]));
  if (value === null || value === undefined) return null;
  if (typeof value === 'object') {
    return new Map(Object.entries(value).map(([key, it]) => [key, toJson(it)]));
  }
  return value;
}

/** @type {(error: unknown) => string} */
export function codeOf(error) {
  return String(/** @type {any} */ (error).code);
}

/** @type {(codes: readonly string[], run: () => unknown) => void} */
export function expectRefusal(codes, run) {
  try {
    run();
  } catch (error) {
    if (codes.includes(codeOf(error))) return;
    throw error;
  }
  throw new Error('was accepted, but Nix refuses it');
}
