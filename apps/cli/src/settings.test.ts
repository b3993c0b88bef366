import { expect, test } from 'vitest';
import { Settings, applyConfig } from './settings.ts';

function settings(text: string): Settings {
  const made = new Settings();
  expect(applyConfig(made, text)).toEqual([]);
  return made;
}

test.each([
  ['', ['default']],
  ['substituters =', []],
  ['substituters = a b', ['a', 'b']],
  ['extra-substituters = a', ['default', 'a']],
  ['extra-substituters = a\nextra-substituters = b', ['default', 'a', 'b']],
  ['substituters = a\nextra-substituters = b', ['a', 'b']],
  // The later one wins.
  ['extra-substituters = a\nsubstituters = b', ['b']],
])('%j', (text, expected) => {
  expect(settings(text).list('substituters', ['default'])).toEqual(expected);
});
