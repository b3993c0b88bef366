import { expect, test } from 'vitest';
import { B3Digest } from '../../b3-digest.ts';
import type { Node } from '../../node.ts';
import { pathComponent, symlinkTarget } from '../../path-component.ts';
import { InodeTable, rootNodeId } from './inode-table.ts';

const digest = new B3Digest(new Uint8Array(32).fill(1));
const file: Node = { kind: 'file', digest, size: 3, executable: false };
const executable: Node = { kind: 'file', digest, size: 3, executable: true };
const directory: Node = { kind: 'directory', digest, size: 3 };
const link: Node = { kind: 'symlink', target: symlinkTarget('a') };
const [a, b] = [pathComponent('a'), pathComponent('b')];

test('the same contents have the same number, wherever they are; directories do not', () => {
  const table = new InodeTable();
  const number = (parent: number, name = a, node: Node = file): number =>
    table.refer(parent, name, node).nodeId;
  expect(number(7, b)).toBe(number(1));
  expect(number(1, a, executable)).not.toBe(number(1));
  expect(number(1, a, link)).toBe(number(2, b, { ...link }));
  expect(number(1, a, directory)).toBe(number(1, a, directory));
  const places = [number(1, a, directory), number(1, b, directory), number(2, a, directory)];
  expect(new Set([...places, number(1), number(1, a, link), rootNodeId]).size).toBe(6);
});

test('a node is forgotten when all references are gone, and its number never used again', () => {
  const table = new InodeTable();
  const { nodeId } = table.refer(1, a, file);
  table.refer(1, b, file);
  table.refer(1, b, file);
  table.forget(nodeId, 2);
  expect(table.get(nodeId)?.node).toBe(file);
  table.forget(nodeId, 1);
  expect(table.get(nodeId)).toBeUndefined();
  expect(table.size).toBe(0);
  expect(table.refer(1, a, file).nodeId).toBeGreaterThan(nodeId);
  table.forget(nodeId, 1);
  expect(table.size).toBe(1);
});
