// Expectations are those of nlohmann's JSON library as Nix 2.34.8 shows it: `builtins.toJSON (builtins.fromJSON …)`, and
// structured attributes of derivations.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '@neve/bytes';
import { NixCompatError, parseJson, printJson } from './index.ts';

test.each([
  ['-0', '0'],
  ['18446744073709551615', '18446744073709551615'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['9007199254740993', '9007199254740993'],
  ['18446744073709551616', '1.8446744073709552e+19'],
  ['1.0', '1.0'],
  ['-0.0', '-0.0'],
  ['1e20', '1e+20'],
  ['123456789012345.0', '123456789012345.0'],
  ['1234567890123456.0', '1.234567890123456e+15'],
  ['1e15', '1e+15'],
  ['0.0001', '0.0001'],
  ['0.00001', '1e-05'],
  ['0.00012345', '0.00012345'],
  ['1.5e300', '1.5e+300'],
  ['5e-324', '5e-324'],
  ['16777217.5', '16777217.5'],
  ['[ ]', '[]'],
  ['{"b" : 1, "a": [ true,false , null ] , "b": 2}', '{"a":[true,false,null],"b":2}'],
  ['{"é":1,"z":2,"\\uD83D\\uDE00":3,"\\uFFFD":4}', '{"z":2,"é":1,"\uFFFD":4,"😀":3}'],
  [String.raw`"\u00e9\u0001\/\b\f\n\r\t\"\\\u007f"`, String.raw`"é\u0001/\b\f\n\r\t\"\\` + '\x7f"'],
])('%s', (text, printed) => {
  expect(printJson(parseJson(encodeUtf8(text)))).toBe(printed);
});

describe('refused', () => {
  test.each([
    ...[
      '',
      ' ',
      '{',
      '[1,]',
      '[1 2]',
      '{"a"}',
      '{"a":1,}',
      '{a:1}',
      '01',
      '+1',
      '1.',
      '.5',
      '1e',
      '--1',
      'nul',
    ],
    ...[
      '"a',
      '"\n"',
      String.raw`"\x"`,
      String.raw`"\ud800"`,
      String.raw`"\udc00\ud800"`,
      '1 1',
      '1e999',
      'NaN',
    ],
  ])('%s', (text) => {
    expect(() => parseJson(encodeUtf8(text))).toThrow(NixCompatError);
  });

  test('what is not UTF-8', () => {
    expect(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(/UTF-8/);
    expect(() => parseJson(Uint8Array.of(0x22, 0xf0, 0x9f, 0x98, 0x22))).toThrow(/UTF-8/);
    expect(parseJson(encodeUtf8('"\uFFFD"'))).toBe('\uFFFD');
  });

  test('what is nested too deeply', () => {
    expect(() => parseJson(encodeUtf8('['.repeat(20_000)))).toThrow(/too deeply/);
  });
});

test('values are the same when they are printed and read again', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const value = parseJson(encodeUtf8(text));
      expect(parseJson(encodeUtf8(printJson(value)))).toEqual(value);
      // Numbers with another form have the same value.
      expect(JSON.parse(printJson(value))).toEqual(
        JSON.parse(text, (_, it: unknown) => (Object.is(it, -0) ? 0 : it)),
      );
    }),
  );
});
