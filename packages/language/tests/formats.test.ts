import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ProbeMode, compileProbe } from './probe.ts';

type Exports = {
  readonly memory: WebAssembly.Memory;
  readonly initialize: () => void;
  readonly makeText: (length: number) => number;
  readonly bytesOf: (value: number) => number;
  readonly lengthOf: (value: number) => number;
  readonly fromJson: (text: number) => number;
  readonly toJson: (value: number) => number;
  readonly fromToml: (text: number) => number;
  readonly setTimestamps: (enabled: number) => void;
  readonly message: () => number;
};

class Raised extends Error {}

/** The formats as functions from text to text. A failure is a text that begins with "error: ". */
async function openFormats(mode: ProbeMode) {
  const raise = (): never => {
    throw new Raised();
  };
  const probe = (await compileProbe('formats', mode, { raise })).exports as unknown as Exports;
  probe.initialize();
  const put = (text: string | Uint8Array): number => {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    const value = probe.makeText(bytes.length);
    new Uint8Array(probe.memory.buffer).set(bytes, probe.bytesOf(value));
    return value;
  };
  const get = (value: number): string => {
    const bytes = new Uint8Array(probe.memory.buffer, probe.bytesOf(value), probe.lengthOf(value));
    return new TextDecoder().decode(bytes);
  };
  const attempt = (run: () => number): string => {
    try {
      return get(run());
    } catch (error) {
      if (error instanceof Raised) return `error: ${get(probe.message())}`;
      throw error;
    }
  };
  return {
    json: (text: string | Uint8Array) => attempt(() => probe.toJson(probe.fromJson(put(text)))),
    toml: (text: string | Uint8Array) => attempt(() => probe.toJson(probe.fromToml(put(text)))),
    text: (text: string | Uint8Array) => attempt(() => probe.toJson(put(text))),
    setTimestamps: (enabled: boolean) => probe.setTimestamps(Number(enabled)),
  };
}

type Formats = Awaited<ReturnType<typeof openFormats>>;

const modes: readonly ProbeMode[] = ['release', 'debug'];
const opened = new Map<ProbeMode, Formats>();
for (const mode of modes) opened.set(mode, await openFormats(mode));

function formatsOf(mode: ProbeMode): Formats {
  const formats = opened.get(mode);
  if (formats === undefined) throw new Error(`no probe for ${mode}`);
  return formats;
}

/** JSON that is read and written again; names come out in the order of their bytes. */
const jsonTexts: readonly (readonly [string, string])[] = [
  ['null', 'null'],
  [' [ true , false ] ', '[true,false]'],
  ['{}', '{}'],
  ['[]', '[]'],
  ['{"b":1,"a":{"é":[],"_":"","Z":{}}}', '{"a":{"Z":{},"_":"","é":[]},"b":1}'],
  ['{"a":1,"b":2,"a":3}', '{"a":3,"b":2}'],
  ['[{"x":1,"y":2},{"x":3,"y":4},{"y":5,"x":6}]', '[{"x":1,"y":2},{"x":3,"y":4},{"x":6,"y":5}]'],
  ['"\\u0041\\u00e9\\u20ac\\ud83d\\ude00"', '"Aé€😀"'],
  ['"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f"', '"\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f"'],
  ['\u{feff}1', '1'],
  ['-0', '0'],
  ['-0.0', '-0.0'],
  ['1073741823', '1073741823'],
  ['1073741824', '1073741824'],
  ['-1073741824', '-1073741824'],
  ['-1073741825', '-1073741825'],
  ['9223372036854775807', '9223372036854775807'],
  ['-9223372036854775808', '-9223372036854775808'],
  ['-9223372036854775809', '-9.223372036854776e+18'],
  ['18446744073709551616', '1.8446744073709552e+19'],
  ['[1.0,100000.0,1e5,1e15,1e-5,1e22,0.1,5e-324]', '[1.0,100000.0,100000.0,1e+15,1e-05,1e+22,0.1,5e-324]'],
];

const at = (column: number, message: string): string =>
  `error: [json.exception.parse_error.101] parse error at line 1, column ${column}: ${message}`;
const parsing = (what: string, column: number, message: string): string =>
  at(column, `syntax error while parsing ${what} - ${message}`);

