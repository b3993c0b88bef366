import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redactUrl, redactUrlsIn } from './redact-url.ts';

test.each([
  ['https://user:hunter2@host/p?q=1', 'https://user:***@host/p?q=1'],
  ['https://hunter2@host', 'https://***@host'],
  ['https://user:a:b@c@host:80/@scope/x', 'https://user:***@host:80/@scope/x'],
  [
    's3://b?aws_access_key_id=AK&aws_secret_access_key=hunter2',
    's3://b?aws_access_key_id=AK&aws_secret_access_key=***',
  ],
  ['cache:?near=&hunter&far=x', 'cache:?near=&hunter&far=x'],
  ['x:?password=&hunter2&far=x', 'x:?password=***&far=x'],
  ['x:?pass%77ord=hunter2', 'x:?pass%77ord=***'],
  ['cache:?near=s3://u:hunter2@h/', 'cache:?near=s3%3A//u%3A***%40h/'],
  ['nix+https://h?trusted-public-keys=a-1:b+c=', 'nix+https://h?trusted-public-keys=a-1:b+c='],
  // What cannot be read.
  ['s3://u:hunter2/x@host/', 's3://***@host/'],
  ['s3://u:12#hunter@host/', 's3://***@host/'],
  ['s3://u:hun?ter2@host/', 's3://***@host/'],
  ['s3://u:12\n/hunter@host/', 's3://***@host/'],
  ['s3://host:port?token=hunter2', 's3://host:port?***'],
  ['s3://host?tok%e=hunter2', 's3://host?***'],
  // What is no URL, or has no secret.
  ['/a//b@c?d', '/a//b@c?d'],
  ['https://[::1]:80/a%2Fb?x=%41', 'https://[::1]:80/a%2Fb?x=%41'],
  ['https://host/a#b', 'https://host/a#b'],
])('%s', (text, shown) => {
  expect(redactUrl(text)).toBe(shown);
});

test('in a text', () => {
  expect(redactUrlsIn("Invalid URL 'http://u:hunter2@h/x', see http://v:hunter3@h")).toBe(
    "Invalid URL 'http://u:***@h/x', see http://v:***@h",
  );
});

test('the secrets of URLs that URL reads are not shown', () => {
  const secret = fc.stringMatching(/^SECRET[!-~]{0,8}$/);
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true }), secret, (text, password) => {
      const url = new URL(text);
      url.username = 'user';
      url.password = password;
      url.searchParams.append('token', password);
      url.searchParams.append('far', `s3://u:${encodeURIComponent(password)}@host`);
      expect(redactUrl(url.href)).not.toContain('SECRET');
      expect(redactUrl(url.href)).toContain(url.host);
    }),
  );
});
