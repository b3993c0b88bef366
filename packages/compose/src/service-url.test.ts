import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompositionError } from './composition-error.ts';
import { ServiceUrl, formatServiceUrl } from './service-url.ts';
import type { ServiceUrlParts } from './service-url.ts';

function partsOf(url: ServiceUrl): ServiceUrlParts {
  return {
    scheme: url.scheme,
    path: url.path,
    query: url.query,
    ...(url.host === undefined ? {} : { host: url.host }),
    ...(url.port === undefined ? {} : { port: url.port }),
    ...(url.credentials === undefined ? {} : { credentials: url.credentials }),
  };
}

function check(text: string, expected: Omit<Partial<ServiceUrlParts>, 'scheme'> & { scheme: string }): void {
  expect(partsOf(ServiceUrl.parse(text)), text).toEqual({ path: '', query: [], ...expected });
}

test('URLs of services, with an authority and without', () => {
  check('memory:', { scheme: 'memory' });
  check('memory://', { scheme: 'memory', host: '' });
  check('MEMORY:', { scheme: 'memory' });
  check('lmdb:/var/lib/a%20b%3Fc', { scheme: 'lmdb', path: '/var/lib/a b?c' });
  check('lmdb:relative/path', { scheme: 'lmdb', path: 'relative/path' });
  check('file:///p', { scheme: 'file', host: '', path: '/p' });
  check('redb+memory:', { scheme: 'redb+memory' });
  check('grpc+unix:/run/neve.sock', { scheme: 'grpc+unix', path: '/run/neve.sock' });
  check('grpc+http://[::1]:8000', { scheme: 'grpc+http', host: '::1', port: 8000 });
  check('grpc+http://localhost:', { scheme: 'grpc+http', host: 'localhost' });
  check('objectstore+s3://Bucket/prefix?region=eu-1&allow_http', {
    scheme: 'objectstore+s3',
    host: 'Bucket',
    path: '/prefix',
    query: [
      ['region', 'eu-1'],
      ['allow_http', ''],
    ],
  });
  check('nix+https://u:p%40@cache.nixos.org?trusted-public-keys=c-1:a+b/c=%20d-1:e=', {
    scheme: 'nix+https',
    credentials: { user: 'u', password: 'p@' },
    host: 'cache.nixos.org',
    query: [['trusted-public-keys', 'c-1:a+b/c= d-1:e=']],
  });
  check('x://a@b@c', { scheme: 'x', credentials: { user: 'a@b' }, host: 'c' });
});

test('a reference in a query needs no escape', () => {
  const references = [
    ['near', '&a'],
    ['far', '&b'],
  ] as const;
  check('cache:?near=&a&far=&b', { scheme: 'cache', query: references });
  check('cache:?near=%26a&far=%26b', { scheme: 'cache', query: references });
  check('cache:?near=&far=b', {
    scheme: 'cache',
    query: [
      ['near', ''],
      ['far', 'b'],
    ],
  });
  check('cache:?&near=memory:&', { scheme: 'cache', query: [['near', 'memory:']] });
});

test('the inner URL keeps its text', () => {
  const url = ServiceUrl.parse('objectstore+s3://bucket/a%2Fb?k=%41');
  expect([url.type, url.transport]).toEqual(['objectstore', 's3']);
  expect(url.inner?.text).toBe('s3://bucket/a%2Fb?k=%41');
  expect(url.inner?.withoutQuery().text).toBe('s3://bucket/a%2Fb');
  expect(url.inner?.inner).toBeUndefined();
});

function checkRefused(text: string, reason: RegExp): void {
  const error = caught(() => ServiceUrl.parse(text));
  expect(error, text).toBeInstanceOf(CompositionError);
  expect((error as CompositionError).code).toBe('bad-url');
  expect((error as CompositionError).message).toMatch(reason);
  expect((error as CompositionError).message).not.toContain('hunter2');
}

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('what is no service URL', () => {
  checkRefused('', /scheme/);
  checkRefused('/a/path', /scheme/);
  checkRefused('name', /scheme/);
  checkRefused(' memory:', /scheme/);
  checkRefused('grpc+:/p', /scheme/);
  checkRefused('1st:', /scheme/);
  checkRefused('file:/a#b', /%23/);
  checkRefused('file:/a\nb', /control/);
  checkRefused('file:/a%2', /hexadecimal/);
  checkRefused('file:/a%ff', /UTF-8/);
  checkRefused('s3://host:99999/', /65535/);
  checkRefused('s3://u:hunter2/x@host/', /host and port/);
  checkRefused('s3://a%3Ab/', /forbidden/);
  checkRefused('s3://[host]/', /forbidden/);
});

