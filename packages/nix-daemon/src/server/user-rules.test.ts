import { expect, test } from 'vitest';
import { trustOf } from './user-rules.ts';

const rules = { trustedUsers: ['root', '@wheel'], allowedUsers: ['alice', '@users'] };

test.each([
  [{ user: 'root', groups: [] }, 'trusted'],
  [{ user: 'bob', groups: ['users', 'wheel'] }, 'trusted'],
  [{ user: 'alice', groups: [] }, 'not-trusted'],
  [{ user: 'bob', groups: ['users'] }, 'not-trusted'],
  [{ user: 'wheel', groups: ['alice'] }, undefined],
  [{ user: undefined, groups: [] }, undefined],
] as const)('%j', (peer, trust) => {
  expect(trustOf(peer, rules)).toBe(trust);
});

test('everybody', () => {
  expect(trustOf({ user: undefined, groups: [] }, { trustedUsers: [], allowedUsers: ['*'] })).toBe(
    'not-trusted',
  );
  expect(trustOf({ user: 'x', groups: [] }, { trustedUsers: ['*'], allowedUsers: [] })).toBe('trusted');
});
