// The form of the URL is that of Snix's nar-bridge; the entry is put together by hand from the schema's field numbers.
import { expect, test } from 'vitest';
import { infusedNarUrl, nodeOfInfusedName, nodeOfInfusedUrl } from './infused-nar-url.ts';

const digest = Buffer.alloc(32, 0xab);
// Entry { file = 2: FileEntry { digest = 2, size = 3: 5, executable = 4: true } }
const file = Buffer.concat([Buffer.from([0x12, 38, 0x12, 32]), digest, Buffer.from([0x18, 5, 0x20, 1])]);
// The same with a name = 1: "x".
const named = Buffer.concat([Buffer.from([0x12, 41, 0x0a, 1, 0x78]), file.subarray(2)]);
const url = (bytes: Buffer, size: number | string = 120): string =>
  `nar/snix-castore/${bytes.toString('base64url')}?narsize=${size}`;

test('the node of a URL', () => {
  const node = nodeOfInfusedUrl(url(file), 120);
  expect(node).toMatchObject({ kind: 'file', size: 5, executable: true });
  expect(node?.kind === 'file' && node.digest.hex).toBe(digest.toString('hex'));
  expect(nodeOfInfusedUrl(`https://cache.example.org/${url(file)}`, 120)).toEqual(node);
});

test('the URL of a node', () => {
  const node = nodeOfInfusedName(file.toString('base64url'));
  expect(node !== undefined && infusedNarUrl(node, 120)).toBe(url(file));
});

test.each([
  ['another size', url(file, 121)],
  ['no size', url(file).replace(/\?.*/, '')],
  ['a size that is none', url(file, 'x')],
  ['an entry with a name', url(named)],
  ['a part of an entry', url(file.subarray(0, 20))],
  ['no entry', 'nar/snix-castore/?narsize=120'],
  ['another folder', url(file).replace('snix', 'tvix')],
  ['an ordinary URL', 'nar/15f99rdaf26k39knmzry4xd0d97wp6yfpnfk1z9avakis7ipb9yg.nar.xz'],
])('none: %s', (_, other) => {
  expect(nodeOfInfusedUrl(other, 120)).toBeUndefined();
});
