import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ProbeMode, compileProbe } from './probe.ts';

type Value = number;
type Exports = {
  readonly memory: WebAssembly.Memory;
  readonly initialize: () => void;
  readonly makeText: (length: number) => Value;
  readonly bytesOf: (value: Value) => number;
  readonly lengthOf: (value: Value) => number;
  readonly fromJson: (text: Value) => Value;
  readonly share: (list: Value, from: number, to: number) => Value;
  readonly ambiguous: (value: Value) => Value;
  readonly printed: (value: Value) => Value;
  readonly errorText: (value: Value) => Value;
  readonly typeName: (value: Value) => Value;
  readonly equal: (a: Value, b: Value) => number;
  readonly compare: (a: Value, b: Value) => number;
  readonly coerce: (value: Value, flags: number) => Value;
  readonly general: (x: number) => Value;
  readonly fixed: (x: number) => Value;
  readonly shortest: (x: number) => Value;
  readonly canonicalPath: (path: Value) => Value;
  readonly isCanonical: (path: Value) => number;
  readonly versions: (a: Value, b: Value) => number;
  readonly storeName: (name: Value) => number;
  readonly storePathName: (name: Value) => number;
  readonly replace: (text: Value, patterns: Value, replacements: Value) => Value;
  readonly joinStrings: (strings: Value, separator: Value) => Value;
  readonly uniteContexts: (count: number, first: number, step: number, range: number) => number;
};

/** The probe, and values from and to JavaScript. */
async function openProbe(mode: ProbeMode) {
  const probe = (await compileProbe('values', mode)).exports as unknown as Exports;
  probe.initialize();
  const text = (string: string): Value => {
    const bytes = new TextEncoder().encode(string);
    const value = probe.makeText(bytes.length);
    new Uint8Array(probe.memory.buffer).set(bytes, probe.bytesOf(value));
    return value;
  };
  const read = (value: Value): string =>
    new TextDecoder().decode(
      new Uint8Array(probe.memory.buffer, probe.bytesOf(value), probe.lengthOf(value)),
    );
  return {
    ...probe,
    text,
    read,
    value: (json: unknown): Value => probe.fromJson(text(JSON.stringify(json))),
  };
}

const modes: readonly ProbeMode[] = ['release', 'debug'];
const probes = new Map(await Promise.all(modes.map(async (mode) => [mode, await openProbe(mode)] as const)));

