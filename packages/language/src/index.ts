/**
 * The language core as it is shipped: where its WebAssembly modules are.
 *
 * The addresses are relative to this file, so they hold in a checkout, in an installed package and behind a
 * bundler that understands `new URL(…, import.meta.url)`. A program that is bundled into one file reads the
 * module from where its bundler put it instead (`@neve/language/neve.wasm`). This package does no I/O: whoever
 * starts the evaluator loads the bytes.
 */

/** The release build: optimised, without assertions. */
export const coreUrl: URL = new URL('../build/neve.wasm', import.meta.url);

/** The release build with addresses of 64 bits, for evaluations beyond 4 GiB; up to a quarter slower. */
export const wideCoreUrl: URL = new URL('../build/neve64.wasm', import.meta.url);

/** The debug build: the same language with assertions and function names; several times slower. */
export const debugCoreUrl: URL = new URL('../build/neve.debug.wasm', import.meta.url);
