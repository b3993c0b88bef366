import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { unquoted } from './unquoted.ts';

/** What a real shell makes of it. */
function bySh(word: string): string {
  return execFileSync('/bin/sh', ['-c', `printf %s ${word}`], { encoding: 'utf8' });
}

describe('a word with the quotes of a shell', () => {
  const words = [
    'plain',
    `'{ a = 1; }'`,
    String.raw`"a \"b\" \\ \n c"`,
    String.raw`a\ b\'c`,
    `x='a b'"c d"\\ e`,
    `''`,
    String.raw`'it'\''s'`,
  ];
  for (const word of words) {
    test(word, () => expect(unquoted(word)).toBe(bySh(word)));
  }

  test('quotes that are not closed yet', () => {
    expect(unquoted(`'{ a =`)).toBe('{ a =');
    expect(unquoted('python."with')).toBe('python.with');
    expect(unquoted('a\\')).toBe('a');
  });
});
