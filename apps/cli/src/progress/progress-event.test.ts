import { expect, test } from 'vitest';
import { nameOfPath, progressFromDaemon } from './progress-event.ts';

test.each([
  ['/nix/store/0123456789abcdfghijklmnpqrsvwxyz-hello-2.12.drv', 'hello-2.12'],
  ['/nix/store/0123456789abcdfghijklmnpqrsvwxyz-hello-2.12', 'hello-2.12'],
  ['0123456789abcdfghijklmnpqrsvwxyz-a', 'a'],
  ['/other', 'other'],
])('the name of %s is %s', (path, name) => {
  expect(nameOfPath(path)).toBe(name);
});

test('what the daemon did not send is empty, and what must be there makes it nothing', () => {
  expect(progressFromDaemon({ kind: 'build-planned', storePath: '/a' })).toMatchObject({ inputs: [] });
  expect(progressFromDaemon({ kind: 'substitution-progress', storePath: '/a' })).toMatchObject({ bytes: 0 });
  expect(progressFromDaemon({ kind: 'build-planned' })).toBeUndefined();
  expect(progressFromDaemon({ kind: 'build-failed', storePath: '/a' })).toBeUndefined();
  expect(progressFromDaemon({ kind: 'work-ended' })).toMatchObject({ kind: 'work-ended' });
});
