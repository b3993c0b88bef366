// What curl 7.88 does with `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` (its manual, "PROXY ENVIRONMENT").
import { expect, test } from 'vitest';
import { chooseProxy } from './proxy-choice.ts';

const proxies = { http: 'http://h:1', https: 'http://s:2', all: 'socks5://a:3' };

test('by the scheme, else the one for all', () => {
  expect(chooseProxy(new URL('http://example.org/'), proxies)).toBe('http://h:1');
  expect(chooseProxy(new URL('https://example.org/'), proxies)).toBe('http://s:2');
  expect(chooseProxy(new URL('https://example.org/'), { ...proxies, https: undefined })).toBe('socks5://a:3');
  expect(chooseProxy(new URL('https://example.org/'), { http: 'http://h:1' })).toBeUndefined();
  expect(chooseProxy(new URL('http://example.org/'), { http: 'h:1' })).toBe('http://h:1');
  expect(chooseProxy(new URL('http://example.org/'), { http: '' })).toBeUndefined();
});

test.each([
  ['example.org', 'http://example.org/', true],
  ['example.org', 'http://www.example.org/', true],
  ['.example.org', 'http://www.example.org/', true],
  ['.example.org', 'http://example.org/', true],
  ['*.example.org', 'http://www.example.org/', true],
  ['example.org', 'http://notexample.org/', false],
  ['example.org', 'http://example.org.evil/', false],
  ['a, b EXAMPLE.org', 'http://example.org/', true],
  ['example.org:8080', 'http://example.org:8080/', true],
  ['example.org:8080', 'http://example.org/', false],
  ['example.org:443', 'https://example.org/', true],
  ['10.0.0.1', 'http://10.0.0.1:99/', true],
  ['[::1]', 'http://[::1]:99/', true],
  ['::1', 'http://[::1]/', true],
  ['[::1]:99', 'http://[::1]:98/', false],
  ['*', 'http://anything/', true],
  ['', 'http://anything/', false],
  [',', 'http://anything/', false],
])('no_proxy=%s and %s', (no, url, exempt) => {
  expect(chooseProxy(new URL(url), { ...proxies, no }) === undefined).toBe(exempt);
});
