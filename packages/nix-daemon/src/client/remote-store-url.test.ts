// Names of stores as Nix 2.34.8 reads them (`store-reference` among its golden files, and its manual).
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NixDaemonError } from '../nix-daemon-error.ts';
import { splitShellWords } from '../node/client/shell-words.ts';
import { plainText } from './plain-text.ts';
import { isRemoteStoreUrl, parseRemoteStoreUrl } from './remote-store-url.ts';

describe('names of stores', () => {
  const address = 'fea5:23e1:3916:fc24:cb52:2837:2ecb:ea8e';
  test.each([
    ['daemon', { kind: 'unix', socket: undefined }],
    ['daemon?root=/x', { kind: 'unix', socket: undefined }],
    ['unix:///run/nix%20d/socket?root=/x&trusted=true', { kind: 'unix', socket: '/run/nix d/socket' }],
    ['unix://?max-connections=7', { kind: 'unix', socket: undefined }],
    ['ssh://localhost', { kind: 'ssh', host: { user: undefined, host: 'localhost', port: undefined } }],
    [
      'ssh-ng://nix@host:2222?ssh-key=/k',
      { kind: 'ssh-ng', host: { user: 'nix', host: 'host', port: 2222 } },
    ],
    ['ssh://::1', { kind: 'ssh', host: { user: undefined, host: '::1', port: undefined } }],
    [
      `ssh://userinfo@${address}?a=b&c=d`,
      { kind: 'ssh', host: { user: 'userinfo', host: address, port: undefined } },
    ],
    [
      `ssh://userinfo@[${address}%25eth0]`,
      { kind: 'ssh', host: { user: 'userinfo', host: `${address}%eth0`, port: undefined } },
    ],
    [`ssh://u@[${address}]:22`, { kind: 'ssh', host: { user: 'u', host: address, port: 22 } }],
    [
      `ssh://${address}%eth0?a=b`,
      { kind: 'ssh', host: { user: undefined, host: `${address}%eth0`, port: undefined } },
    ],
  ])('%s', (text, expected) => {
    expect(isRemoteStoreUrl(text)).toBe(true);
    expect(parseRemoteStoreUrl(text)).toMatchObject({ ...expected, text });
  });

  test('parameters, in which a plus sign is one', () => {
    const { params } = parseRemoteStoreUrl(
      'ssh://h?remote-store=local?root=/x&base64-ssh-public-host-key=a+b%2Fc==',
    );
    expect(params).toEqual(
      new Map([
        ['remote-store', 'local?root=/x'],
        ['base64-ssh-public-host-key', 'a+b/c=='],
      ]),
    );
  });

  test.each([
    'ssh://',
    'ssh://-oProxyCommand=x',
    'ssh-ng://-u@h',
    'unix://relative',
    'https://x',
    'ssh://h/path',
    'ssh://@h',
  ])('%s is refused', (text) => {
    expect(() => parseRemoteStoreUrl(text)).toThrow(NixDaemonError);
  });

  test('others are no such stores', () => {
    for (const text of ['https://cache', './daemon', '/ssh://x', 'daemons', 'local', 'grpc+unix:/x']) {
      expect(isRemoteStoreUrl(text)).toBe(false);
    }
  });
});

test('words of a shell', () => {
  expect(splitShellWords(` -p 22  -o 'A b' "c \\"d\\" $e" f\\ g''h `)).toEqual([
    '-p',
    '22',
    '-o',
    'A b',
    'c "d" $e',
    'f gh',
  ]);
  expect(splitShellWords('')).toEqual([]);
  expect(splitShellWords("''")).toEqual(['']);
  expect(() => splitShellWords(`-o 'A`)).toThrow(NixDaemonError);
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      const quoted = words.map((it) => `'${it.replaceAll("'", `'\\''`)}'`).join(' ');
      expect(splitShellWords(quoted)).toEqual(words);
    }),
  );
});

test('messages without what a terminal acts upon', () => {
  expect(plainText('\x1b[31;1merror:\x1b[0m no\n\t\x1b]0;title\x07x\x00\x08')).toBe('error: no\n\tx');
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(plainText(`\x1b[1m${text}`)).not.toContain('\x1b');
    }),
  );
});