describe.each(modes)('%s', (mode) => {
  const probe = probes.get(mode);
  if (probe === undefined) throw new Error('every mode has a probe');
  const { text, read, value } = probe;

  describe('printing', () => {
    const check = (json: unknown, expected: string) => {
      expect(read(probe.ambiguous(value(json)))).toBe(expected);
      expect(read(probe.printed(value(json)))).toBe(expected);
    };
    test('plain values', () => {
      check(null, 'null');
      check(true, 'true');
      check(-12, '-12');
      check(2 ** 40, '1099511627776');
      check(1.5, '1.5');
      check([], '[ ]');
      check({}, '{ }');
      check([1, [2, []], { a: {} }], '[ 1 [ 2 [ ] ] { a = { }; } ]');
    });
    test('strings are escaped as in the language', () => {
      check('a"b\\c\nd\re\tf', '"a\\"b\\\\c\\nd\\re\\tf"');
      check('$a ${b} $${c} $', '"$a \\${b} $\\${c} $"');
      check('grüße\u0007', '"grüße\u0007"');
    });
    test('names are sorted bytewise and quoted where they are not names', () => {
      check(
        { b: 1, B: 2, '': 3, if: 4, or: 5, "a'-_1": 6, '1a': 7, 'a b': 8, "'": 9, ä: 10 },
        `{ "" = 3; "'" = 9; "1a" = 7; B = 2; "a b" = 8; a'-_1 = 6; b = 1; "if" = 4; or = 5; "ä" = 10; }`,
      );
    });
    test('many names are sorted bytewise', () => {
      const name = fc.stringMatching(/^[a-c]{1,12}$/);
      fc.assert(
        fc.property(fc.uniqueArray(name, { minLength: 5, maxLength: 60 }), (names) => {
          const printed = read(probe.printed(value(Object.fromEntries(names.map((name) => [name, 1])))));
          expect(printed).toBe(
            `{ ${[...names]
              .toSorted()
              .map((name) => `${name} = 1; `)
              .join('')}}`,
          );
        }),
      );
    });
    test('what is in the same place twice is repeated', () => {
      const list = probe.share(value([[1], 0, { a: 1 }, 0]), 0, 1);
      expect(read(probe.ambiguous(probe.share(list, 2, 3)))).toBe(
        '[ [ 1 ] «repeated» { a = 1; } «repeated» ]',
      );
      expect(read(probe.ambiguous(value([[], [], {}, {}])))).toBe('[ [ ] [ ] { } { } ]');
    });
    test('sets of derivations are their paths for `nix eval` only', () => {
      const drv = { type: 'derivation', drvPath: '/nix/store/x.drv' };
      expect(read(probe.printed(value([drv])))).toBe('[ «derivation /nix/store/x.drv» ]');
      expect(read(probe.ambiguous(value(drv)))).toBe(
        '{ drvPath = "/nix/store/x.drv"; type = "derivation"; }',
      );
    });
    test('nesting is limited by memory only', () => {
      const nested = value(JSON.parse(`${'['.repeat(800)}1${']'.repeat(800)}`));
      expect(read(probe.ambiguous(nested))).toBe(`${'[ '.repeat(800)}1${' ]'.repeat(800)}`);
    });
  });

  describe('printing in messages', () => {
    const check = (json: unknown, expected: string) =>
      expect(read(probe.errorText(value(json)))).toBe(expected);
    test('ten items, attributes and levels', () => {
      check([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], '[ 1 2 3 4 5 6 7 8 9 10 «1 item elided» ]');
      check(
        [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4], 5, 6],
        '[ [ 1 2 3 4 5 6 ] [ 1 2 3 «1 item elided» ] «2 items elided» ]',
      );
      check(
        { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1, j: 1, k: 1, type: 'x', _type: 'y' },
        '{ _type = "y"; type = "x"; a = 1; b = 1; c = 1; d = 1; e = 1; f = 1; g = 1; h = 1; «3 attributes elided» }',
      );
      check(JSON.parse(`${'['.repeat(11)}${']'.repeat(11)}`), `${'[ '.repeat(10)}[ ... ]${' ]'.repeat(10)}`);
      check(
        JSON.parse(`${'{"a":'.repeat(11)}1${'}'.repeat(11)}`),
        `${'{ a = '.repeat(10)}{ ... }${'; }'.repeat(10)}`,
      );
    });
    test('1024 bytes of a string', () => {
      check('x'.repeat(1024), `"${'x'.repeat(1024)}"`);
      check('x'.repeat(1025), `"${'x'.repeat(1024)}" «1 byte elided»`);
      check('x'.repeat(2000), `"${'x'.repeat(1024)}" «976 bytes elided»`);
    });
    test('names of types', () => {
      const name = (json: unknown) => read(probe.typeName(value(json)));
      expect([null, true, 1, 1.5, 's', [], {}].map(name)).toEqual([
        'null',
        'a Boolean',
        'an integer',
        'a float',
        'a string',
        'a list',
        'a set',
      ]);
    });
  });

  describe('equality and order', () => {
    const equal = (a: unknown, b: unknown) => probe.equal(value(a), value(b));
    const compare = (a: unknown, b: unknown) => probe.compare(value(a), value(b));
    test('values are equal as their JSON is', () => {
      const { tree } = fc.letrec((tie) => ({
        tree: fc.oneof(
          { maxDepth: 4 },
          fc.constantFrom(null, true, false, 'a', 'b'),
          fc.integer({ min: 0, max: 3 }),
          fc.array(tie('tree'), { maxLength: 2 }),
          fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('tree'), { maxKeys: 2 }),
        ),
      }));
      fc.assert(
        fc.property(tree, tree, (a, b) => {
          const same = read(probe.printed(value(a))) === read(probe.printed(value(b)));
          expect(equal(a, b)).toBe(Number(same));
          expect(equal(a, JSON.parse(JSON.stringify(a)))).toBe(1);
        }),
        { numRuns: 500 },
      );
    });
    test('integers and floats compare as numbers', () => {
      expect(equal(1, 1.5)).toBe(0);
      expect(probe.equal(value(1), probe.fromJson(text('1.0')))).toBe(1);
      expect(
        probe.equal(probe.fromJson(text('9007199254740993')), probe.fromJson(text('9007199254740992.0'))),
      ).toBe(1);
      expect(compare(1, 1.5)).toBe(-1);
      expect(compare(2.5, 1)).toBe(1);
    });
    test('strings and lists', () => {
      expect(compare('a', 'b')).toBe(-1);
      expect(compare('a', 'a')).toBe(0);
      expect(compare('a\u00e4', 'az')).toBe(1);
      expect(compare([1, 2], [1, 3])).toBe(-1);
      expect(compare([1], [1, 2])).toBe(-1);
      expect(compare([1, 2], [1])).toBe(1);
      expect(compare([{}, [1], 2], [{}, [1], 2])).toBe(0);
      expect(compare([{ a: 1 }, 1], [{ a: 1 }, 2])).toBe(-1);
    });
    test('strings compare bytewise', () => {
      // Long common beginnings, bytes above 127 and zeros are what a comparison by words could get wrong.
      const unit = fc.constantFrom('a', 'b', '\u0000', '\u00e4', '\u{10ffff}');
      const string = fc.string({ unit, maxLength: 20 });
      fc.assert(
        fc.property(string, string, fc.nat({ max: 17 }), (a, b, shared) => {
          const [left, right] = ['x'.repeat(shared) + a, 'x'.repeat(shared) + b];
          expect(probe.compare(text(left), text(right))).toBe(
            Buffer.compare(Buffer.from(left), Buffer.from(right)),
          );
        }),
      );
    });
    test('what cannot be compared', () => {
      for (const [a, b] of [
        [1, 'a'],
        [null, null],
        [true, false],
        [{}, {}],
        [[{}], [{ a: 1 }]],
        [['a'], [1]],
      ]) {
        expect(compare(a, b)).toBe(2);
      }
    });
    test('derivations are equal when their paths are', () => {
      const drv = (outPath: string, more: number) => ({ type: 'derivation', outPath, more });
      expect(equal(drv('/a', 1), drv('/a', 2))).toBe(1);
      expect(equal(drv('/a', 1), drv('/b', 1))).toBe(0);
      expect(equal(drv('/a', 1), { ...drv('/a', 2), type: 'x' })).toBe(0);
      expect(equal({ type: 'derivation', a: 1 }, { type: 'derivation', a: 1 })).toBe(1);
    });
    test('deep nesting is left to the machine', () => {
      const nested = JSON.parse(`${'['.repeat(50)}${']'.repeat(50)}`);
      expect(equal(nested, nested)).toBe(-1);
    });
  });

  describe('coercion', () => {
    const check = (json: unknown, expected: string | undefined, flags = 1) => {
      const result = probe.coerce(value(json), flags);
      expect(result === 0 ? undefined : read(result)).toBe(expected);
    };
    test('what toString makes', () => {
      check('a', 'a');
      check(null, '');
      check(false, '');
      check(true, '1');
      check(-5, '-5');
      check(1.5, '1.500000');
      check({ outPath: { outPath: '/a' } }, '/a');
      check({}, undefined);
      check([1, [], 2, [[]], [3, []], '', 4, null, true], '1 2  3   4  1');
      check([[], []], '');
      check([[[]], 1], ' 1');
    });
    test('what interpolation refuses', () => {
      for (const json of [null, true, 1, 1.5, [], ['a'], {}]) check(json, undefined, 6);
      check({ outPath: 'x' }, 'x', 6);
    });
  });

  describe('floats', () => {
    const double = fc.double({ noNaN: true, noDefaultInfinity: true });
    /** `%g` from the exact digits that JavaScript gives. */
    const general = (x: number): string => {
      const sign = x < 0 || Object.is(x, -0) ? '-' : '';
      if (x === 0) return `${sign}0`;
      const [mantissa = '', exponent = ''] = Math.abs(x).toExponential(5).split('e');
      const e = Number(exponent);
      const trimmed = (s: string) => (s.includes('.') ? s.replace(/\.?0+$/, '') : s);
      if (e < -4 || e >= 6) {
        return `${sign}${trimmed(mantissa)}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
      }
      return sign + trimmed(Number(`${mantissa}e${e}`).toFixed(Math.max(0, 5 - e)));
    };
    test('%g', () => {
      const same = fc.property(double, (x) => {
        expect(read(probe.general(x))).toBe(general(x));
      });
      fc.assert(same, { numRuns: 2000 });
      const exact = (x: number, expected: string) => expect(read(probe.general(x))).toBe(expected);
      exact(100000.5, '100000');
      exact(100001.5, '100002');
      exact(999999.5, '1e+06');
      exact(Infinity, 'inf');
      exact(-Infinity, '-inf');
      exact(5e-324, '4.94066e-324');
    });
    test('%f', () => {
      const exact = (x: number, expected: string) => expect(read(probe.fixed(x))).toBe(expected);
      exact(0, '0.000000');
      exact(-0, '-0.000000');
      exact(1e21, '1000000000000000000000.000000');
      exact(2 ** -7, '0.007812');
      exact(3 * 2 ** -7, '0.023438');
      exact(0.0000005, '0.000000');
      exact(0.0000015, '0.000002');
      exact(9.9999999, '10.000000');
      exact(0.9999999, '1.000000');
      fc.assert(
        fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), (x) => {
          // JavaScript rounds ties up where C rounds them to even; both are within half a unit.
          expect(Math.abs(Number(read(probe.fixed(x))) - x)).toBeLessThanOrEqual(
            0.5e-6 + Math.abs(x) * 2 ** -52,
          );
        }),
      );
    });
    test('JSON reads back as the same number, nearly always with the fewest digits', () => {
      let longer = 0;
      const digits = (s: string) =>
        s
          .replace(/e.*$/, '')
          .replace(/^-?0*\.?0*|\./g, '')
          .replace(/^0+|0+$/g, '').length;
      fc.assert(
        fc.property(double, (x) => {
          const json = read(probe.shortest(x));
          expect(Object.is(JSON.parse(json), x)).toBe(true);
          if (digits(json) > digits(String(x))) longer++;
        }),
        { numRuns: 3000 },
      );
      expect(longer).toBeLessThan(60);
      const exact = (x: number, expected: string) => expect(read(probe.shortest(x))).toBe(expected);
      exact(1, '1.0');
      exact(-0, '-0.0');
      exact(0.0001, '0.0001');
      exact(0.00001, '1e-05');
      exact(123456789012345, '123456789012345.0');
      exact(1e15, '1e+15');
      exact(0.1 + 0.2, '0.30000000000000004');
      exact(NaN, 'null');
    });
  });

  describe('paths', () => {
    test('normal forms', () => {
      const check = (path: string, expected: string) => {
        expect(read(probe.canonicalPath(text(path)))).toBe(expected);
        expect(probe.isCanonical(text(path))).toBe(Number(path === expected));
        expect(probe.isCanonical(text(expected))).toBe(1);
      };
      check('/', '/');
      check('/a/b', '/a/b');
      check('//a///b/', '/a/b');
      check('/a/./b/.', '/a/b');
      check('/a/../b', '/b');
      check('/../../a/..', '/');
      check('/a/b/../../../c', '/c');
      check('/.a/..b/...', '/.a/..b/...');
      check('a/b', '/a/b');
    });
    test('names in the store', () => {
      const hash = '0123456789abcdfghijklmnpqrsvwxyz';
      for (const name of ['a', '.a', '..a', 'a.b-c_d+e?f=g', 'x'.repeat(211)]) {
        expect(probe.storeName(text(name))).toBe(1);
        expect(probe.storePathName(text(`${hash}-${name}`))).toBe(1);
      }
      for (const name of ['', '.', '..', '.-a', '..-a', 'a b', 'ä', 'a/b', 'x'.repeat(212)]) {
        expect(probe.storeName(text(name))).toBe(0);
      }
      for (const path of [
        hash,
        `${hash}-`,
        `${hash}a`,
        `${hash.replace('0', 'e')}-a`,
        `${hash.slice(1)}-a`,
      ]) {
        expect(probe.storePathName(text(path))).toBe(0);
      }
    });
  });

  test('versions', () => {
    const check = (a: string, b: string, expected: number) => {
      expect(probe.versions(text(a), text(b))).toBe(expected);
      expect(probe.versions(text(b), text(a))).toBe(0 - expected);
    };
    check('1.0', '2.3', -1);
    check('2.1', '2.3', -1);
    check('2.3', '2.3', 0);
    check('2.5', '2.3', 1);
    check('3.1', '2.3', 1);
    check('2.3.1', '2.3', 1);
    check('2.3.1', '2.3a', 1);
    check('2.3pre1', '2.3', -1);
    check('2.3pre3', '2.3pre12', -1);
    check('2.3a', '2.3c', -1);
    check('2.3pre1', '2.3c', -1);
    check('2.3pre1', '2.3q', -1);
    check('1-2', '1.2', 0);
    check('010', '10', 0);
    // What does not fit 31 bits is a word.
    check('2147483648', '2147483647', -1);
    check('9999999999', '99999999999', -1);
  });

  test('replacing', () => {
    const check = (from: string[], to: string[], string: string, expected: string) =>
      expect(read(probe.replace(text(string), value(from), value(to)))).toBe(expected);
    check(['a'], ['b'], 'banana', 'bbnbnb');
    check(['oo', 'a'], ['a', 'i'], 'foobar', 'fabir');
    check(['a', 'ab'], ['1', '2'], 'abab', '1b1b');
    check(['ab', 'a'], ['2', '1'], 'abaab', '212');
    check([''], ['X'], 'ab', 'XaXbX');
    check([''], ['X'], '', 'X');
    check(['b', '', 'a'], ['1', '-', '2'], 'abc', '-a1-c-');
    check(['', 'a'], ['-', 'X'], 'aa', '-a-a-');
    check(['long'], ['x'], 'lon', 'lon');
    check([], [], 'abc', 'abc');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 2 }), fc.string())),
        fc.string(),
        (pairs, string) => {
          const patterns = pairs.map(([from]) => from);
          let expected = '';
          for (let at = 0; at < string.length;) {
            const index = patterns.findIndex((pattern) => string.startsWith(pattern, at));
            expected += index < 0 ? string[at] : pairs[index]?.[1];
            at += index < 0 ? 1 : (patterns[index]?.length ?? 1);
          }
          check(
            patterns,
            pairs.map(([, to]) => to),
            string,
            expected,
          );
        },
      ),
    );
  });

  test('joining', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string(), (strings, separator) => {
        expect(read(probe.joinStrings(value(strings), text(separator)))).toBe(strings.join(separator));
      }),
    );
  });

  test('uniting contexts', () => {
    expect(probe.uniteContexts(1, 0, 1, 10)).toBe(1);
    expect(probe.uniteContexts(5, 3, 0, 10)).toBe(1);
    expect(probe.uniteContexts(100, 0, 1, 10)).toBe(10);
    expect(probe.uniteContexts(20_000, 7, 7919, 100_003)).toBe(20_000);
  });
});
