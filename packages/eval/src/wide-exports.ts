/**
 * The exports of a core with 64-bit addresses, as those of one with 32-bit addresses are: numbers in place of BigInts, which
 * addresses below 2^53 are as good as.
 *
 * Which parameters and results are meant is in a custom section that the build adds (packages/language/scripts/memory64.mjs).
 */

import { decodeUtf8 } from '@neve/bytes';

const longsSection = 'neve.longs';
/** What is no address, and a BigInt in either core. */
const realLongs: ReadonlySet<string> = new Set(['checksum']);

type Longs = Readonly<Record<string, { readonly parameters: readonly number[]; readonly result: boolean }>>;
type Exported = (...values: readonly unknown[]) => unknown;

/** Whether addresses of the module have 64 bits. */
export function hasWideAddresses(module: WebAssembly.Module): boolean {
  return WebAssembly.Module.customSections(module, longsSection).length > 0;
}

/** The exports of an instance of a module with 64-bit addresses. */
export function narrowedExports(module: WebAssembly.Module, exports: WebAssembly.Exports): WebAssembly.Exports {
  const [section] = WebAssembly.Module.customSections(module, longsSection);
  if (section === undefined) return exports;
  const longs = JSON.parse(decodeUtf8(new Uint8Array(section))) as Longs;
  const narrowed: Record<string, WebAssembly.ExportValue> = { ...exports };
  for (const [name, { parameters, result }] of Object.entries(longs)) {
    const exported = exports[name] as Exported;
    narrowed[name] = (...values: unknown[]): unknown => {
      for (const index of parameters) {
        const value = values[index];
        if (typeof value === 'number') values[index] = BigInt(value);
      }
      const answer = exported(...values);
      return result && !realLongs.has(name) ? Number(answer) : answer;
    };
  }
  return narrowed;
}
