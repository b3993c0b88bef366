import { cachedDataVersionTag, setFlagsFromString } from 'node:v8';
import { expect, test } from 'vitest';
import { withPatience } from './tiering-budget.ts';

/** `(module)` */
const emptyModule = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

test('the flags are what they were before, so that compiled code is still for them', () => {
  const before = cachedDataVersionTag();
  let meanwhile = before;
  const module = withPatience(() => {
    meanwhile = cachedDataVersionTag();
    return new WebAssembly.Module(emptyModule);
  });
  expect(module).toBeInstanceOf(WebAssembly.Module);
  expect(cachedDataVersionTag()).toBe(before);
  const isKnown = ['20', '26'].includes(process.versions.node.split('.')[0] ?? '');
  expect(meanwhile !== before).toBe(isKnown);
});

test('they are when compiling fails', () => {
  const before = cachedDataVersionTag();
  expect(() => withPatience(() => new WebAssembly.Module(Uint8Array.of(1)))).toThrow(
    WebAssembly.CompileError,
  );
  expect(cachedDataVersionTag()).toBe(before);
});

test('another value of the flag would be noticed', () => {
  const before = cachedDataVersionTag();
  setFlagsFromString('--wasm-tiering-budget=12345');
  expect(cachedDataVersionTag()).not.toBe(before);
});
