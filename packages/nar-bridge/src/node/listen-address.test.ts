// Socket activation is described in sd_listen_fds(3).
import { describe, expect, test } from 'vitest';
import { activatedDescriptors, parseListenAddress } from './listen-address.ts';

test.each([
  ['127.0.0.1:80', { kind: 'tcp', host: '127.0.0.1', port: 80 }],
  ['[::]:9000', { kind: 'tcp', host: '::', port: 9000 }],
  [':0', { kind: 'tcp', host: '::', port: 0 }],
  ['localhost:65535', { kind: 'tcp', host: 'localhost', port: 65535 }],
  ['unix:/run/x', { kind: 'unix', path: '/run/x' }],
  ['unix:///run/x', { kind: 'unix', path: '/run/x' }],
  ['/run/x', { kind: 'unix', path: '/run/x' }],
  ['sd-listen', { kind: 'systemd', name: undefined }],
  ['sd-listen:web', { kind: 'systemd', name: 'web' }],
  ['sd_listen', { kind: 'systemd', name: undefined }],
])('%s', (text, expected) => {
  expect(parseListenAddress(text)).toEqual(expected);
});

test.each(['', '80', 'host', 'host:65536', 'host:x', '::1:80', '[::1]', 'unix:relative'])(
  'refuses %j',
  (text) => {
    expect(() => parseListenAddress(text)).toThrow('nowhere to listen');
  },
);

describe('descriptors of systemd', () => {
  const passed = { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'a:b:a' };
  test('all, and those with a name', () => {
    expect(activatedDescriptors(passed, { ownPid: 7, name: undefined })).toEqual([3, 4, 5]);
    expect(activatedDescriptors(passed, { ownPid: 7, name: 'a' })).toEqual([3, 5]);
  });
  test.each([
    [passed, { ownPid: 8, name: undefined }],
    [passed, { ownPid: 7, name: 'c' }],
    [{}, { ownPid: 7, name: undefined }],
    [
      { ...passed, LISTEN_FDS: 'x' },
      { ownPid: 7, name: undefined },
    ],
  ])('none: %j %j', (activation, wanted) => {
    expect(() => activatedDescriptors(activation, wanted)).toThrow('systemd has passed no socket');
  });
});
