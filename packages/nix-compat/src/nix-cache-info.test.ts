// The forms are those of the Nix manual, "nix-cache-info Format", and of `BinaryCacheStore::init` in Nix 2.34.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type NixCacheInfo, NixCompatError, parseNixCacheInfo, printNixCacheInfo } from './index.ts';

const full = 'StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 30\n';

test.each<[string, NixCacheInfo]>([
  [full, { storeDir: '/nix/store', wantMassQuery: true, priority: 30 }],
  ['StoreDir: /nix/store\n', { storeDir: '/nix/store' }],
  ['', {}],
])('%j', (text, info) => {
  expect(parseNixCacheInfo(text)).toEqual(info);
  expect(printNixCacheInfo(info)).toBe(text);
});

test.each<[string, NixCacheInfo]>([
  ['Priority:40', { priority: 40 }],
  ['Priority: -1\r\n\r\nStoreDir:\t/nix/store ', { priority: -1, storeDir: '/nix/store' }],
  ['WantMassQuery: 0', { wantMassQuery: false }],
  ['WantMassQuery: true', { wantMassQuery: false }],
  ['# a line\nOther: x\npriority: 3\nPriority: 1\nPriority: 2', { priority: 2 }],
])('reads %j', (text, info) => {
  expect(parseNixCacheInfo(text)).toEqual(info);
});

test.each(['Priority: high', 'Priority: ', 'Priority: 1.5', 'Priority: 2147483648', 'StoreDir: nix/store'])(
  'refuses %j',
  (text) => {
    expect(() => parseNixCacheInfo(text)).toThrow(NixCompatError);
  },
);

test('what was written is read', () => {
  const info = fc.record({
    storeDir: fc.option(fc.stringMatching(/^\/[!-~]+$/), { nil: undefined }),
    wantMassQuery: fc.option(fc.boolean(), { nil: undefined }),
    priority: fc.option(fc.integer(), { nil: undefined }),
  });
  const property = fc.property(info, (info) => {
    expect(parseNixCacheInfo(printNixCacheInfo(info))).toEqual(info);
  });
  fc.assert(property);
});