/** Messages as nlohmann's parser words them. */
const jsonErrors: readonly (readonly [string, string])[] = [
  [
    '',
    at(
      1,
      'attempting to parse an empty input; check that your input string or stream contains the expected JSON',
    ),
  ],
  ['[1,', parsing('value', 4, "unexpected end of input; expected '[', '{', or a literal")],
  ['[1 2]', parsing('array', 4, "unexpected number literal; expected ']'")],
  ['[1, x', parsing('value', 5, "invalid literal; last read: '1, x'")],
  ['{"a" 1}', parsing('object separator', 6, "unexpected number literal; expected ':'")],
  ['{"a":1,}', parsing('object key', 8, "unexpected '}'; expected string literal")],
  ['{"a":1]', parsing('object', 7, "unexpected ']'; expected '}'")],
  ['1 2\n', parsing('value', 0, 'unexpected number literal; expected end of input')],
  ['"a', parsing('value', 3, "invalid string: missing closing quote; last read: '\"a'")],
  [
    '"\\ud800"',
    parsing(
      'value',
      8,
      'invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF; last read: \'"\\ud800"\'',
    ),
  ],
  [
    '"\u0001"',
    parsing(
      'value',
      2,
      "invalid string: control character U+0001 (SOH) must be escaped to \\u0001; last read: '\"<U+0001>'",
    ),
  ],
  ['-', parsing('value', 2, "invalid number; expected digit after '-'; last read: '-'")],
  ['1e400', "error: [json.exception.out_of_range.406] number overflow parsing '1e400'"],
  ['18446744073709551615', 'error: unsigned json number 18446744073709551615 outside of Nix integer range'],
  [
    '"a\\u0000b"',
    "error: input string 'a␀b' cannot be represented as Nix string because it contains null bytes",
  ],
  [
    '{"a\\u0000b":1}',
    "error: input string 'a␀b' cannot be represented as Nix string because it contains null bytes",
  ],
];

/** TOML, and the same as JSON. */
const tomlTexts: readonly (readonly [string, string])[] = [
  ['', '{}'],
  ['a = 1 # one\nb.c = "two"\n', '{"a":1,"b":{"c":"two"}}'],
  ['[a.b]\nc = 1\n[a]\nd = 2', '{"a":{"b":{"c":1},"d":2}}'],
  ['[[a]]\nb = 1\n[a.c]\nd = 2\n[[a]]\n', '{"a":[{"b":1,"c":{"d":2}},{}]}'],
  ['a = [1, [2.0, { b = "x" }],\n# two\n]', '{"a":[1,[2.0,{"b":"x"}]]}'],
  ['a = [+1, -1, 1_000, 0xFF, 0o17, 0b11]', '{"a":[1,-1,1000,255,15,3]}'],
  ['a = [1e3, -1.5E-1, inf, -inf, nan]', '{"a":[1000.0,-0.15,null,null,null]}'],
  ['a = """\nx\\\n   y"z""""', '{"a":"xy\\"z\\""}'],
  ["a = '''\nx\\y'''", '{"a":"x\\\\y"}'],
  ['"a b".\'c\'.d-1 = "\\u00e9\\U0001F600"', '{"a b":{"c":{"d-1":"é😀"}}}'],
  ['a = 1 [b]\nc = 2', '{"a":1,"b":{"c":2}}'],
];

const tomlErrors: readonly (readonly [string, string])[] = [
  ['a = 1\na = 2', 'toml::insert_value: failed to insert a value, value already exists'],
  ['[a]\n[a]', 'toml::insert_value: failed to insert a table, table already defined'],
  ['a = { b = 1 }\na.c = 2', 'toml::insert_value: failed to insert a value: inline table is immutable'],
  ['[a.b.c]\n[a]\nb.d = 1', 'toml::insert_value: reopening a table using dotted keys'],
  ['a = [1]\n[[a]]', 'toml::insert_value: failed to insert an array of tables, value already exists'],
  ['a = { b = 1, }', 'toml::parse_inline_table: trailing comma is not allowed in TOML-v1.0.0)'],
  ['a = [1', 'toml::parse_array: missing closing bracket `]`'],
  ['a = 1 b = 2', 'toml::parse_table: newline (LF / CRLF) or EOF is expected'],
  ['[a', 'toml::parse_file: invalid table key'],
  ['a = 01', 'bad integer: invalid digit after an integer'],
  ['a = 1.', 'bad float: invalid format'],
  ['a = "\\z"', 'toml::parse_basic_string: invalid string format'],
  ['a = "\\ud800"', 'toml::parse_utf8_codepoint: [0xD800, 0xDFFF] is not a valid UTF-8'],
  ['a = 9223372036854775808', 'toml::parse_dec_integer: too large integer: current max digits = 2^63'],
  ['a = 1979-02-29', 'toml::parse_local_date: invalid date.'],
];

const dates: readonly (readonly [string, string])[] = [
  ['1979-05-27', '1979-05-27'],
  ['07:32:00.1234', '07:32:00.123400'],
  ['1979-05-27 07:32:00', '1979-05-27T07:32:00'],
  ['1979-05-27t00:32:00.1234567891-07:30', '1979-05-27T00:32:00.123456789-07:30'],
  ['2000-02-29T23:59:60.000+00:00', '2000-02-29T23:59:60Z'],
];

/** Whether the number is written as an integer that only an unsigned one of 64 bits holds: Nix refuses it. */
const isUnsignedOnly = (number: number): boolean => number >= 2 ** 63 && number < 2 ** 64;

/** A value of JSON without what JSON.parse treats otherwise: names like integers, NUL, `__proto__`, integers ≥ 2⁶³. */
const jsonValue = fc.letrec<{ value: unknown; name: string }>((tie) => ({
  name: fc.string({ unit: 'binary' }).filter((it) => !it.includes('\0') && it !== '__proto__'),
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((it) => !isUnsignedOnly(it))
      .map((it) => (Object.is(it, -0) ? 0 : it)),
    tie('name'),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(tie('name') as fc.Arbitrary<string>, tie('value'), { maxKeys: 40 }),
  ),
}));

