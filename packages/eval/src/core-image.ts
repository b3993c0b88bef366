/**
 * Images: the state of a core, kept so that another instance of the same module goes on from it.
 *
 * The state is the module's memory and its mutable globals, which the build exports under names that begin with `global:`.
 * The core prepares it (`makeImage`): what belonged to one evaluation alone is gone. Addresses stay what they are, so that
 * nothing is relocated, and an image is of use only to the module that made it.
 *
 *     head   JSON: { globals: [[name, value as text], …], chunks: the memory's size, ranges: [[first chunk, count], …],
 *            checksum: of the parts }
 *     parts  the contents of the ranges, one after the other; a chunk has 256 KiB
 */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import type { Core } from './core.ts';

const chunkBytes = 256 * 1024;
const pagesPerChunk = chunkBytes / 65_536;
const globalPrefix = 'global:';

/** What is to be kept. The parts are views of the memory of a core that nobody uses any more. */
export type CoreImage = {
  readonly head: Uint8Array;
  readonly parts: readonly Uint8Array[];
};

/** Where an image is read from. */
export type KeptImage = {
  readonly head: Uint8Array;
  /** Fills what the parts come to, one after the other. */
  read(parts: readonly Uint8Array[]): Promise<void>;
};

type ImageHead = {
  readonly globals: readonly (readonly [name: string, value: string])[];
  readonly chunks: number;
  readonly ranges: readonly (readonly [first: number, count: number])[];
  readonly checksum: string;
};

/** Takes the state of a core, which must not be used afterwards. */
export function takeImage(core: Core): CoreImage {
  const { exports } = core;
  exports.makeImage();
  const ranges: [number, number][] = [];
  const chunks = exports.chunkCount();
  for (let chunk = 0; chunk < chunks; chunk++) {
    if (exports.isChunkKept(chunk) === 0) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last[0] + last[1] === chunk) last[1]++;
    else ranges.push([chunk, 1]);
  }
  const globals = globalsOf(core).map(([name, global]) => [name, String(global.value)] as const);
  const head: ImageHead = { globals, chunks, ranges, checksum: checksumOf(core, ranges) };
  const parts = ranges.map((range) => partOf(core, range));
  return { head: encodeUtf8(JSON.stringify(head)), parts };
}

/** Gives a core that was just made the state of an image. False when that is damaged: then the core is of no use. */
export async function restoreImage(core: Core, image: KeptImage): Promise<boolean> {
  const { isWide } = core;
  // Whoever keeps images tells a head that is damaged, and images of other cores.
  const { globals, chunks, ranges, checksum } = JSON.parse(decodeUtf8(image.head)) as ImageHead;
  const { memory } = core.exports;
  const missing = chunks * pagesPerChunk - memory.buffer.byteLength / 65_536;
  if (missing > 0) growMemory(memory, missing, isWide);
  await image.read(ranges.map((range) => partOf(core, range)));
  if (checksumOf(core, ranges) !== checksum) return false;
  const values = new Map(globals);
  for (const [name, global] of globalsOf(core)) {
    const value = values.get(name);
    if (value === undefined) throw new Error(`an image of another core: it has no '${name}'`);
    global.value = typeof global.value === 'bigint' ? BigInt(value) : Number(value);
  }
  return true;
}

/** The pages of a memory with 64-bit addresses are counted in BigInts, which TypeScript does not know yet. */
function growMemory(memory: WebAssembly.Memory, pages: number, isWide: boolean): void {
  memory.grow(isWide ? (BigInt(pages) as unknown as number) : pages);
}

type Range = ImageHead['ranges'][number];

function partOf({ bytes }: Core, [first, count]: Range): Uint8Array {
  return bytes.subarray(first * chunkBytes, Math.min((first + count) * chunkBytes, bytes.length));
}

function checksumOf(core: Core, ranges: readonly Range[]): string {
  let sum = 0n;
  for (const range of ranges) {
    const { byteOffset, length } = partOf(core, range);
    sum = core.exports.checksum(byteOffset, length, sum);
  }
  return String(sum);
}

/** In the order of the module. */
function globalsOf(core: Core): [name: string, global: WebAssembly.Global][] {
  const exports: Readonly<Record<string, unknown>> = core.exports;
  return Object.keys(exports)
    .filter((name) => name.startsWith(globalPrefix))
    .map((name) => [name, exports[name] as WebAssembly.Global]);
}
