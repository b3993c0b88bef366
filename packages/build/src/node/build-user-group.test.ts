import { expect, test } from 'vitest';
import { parseBuildUsers } from './build-user-group.ts';

const groups = 'root:x:0:\nnixbld:x:30000:nixbld1,nixbld2\nempty:x:7:\nlost:x:8:nobody-knows\n';
const users = [
  'root:x:0:0:root:/root:/bin/sh',
  'nixbld1:x:30001:30000:Nix build user 1:/var/empty:/sbin/nologin',
  'nixbld2:x:30002:30000::/var/empty:/sbin/nologin',
  'other:x:30003:30000::/:/bin/sh',
].join('\n');

test('members of a group, in the order of their numbers', () => {
  expect(parseBuildUsers('nixbld', { groups, users })).toEqual([
    { uid: 30_001, gid: 30_000 },
    { uid: 30_002, gid: 30_000 },
  ]);
});

test.each([
  ['absent', 'no such group'],
  ['empty', 'nobody'],
  ['lost', 'nobody-knows'],
])('a group that gives nobody: %s', (group, named) => {
  expect(() => parseBuildUsers(group, { groups, users })).toThrow(named);
});