describe.each(modes)('formats (%s)', (mode) => {
  const formats = formatsOf(mode);

  test.each(jsonTexts)('JSON %j', (text, expected) => {
    expect(formats.json(text)).toBe(expected);
  });

  test.each(jsonErrors)('JSON error of %j', (text, expected) => {
    expect(formats.json(text)).toBe(expected);
  });

  test('JSON text that is not UTF-8 is refused', () => {
    const string = (...bytes: number[]) => new Uint8Array(bytes);
    const refused = 'error: JSON serialization error: [json.exception.type_error.316] ';
    expect(formats.text(string(0x5f, 0xff))).toBe(`${refused}invalid UTF-8 byte at index 1: 0xFF`);
    expect(formats.text(string(0x0a, 0x22, 0xe2, 0x28))).toBe(
      `${refused}invalid UTF-8 byte at index 3: 0x28`,
    );
    expect(formats.text(string(0x61, 0xe2, 0x82))).toBe(`${refused}incomplete UTF-8 string; last byte: 0x82`);
    expect(formats.json(string(0x22, 0xff, 0x22))).toMatch(/ill-formed UTF-8 byte; last read: '"\ufffd'$/);
  });

  test('JSON of many values is what JSON.parse reads', () => {
    fc.assert(
      fc.property(jsonValue.value, fc.constantFrom(undefined, 1, '\t\r\n'), (value, space) => {
        const written = formats.json(JSON.stringify(value, undefined, space));
        expect(JSON.parse(written)).toEqual(value);
        expect(formats.json(written)).toBe(written);
      }),
      { numRuns: 300 },
    );
  });

  test('a JSON text that JSON.parse refuses is refused', () => {
    const refusedByParse = (text: string): boolean => {
      try {
        JSON.parse(text);
        return false;
      } catch {
        return true;
      }
    };
    const token = fc.constantFrom(
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"a"',
      '1',
      // More digits make it smaller: a number too large is refused for that.
      '-1.5e-3',
      'true',
      'null',
      ' ',
      '\n',
      '"',
      'x',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
        const text = tokens.join('');
        expect(formats.json(text).startsWith('error: [json.exception.parse_error.101] ')).toBe(
          refusedByParse(text),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('JSON nests deeply', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(formats.json(nested(9_999))).toBe(nested(9_999));
    // Reading has no limit; writing has that of nested calls.
    expect(formats.json(nested(100_000))).toBe('');
    expect(formats.json('[{"a":'.repeat(10_000))).toMatch(/column 60001: .*unexpected end of input/);
  });

  test('objects with many names', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `n${(i * 7919) % 5000}`);
    const text = `{${names.map((name) => `"${name}":"${name}"`).join(',')}}`;
    const sorted = names.toSorted().map((name) => `"${name}":"${name}"`);
    expect(formats.json(text)).toBe(`{${sorted.join(',')}}`);
  });

  test.each(tomlTexts)('TOML %j', (text, expected) => {
    expect(formats.toml(text)).toBe(expected);
  });

  test.each(tomlErrors)('TOML error of %j', (text, expected) => {
    expect(formats.toml(text).split('\n')[0]).toBe(`error: while parsing TOML: [error] ${expected}`);
  });

  test('an error in TOML shows its place', () => {
    expect(formats.toml('a = 1\nb = [ 1, 2')).toBe(
      [
        'error: while parsing TOML: [error] toml::parse_array: missing closing bracket `]`',
        ' --> fromTOML',
        '   |',
        ' 2 | b = [ 1, 2',
        '   |           ^-- expected `]`, reached EOF',
        '',
      ].join('\n'),
    );
  });

  test.each(dates)('TOML date %j', (text, expected) => {
    formats.setTimestamps(false);
    expect(formats.toml(`a = ${text}`)).toBe('error: while parsing TOML: Dates and times are not supported');
    formats.setTimestamps(true);
    expect(formats.toml(`a = ${text}`)).toBe(`{"a":{"_type":"timestamp","value":"${expected}"}}`);
    formats.setTimestamps(false);
  });

  test('TOML with NUL is refused when all else is right', () => {
    expect(formats.toml('a = "x\\u0000"')).toBe(
      "error: while parsing TOML: error: input string 'x␀' cannot be represented as Nix string because it contains null bytes",
    );
    expect(formats.toml('a = "x\\u0000"\n=')).toMatch(/invalid key: key must be/);
  });

  test('scalars of JSON are the same in TOML', () => {
    const scalar = fc.oneof(
      fc.boolean(),
      fc.integer(),
      fc.string({ unit: 'binary' }).filter((it) => !/[\0\u007f]/.test(it)),
    );
    fc.assert(
      fc.property(fc.array(scalar), (values) => {
        const text = JSON.stringify(values);
        expect(formats.toml(`values = ${text}`)).toBe(formats.json(`{"values":${text}}`));
      }),
    );
  });
});