test('no secret is shown', () => {
  const show = (text: string): string => ServiceUrl.parse(text).toString();
  expect(show('https://user:hunter2@host/p?q=1')).toBe('https://user:***@host/p?q=1');
  expect(show('https://hunter2@host')).toBe('https://***@host');
  expect(show('s3://b?aws_access_key_id=AK&aws_secret_access_key=hunter2')).toBe(
    's3://b?aws_access_key_id=AK&aws_secret_access_key=***',
  );
  expect(show('cache:?near=s3://u:hunter2@h/')).not.toContain('hunter2');
  expect(show('nix+https://h?trusted-public-keys=a-1:b+c=')).toBe(
    'nix+https://h?trusted-public-keys=a-1:b+c=',
  );
  const url = ServiceUrl.parse('https://user:hunter2@host/');
  expect(JSON.stringify({ url })).not.toContain('hunter2');
  expect(url.text).toContain('hunter2');
});

const delimiters = fc.constantFrom(...':/?#[]@&=+%'.split(''));
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: delimiters, maxLength: 5 }));
const scheme = fc.stringMatching(/^[a-z][a-z0-9.-]{0,5}(\+[a-z][a-z0-9.-]{0,5}){0,2}$/);
const path = fc.array(fc.oneof(text, fc.constantFrom('', '&', '%', '..')), { maxLength: 4 });
const query = fc.array(fc.tuple(text, fc.oneof(text, fc.constantFrom('&a', '=', '?', ''))), { maxLength: 4 });
const host = fc.oneof(
  fc.constant(''),
  fc.domain(),
  fc.ipV6().filter((it) => !it.includes('%')),
  text.filter((it) => !/[:/?#@[\]\s]/.test(it)),
);

const parts: fc.Arbitrary<ServiceUrlParts> = fc.oneof(
  fc.record({ scheme, path: path.map((it) => it.join('/')), query }),
  fc.record(
    {
      scheme,
      path: path.map((it) => it.map((segment) => `/${segment}`).join('')),
      query,
      host,
      port: fc.nat(65_535),
      credentials: fc.record({ user: text, password: text }, { requiredKeys: ['user'] }),
    },
    { requiredKeys: ['scheme', 'path', 'query', 'host'] },
  ),
);

test('parse ∘ print is the identity on parts', () => {
  fc.assert(
    fc.property(parts, (it) => {
      expect(partsOf(ServiceUrl.parse(formatServiceUrl(it)))).toEqual(it);
    }),
  );
});

test('any text is parsed or refused; what is parsed prints to a text with the same parts', () => {
  const pieces = fc.array(
    fc.oneof(fc.constantFrom('a', ':', '/', '//', '?', '&', '=', '%26', '@', '[', '+'), text),
  );
  fc.assert(
    fc.property(pieces, (it) => {
      let url: ServiceUrl;
      try {
        url = ServiceUrl.parse(`a:${it.join('')}`);
      } catch (error) {
        expect(error).toBeInstanceOf(CompositionError);
        return;
      }
      expect(partsOf(ServiceUrl.parse(formatServiceUrl(partsOf(url))))).toEqual(partsOf(url));
    }),
  );
});

test('secrets of generated URLs are in no shown text', () => {
  const secret = fc.stringMatching(/^[a-z]{3}SECRET[a-z/?&@:]{3}$/);
  fc.assert(
    fc.property(parts, secret, (it, password) => {
      const secretive = formatServiceUrl({
        ...it,
        ...(it.host === undefined ? {} : { credentials: { user: 'u', password } }),
        query: [...it.query, ['password', password], ['near', `s3://u:${encodeURIComponent(password)}@h`]],
      });
      expect(ServiceUrl.parse(secretive).toString()).not.toContain('SECRET');
    }),
  );
});
