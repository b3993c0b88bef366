import { expect, test } from 'vitest';
import { lastValue } from './last-value.ts';
import { formatForPrograms } from './progress/log-format-option.ts';

test.each([
  [['eval', '--log-format', 'json'], 'json'],
  [['eval', '--log-format=json', '--log-format', 'raw'], 'raw'],
  [['eval', '--log-format', 'json', '--', '--log-format', 'raw'], 'json'],
  [['eval', '--', '--log-format', 'raw'], undefined],
  [['eval', '--log-formats', 'raw'], undefined],
  [['eval', '--log-format'], undefined],
  [['eval', '--log-format='], ''],
])('the last value in %j', (argv, value) => {
  expect(lastValue(argv, '--log-format')).toBe(value);
});

test('a form for people is none for programs', () => {
  expect(formatForPrograms(['build', '--log-format', 'bar-with-logs'])).toBeUndefined();
  expect(formatForPrograms(['build', '--log-format=internal-json'])).toBe('internal-json');
});
