/** On a module made by hand, with what WebAssembly itself says of its memory. */
import { expect, test } from 'vitest';
import { limitedCore } from './limited-core.ts';

/** Magic and version, a memory section, an export `m` of it. */
function moduleWith(memory: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[5, memory.length, ...memory],
    ...[7, 5, 1, 1, 0x6d, 2, 0],
  ]);
}

function memoryOf(module: Uint8Array<ArrayBuffer>): WebAssembly.Memory {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module));
  return exports['m'] as WebAssembly.Memory;
}

const page = 65_536;

test.each([
  ['without a maximum', [1, 0, 2]],
  ['with one', [1, 1, 2, 100]],
])('a memory %s grows as far as it may and no further', (_, section) => {
  const memory = memoryOf(limitedCore(moduleWith(section), 300 * page));
  expect(memory.grow(298)).toBe(2);
  expect(() => memory.grow(1)).toThrow(RangeError);
});

test('it may have what it begins with', () => {
  expect(memoryOf(limitedCore(moduleWith([1, 0, 2]), 0)).buffer.byteLength).toBe(2 * page);
});

test('what has no memory is refused', () => {
  expect(() => limitedCore(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), page)).toThrow('no module');
});
