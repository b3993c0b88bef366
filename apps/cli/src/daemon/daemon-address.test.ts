import { expect, test } from 'vitest';
import { daemonTarget, userSocket } from './daemon-address.ts';

const environment = { XDG_RUNTIME_DIR: '/run/user/1', HOME: '/home/me' };

test('the socket of the user', () => {
  expect(userSocket(environment)).toBe('/run/user/1/neve/daemon.socket');
  expect(userSocket({ HOME: '/home/me' })).toBe('/home/me/.cache/neve/daemon.socket');
  for (const text of ['', '1', 'true']) {
    expect(daemonTarget(text, environment)).toEqual({
      kind: 'socket',
      path: '/run/user/1/neve/daemon.socket',
    });
  }
});

test.each([
  ['/a/b', { kind: 'socket', path: '/a/b' }],
  ['unix:/a/b', { kind: 'socket', path: '/a/b' }],
  ['unix:///a/b', { kind: 'socket', path: '/a/b' }],
  ['grpc+unix:/a/b', { kind: 'socket', path: '/a/b' }],
  ['http://host:1', { kind: 'url', url: 'http://host:1' }],
  ['grpc+https://host', { kind: 'url', url: 'https://host' }],
])('%s', (text, target) => {
  expect(daemonTarget(text, environment)).toEqual(target);
});

test.each(['nowhere', 'unix:relative', 'ftp://host', 'http://host/path'])('%s is none', (text) => {
  expect(() => daemonTarget(text, environment)).toThrow('is no address of a daemon');
});
