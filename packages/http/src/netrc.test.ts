// The grammar is that of netrc(5) and of curl's `--netrc-file`.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findCredentials, parseNetrc } from './netrc.ts';
import { HttpError } from './http-error.ts';

const text = `# for the tests
machine cache.example.org login alice password s3cret
machine	OTHER.example.org
  login bob
  account ignored
  password "with \\"quotes\\" and a \\\\"
macdef init
cd /pub
machine not-a-machine login x password y

machine only-password.example password 12345
default login anonymous password guest
machine after-default.example login late password late
`;

const find = (host: string, allowDefault = true) => findCredentials(parseNetrc(text), { host, allowDefault });

test('entries by host', () => {
  expect(find('cache.example.org')).toEqual({ user: 'alice', password: 's3cret' });
  expect(find('other.example.org')).toEqual({ user: 'bob', password: 'with "quotes" and a \\' });
  expect(find('CACHE.example.org')).toEqual({ user: 'alice', password: 's3cret' });
  expect(find('only-password.example')).toEqual({ user: '', password: '12345' });
});

test('a macro is passed over, and nothing comes after the default', () => {
  expect(find('not-a-machine')).toEqual({ user: 'anonymous', password: 'guest' });
  expect(find('after-default.example')).toEqual({ user: 'anonymous', password: 'guest' });
});

test('the default is only for whom it is allowed', () => {
  expect(find('unknown.example')).toEqual({ user: 'anonymous', password: 'guest' });
  expect(find('unknown.example', false)).toBeUndefined();
});

test.each([
  ['login alice', 'line 1'],
  ['machine', 'line 1'],
  ['machine a login', 'line 1'],
  ['machine a\nlogin b\nsecretword', 'line 3'],
  ['machine a password "secretword', 'line 1'],
])('refuses %j', (bad, line) => {
  expect(() => parseNetrc(bad)).toThrow(HttpError);
  expect(() => parseNetrc(bad)).toThrow(line);
  expect(() => parseNetrc(bad)).not.toThrow(/secretword/);
});

test('what is printed is read again', () => {
  const token = fc.stringMatching(/^[!$-~]+$/).filter((it) => !it.includes('"') && !it.includes('\\'));
  const entry = fc.record({ machine: token.map((it) => it.toLowerCase()), login: token, password: token });
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const printed = entries.map(
        (it) => `machine ${it.machine} login ${it.login} password "${it.password}"`,
      );
      expect(parseNetrc(printed.join('\n'))).toEqual(entries);
    }),
  );
});
