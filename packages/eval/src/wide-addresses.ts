/**
 * The core with 64-bit addresses, whose exports are made those of the one with 32-bit addresses: numbers in place of BigInts.
 *
 * Which parameters and results are meant is in a custom section that the build adds (packages/language/scripts/memory64.mjs).
 */

import { decodeUtf8 } from '@neve/bytes';

const longsSection = 'neve.longs';
/** What is no address, and a BigInt in either core. */
const realLongs: ReadonlySet<string> = new Set(['checksum']);

/** Which parameters of an export are 64-bit integers, and whether its result is one. */
export type Longs = Readonly<
  Record<string, { readonly parameters: readonly number[]; readonly result: boolean }>
>;
type Exported = (...values: readonly unknown[]) => unknown;

/** As much memory as a core can use; of the 16 GiB that engines give the wide one, the heap does not lie in the first 4. */
export const narrowReach: number = 4 * 2 ** 30;
export const wideReach: number = 12 * 2 ** 30;

/** `(module (memory i64 65537))`: one page more than there can be with 32 bits. */
const wideMemory = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 5, 1, 4, 0x81, 0x80, 4);

/** Whether the engine has memories beyond 4 GiB: V8 of Node.js 24 and of Chromium 133, or later. */
export function engineHasWideMemories(): boolean {
  return WebAssembly.validate(wideMemory);
}

/** What the build says of a module with 64-bit addresses; undefined for any other. */
export function longsOf(module: WebAssembly.Module): Longs | undefined {
  const [section] = WebAssembly.Module.customSections(module, longsSection);
  return section && (JSON.parse(decodeUtf8(new Uint8Array(section))) as Longs);
}

/** The exports of an instance of a module with 64-bit addresses. */
export function narrowedExports(exports: WebAssembly.Exports, longs: Longs): WebAssembly.Exports {
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
