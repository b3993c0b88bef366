import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseGitUrl } from './git-url.ts';
import { isLegalRefName } from './git-ref-name.ts';
import { type NixUrl, parseNixUrl, printNixUrl } from './nix-url.ts';

/** What Nix 2.34 shows of each in its messages. */
describe('printed again as by Nix', () => {
  test.each([
    ['https://host/a/b?x=y#f', 'https://host/a/b?x=y#f'],
    ['https://host/?b=1&a=2', 'https://host/?a=2&b=1'],
    ['file:///tmp/%41', 'file:///tmp/A'],
    ['file:', 'file:/'],
    ['path:./r', 'path:./r'],
    ['path:/x?narHash=sha256-A%3D', 'path:/x?narHash=sha256-A%3D'],
    ['https://u:p%40@[::1]:80/a=b', 'https://u:p%40@[::1]:80/a%3Db'],
    ['github:a/b', 'github:a/b'],
    ['x:?dubious&a=b', 'x:?a=b'],
  ])('%s', (text, printed) => {
    expect(printNixUrl(parseNixUrl(text))).toBe(printed);
  });
});

test.each([
  ['/tmp/x', "'/tmp/x' doesn't have a scheme"],
  ['https://[::1', "'https://[::1' is not a valid URL: mismatch"],
  ['file:///a b', "'file:///a b' is not a valid URL: leftover"],
  ['file:///%zz', "'file:///%zz' is not a valid URL: mismatch"],
  ['https://h:99999/', "port '99999' is invalid"],
  ['git+file://h/x', "file:// URL 'git+file://h/x' has unexpected authority 'h'"],
  ['https://h/%ff', "'%ff' in a URL does not stand for UTF-8; write it without such escapes"],
])('%s is refused', (text, message) => {
  expect(() => parseNixUrl(text)).toThrow(expect.objectContaining({ code: 'invalid-fetch', message }));
});

test('what is printed is read as the same URL', () => {
  const text = fc.string({ unit: 'grapheme' });
  const url = fc.record({
    scheme: fc.constantFrom('https', 'git+ssh', 'x'),
    authority: fc.record({
      user: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
      password: fc.constant(undefined),
      host: fc.constantFrom('host', '::1', '10.0.0.1'),
      port: fc.constantFrom(undefined, '80'),
    }),
    path: fc.array(text).map((parts) => ['', ...parts]),
    query: fc.array(fc.tuple(text, text)).map((pairs) => new Map(pairs)),
    fragment: text,
  });
  fc.assert(
    fc.property(url, (made: NixUrl) => {
      const read = parseNixUrl(printNixUrl(made));
      expect({ ...read, query: Object.fromEntries(read.query) }).toEqual({
        ...made,
        query: Object.fromEntries(made.query),
      });
    }),
  );
});

test.each([
  ['git@host:a/b', 'ssh://git@host/a/b'],
  ['user@host:/a', 'ssh://user@host//a'],
  ['/a b%20&', 'file:///a%20b%2520%26'],
  ['a/b', 'file:a/b'],
  ['-x', 'file:-x'],
  ['git+https://host/x', 'https://host/x'],
  ['git+file:/x', 'file:/x'],
  ['git://host/x', 'git://host/x'],
])('the repository %s', (text, url) => {
  expect(printNixUrl(parseGitUrl(text))).toBe(url);
});

test.each(['host:path', 'ext::sh -c true', 'git+https:/x'])('the repository %s is refused', (text) => {
  expect(() => parseGitUrl(text)).toThrow(`SCP-like URL '${text}' is not supported`);
});

/** As `git check-ref-format` has it; the names of one part with a dash are those of libgit2. */
test.each([
  ...['main', 'a/b', 'refs/heads/x', 'HEAD', 'v1.0', '@x', 'é', '-x/y', 'a-b', 'a@b'].map(
    (it) => [it, true] as const,
  ),
  ...[
    '',
    '@',
    'a..b',
    '.a',
    'a/.b',
    'a.',
    'a.lock',
    'a/',
    '/a',
    'a//b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[',
    'a\\b',
  ].map((it) => [it, false] as const),
  ...['a@{1}', '-x', 'a\n', 'a\u007f'].map((it) => [it, false] as const),
])('%j as the name of a branch: %s', (name, isLegal) => {
  expect(isLegalRefName(name)).toBe(isLegal);
});
