import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ProbeMode, compileProbe } from './probe.ts';
import { failures, trees } from './syntax-cases.ts';

type Node = number;
type Exports = {
  readonly memory: WebAssembly.Memory;
  readonly initialize: () => void;
  readonly reserve: (size: number) => number;
  readonly setBase: (at: number, length: number) => void;
  readonly setHome: (at: number, length: number) => void;
  readonly setPipeOperators: (enabled: boolean) => void;
  readonly setSyntaxLints: (url: number, short: number, absolute: number) => void;
  readonly parse: (at: number, length: number) => Node;
  readonly startPosition: () => number;
  readonly show: (node: Node) => number;
  readonly showFloat: (x: number, precision: number) => number;
  readonly shown: () => number;
  readonly parseFloat64: (at: number, length: number) => number;
  readonly positionOf: (node: Node) => number;
  readonly attrValue: (node: Node, index: number) => Node;
  readonly attrPosition: (node: Node, index: number) => number;
  readonly lambdaBody: (node: Node) => Node;
  readonly lambdaDocumentation: (node: Node) => number;
  readonly showLambdaName: (node: Node) => number;
  readonly syntaxErrorCount: () => number;
  readonly syntaxErrorPosition: (index: number) => number;
  readonly syntaxErrorSecondPosition: (index: number) => number;
  readonly syntaxErrorMessage: (index: number) => number;
  readonly syntaxErrorLength: (index: number) => number;
  readonly syntaxWarningCount: () => number;
  readonly syntaxWarningPosition: (index: number) => number;
  readonly syntaxWarningMessage: (index: number) => number;
  readonly syntaxWarningLength: (index: number) => number;
};

type Report = { readonly at: string; readonly message: string };

async function openProbe(mode: ProbeMode) {
  const probe = (await compileProbe('syntax', mode)).exports as unknown as Exports;
  probe.initialize();
  const put = (bytes: Uint8Array): number => {
    const at = probe.reserve(bytes.length) >>> 0;
    new Uint8Array(probe.memory.buffer).set(bytes, at);
    return at;
  };
  const read = (at: number, length: number): string =>
    new TextDecoder().decode(new Uint8Array(probe.memory.buffer, at >>> 0, length));
  const encode = (text: string) => new TextEncoder().encode(text);
  const parse = (text: string): Node => {
    const bytes = encode(text);
    return probe.parse(put(bytes), bytes.length);
  };
  /** `line:column` of a position in the text that was parsed last, columns in bytes. */
  const place = (text: string, position: number): string => {
    const before = encode(text).subarray(0, position - probe.startPosition());
    const lines = Buffer.from(before)
      .toString('latin1')
      .split(/\r\n|\n|\r/);
    return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
  };
  const errorsOf = (text: string): Report[] =>
    Array.from({ length: probe.syntaxErrorCount() }, (_, index) => {
      const second = probe.syntaxErrorSecondPosition(index);
      const message = read(probe.syntaxErrorMessage(index), probe.syntaxErrorLength(index));
      return {
        at: place(text, probe.syntaxErrorPosition(index)),
        message: second === 0 ? message : `${message}«${place(text, second)}»`,
      };
    });
  const warningsOf = (text: string): Report[] =>
    Array.from({ length: probe.syntaxWarningCount() }, (_, index) => ({
      at: place(text, probe.syntaxWarningPosition(index)),
      message: read(probe.syntaxWarningMessage(index), probe.syntaxWarningLength(index)),
    }));
  const base = encode('/base');
  probe.setBase(put(base), base.length);
  const home = encode('/root');
  probe.setHome(put(home), home.length);
  return { ...probe, parse, place, errorsOf, warningsOf, put, encode, read };
}

const modes: readonly ProbeMode[] = ['release', 'debug'];
const probes = new Map(await Promise.all(modes.map(async (mode) => [mode, await openProbe(mode)] as const)));

describe.each(modes)('%s', (mode) => {
  const probe = probes.get(mode);
  if (probe === undefined) throw new Error('every mode has a probe');
  const show = (node: Node): string => {
    const length = probe.show(node);
    return probe.read(probe.shown(), length);
  };
  const parseWithout = (text: string): Node => {
    const node = probe.parse(text);
    expect(probe.errorsOf(text), text).toEqual([]);
    return node;
  };

  describe.each(Object.entries(trees))('trees of Nix: %s', (_group, cases) => {
    test.each(cases)('%j', (text, tree) => {
      probe.setPipeOperators(true);
      expect(show(parseWithout(text))).toBe(tree);
    });
  });

  describe('messages of Nix', () => {
    test.each(failures)('%j', (text, at, message) => {
      probe.setPipeOperators(true);
      probe.parse(text);
      expect(probe.errorsOf(text)[0]).toEqual({ at, message });
    });
  });

  test('pipes are errors unless they are enabled', () => {
    probe.setPipeOperators(false);
    const message =
      "experimental Nix feature 'pipe-operators' is disabled; add '--extra-experimental-features pipe-operators' to enable it";
    for (const [text, at] of [
      ['a |> b', '1:3'],
      ['a <| b', '1:3'],
    ] as const) {
      probe.parse(text);
      expect(probe.errorsOf(text)).toEqual([{ at, message }]);
    }
  });

  test('a NUL byte ends plain text and is an error in a string', () => {
    expect(show(parseWithout('1\0 2'))).toBe('1');
    const check = (text: string, at: string, message: string) => {
      probe.parse(text);
      expect(probe.errorsOf(text)[0]).toEqual({ at, message });
    };
    const about = (shown: string) =>
      `input string '${shown}' cannot be represented as Nix string because it contains null bytes`;
    check('(1 \0 2', '1:5', "syntax error, unexpected end of file, expecting ')'");
    check('"a\0b"', '1:2', about('a␀b'));
    check("''a\0b''", '1:3', about('a␀b'));
  });

  describe('lints', () => {
    const message = {
      url: (word: string) =>
        `URL literals are ${word}. Consider using a string literal "http://x" instead (lint-url-literals)`,
      short:
        "relative path literal 'a/b' should be prefixed with '.' for clarity: './a/b' (lint-short-path-literals)",
      absolute: (kind: string, path: string) =>
        `${kind} path literals are not portable. Consider replacing path literal '${path}' by a string, relative path, or parameter (lint-absolute-path-literals)`,
    };
    const text = '[ http://x a/b ./a /a/b ~/c ]';
    const expected = (word: string): Report[] => [
      { at: '1:3', message: message.url(word) },
      { at: '1:12', message: message.short },
      { at: '1:20', message: message.absolute('absolute', '/a/b') },
      { at: '1:25', message: message.absolute('home', '~/c') },
    ];
    test.each([
      ['ignore', 0],
      ['warn', 1],
      ['fatal', 2],
    ] as const)('%s', (level, number) => {
      probe.setSyntaxLints(number, number, number);
      probe.parse(text);
      probe.setSyntaxLints(0, 0, 0);
      expect(probe.warningsOf(text)).toEqual(level === 'warn' ? expected('discouraged') : []);
      expect(probe.errorsOf(text)).toEqual(level === 'fatal' ? expected('disallowed') : []);
    });
  });

  test('`or` as a variable is warned of where a future grammar reads it otherwise', () => {
    const cursed = (text: string): readonly (readonly [string, string | undefined])[] => {
      parseWithout(text);
      return probe.warningsOf(text).map(({ at, message }) => [at, /\((.*)\)\n/.exec(message)?.[1]] as const);
    };
    expect(cursed('x: [ x or ]')).toEqual([['1:6', 'x or']]);
    expect(cursed('x: x x or')).toEqual([['1:6', 'x or']]);
    expect(cursed('x: x.a or x or')).toEqual([['1:11', 'x or']]);
    expect(cursed('x: [ (x or) ]')).toEqual([]);
    expect(cursed('x: x or')).toEqual([]);
    expect(cursed('x: x.or.a or x')).toEqual([]);
  });

  describe('functions', () => {
    const lambda = (text: string) => {
      const value = probe.attrValue(parseWithout(text), 0);
      const describeLambda = (node: Node) => {
        const length = probe.showLambdaName(node);
        const documentation = probe.lambdaDocumentation(node);
        return {
          at: probe.place(text, probe.positionOf(node)),
          name: probe.read(probe.shown(), length),
          documentation: documentation === 0 ? undefined : probe.place(text, documentation),
        };
      };
      return { outer: describeLambda(value), inner: describeLambda(probe.lambdaBody(value)) };
    };
    test('have the name of their attribute, also through their bodies', () => {
      const { outer, inner } = lambda('{ f = x: y: x; }');
      expect(outer).toEqual({ at: '1:7', name: 'f', documentation: undefined });
      expect(inner).toEqual({ at: '1:10', name: 'f', documentation: undefined });
    });
    test('have the doc comment before them or their attribute', () => {
      expect(lambda('{ /** d */ f = x: y: x; }').outer.documentation).toBe('1:3');
      expect(lambda('{ /** d */ f = x: y: x; }').inner.documentation).toBe('1:3');
      expect(lambda('{ f = /** d */ { a }: y: y; }').outer.documentation).toBe('1:7');
      expect(lambda('{ /** d */ f = /** e */ x: y: y; }').outer.documentation).toBe('1:16');
      expect(lambda('{ /** d */ f = x: /** e */ y: y; }').outer.documentation).toBe('1:3');
      expect(lambda('{ /** d */ f = x: /** e */ y: y; }').inner.documentation).toBe('1:19');
      expect(lambda('{ /** d */ /* c */ # l\n f = x: y: y; }').outer.documentation).toBe('1:3');
    });
    test('have none when something is between, or the comment is no doc comment', () => {
      expect(lambda('{ f /** d */ = x: y: y; }').outer.documentation).toBeUndefined();
      expect(lambda('{ /*** d */ f = x: y: y; }').outer.documentation).toBeUndefined();
      expect(lambda('{ /* d */ f = x: y: y; }').outer.documentation).toBeUndefined();
    });
  });

  test('positions are those that Nix shows', () => {
    const check = (text: string, at: string | undefined) => {
      const position = probe.positionOf(parseWithout(text));
      expect(position === 0 ? undefined : probe.place(text, position), text).toBe(at);
    };
    check(' x y', '1:2');
    check('x + y', '1:3');
    check('x - y', '1:3');
    check('x <= y', '1:3');
    check('- x', '1:1');
    check('!x', '1:2');
    check('(x).y', '1:1');
    check('(x) y', '1:1');
    check('{ }', '1:1');
    check('x ? y', '1:1');
    check('"a${x}"', '1:2');
    check('"${x}"', '1:2');
    check("''a${x}''", '1:1');
    check('[ x y ]', '1:3');
    check('[ ]', undefined);
    check('1', undefined);
    check('let a = 1; in a', undefined);
    check('if x then y else z', '1:1');
    const text = '{ a.b = 1;\n  a.c = 2;\n  "d" = 3; }';
    const set = parseWithout(text);
    expect([0, 1].map((index) => probe.place(text, probe.attrPosition(set, index)))).toEqual(['1:3', '3:3']);
    expect(
      [0, 1].map((index) => probe.place(text, probe.attrPosition(probe.attrValue(set, 0), index))),
    ).toEqual(['1:3', '2:3']);
  });

  describe('parsing goes on after an error', () => {
    const check = (text: string, tree: string, places: readonly string[]) => {
      const node = probe.parse(text);
      expect(probe.errorsOf(text).map(({ at }) => at)).toEqual(places);
      expect(show(node)).toBe(tree);
    };
    test.each([
      ['{ a = ; b = 2; }', '{ a = <error>; b = 2; }', ['1:7']],
      ['{ a = 1; b c = 3; d = 4; }', '{ a = 1; b = 3; d = 4; }', ['1:12']],
      ['{ a = (1; b = 2; }', '{ a = 1; b = 2; }', ['1:9']],
      ['{ a = [ 1 + 2 ]; b = 2; }', '{ a = [ (1) (2) ]; b = 2; }', ['1:11']],
      ['{ a = x.; b = 2; }', '{ a = (x)."${<error>}"; b = 2; }', ['1:9']],
      ['{ a = if x then ; b = y z; }', '{ a = (if x then <error> else <error>); b = (y z); }', ['1:17']],
      ['let a = 1; b = ] ; in a', '(let a = 1; b = <error>; in a)', ['1:16']],
      ['{ a = "x${ }y"; b = 2; }', '{ a = ("x" + <error> + "y"); b = 2; }', ['1:12']],
      ['{ a = 1; a = 2; b = ); c = 3; }', '{ a = 1; b = <error>; c = 3; }', ['1:10', '1:21']],
      ['{ a, b c }: a', '({ a, b }: a)', ['1:8']],
      ['(1', '1', ['1:3']],
    ] as const)('%j', check);
  });

  describe('depth and length cost memory only', () => {
    const count = 50_000;
    test.each([
      ['parentheses', '('.repeat(count) + '1' + ')'.repeat(count), 1],
      ['lists', '['.repeat(count) + ']'.repeat(count), undefined],
      ['sets', '{a='.repeat(count) + '1' + ';}'.repeat(count), undefined],
      ['functions', 'a: '.repeat(count) + '1', undefined],
      ['interpolations', '"${'.repeat(count) + '1' + '}"'.repeat(count), undefined],
      ['conditions', 'if a then b else '.repeat(count) + '1', undefined],
      ['negations', '!'.repeat(count) + 'a', undefined],
      ['sums', Array(count).fill('a').join(' + '), undefined],
      ['updates', Array(count).fill('a').join(' // '), undefined],
      ['items', `[${' a'.repeat(count)}]`, 4 * count + 3],
      ['arguments', `f${' a'.repeat(count)}`, 2 * count + 3],
      ['selections', `a${'.b'.repeat(count)}`, 2 * count + 3],
      ['fallbacks', 'a.b or '.repeat(count) + 'c', undefined],
      [
        'attributes',
        `{${Array.from({ length: count }, (_, i) => `a${(i * 7919) % count} = 1;`).join('')}}`,
        undefined,
      ],
      ['inherited', `{${Array.from({ length: count }, (_, i) => `inherit a${i};`).join('')}}`, undefined],
      ['formals', `{ ${Array.from({ length: count }, (_, i) => `a${i}`).join(', ')} }: 1`, undefined],
    ] as const)('%s', (_name, text, length) => {
      const shown = probe.show(parseWithout(text));
      if (length !== undefined) expect(shown).toBe(length);
    });
    test('to a limit', () => {
      probe.parse('('.repeat(1_100_000));
      expect(probe.errorsOf('')[0]?.message).toBe('memory exhausted');
    });
  });

  describe('floats', () => {
    const parseFloat64 = (text: string): number => {
      const bytes = probe.encode(text);
      return probe.parseFloat64(probe.put(bytes), bytes.length);
    };
    test('are the nearest to their decimals', () => {
      for (const text of [
        '0',
        '-0',
        '1e23',
        '9007199254740993',
        '9007199254740993.0000000000000000001',
        '2.2250738585072011e-308',
        '2.2250738585072014e-308',
        '4.9e-324',
        '2.4703282292062327e-324',
        '2.4703282292062328e-324',
        '1e-400',
        '1e400',
        '1.7976931348623157e308',
        '1.7976931348623159e308',
        '8.5',
        '123456789012345678901234567890',
        '1e+5',
        '0.1e-7',
        '6.631236846766476e-316',
        '3.237883913302901e-319',
        '0.000000000000000000000000001',
        `0.${'0'.repeat(400)}1e401`,
        `1${'0'.repeat(400)}e-400`,
        `${'9'.repeat(900)}e-900`,
      ]) {
        expect(parseFloat64(text), text).toBe(Number(text));
      }
    });
    test('survive the way there and back', () => {
      const bits = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((n) => {
        const view = new DataView(new ArrayBuffer(8));
        view.setBigUint64(0, n);
        return view.getFloat64(0);
      });
      fc.assert(
        fc.property(
          fc.oneof(bits.filter(Number.isFinite), fc.double({ noNaN: true, noDefaultInfinity: true })),
          (x) => {
            const sign = Object.is(x, -0) ? '-' : '';
            expect(parseFloat64(sign + String(x))).toBe(x);
            expect(parseFloat64(sign + x.toExponential(16))).toBe(x);
          },
        ),
        { numRuns: 500 },
      );
    });
    test('and random decimals', () => {
      const decimal = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: -350, max: 300 }));
      fc.assert(
        fc.property(decimal, ([digits, exponent]) => {
          const text = `${digits}e${exponent}`;
          expect(parseFloat64(text)).toBe(Number(text));
        }),
        { numRuns: 500 },
      );
    });
    test('are shown as %g does', () => {
      fc.assert(
        fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
          const length = probe.showFloat(x, 6);
          const text = probe.read(probe.shown(), length);
          expect(Number(text)).toBe(Object.is(x, -0) ? -0 : Number(x.toPrecision(6)));
        }),
      );
    });
  });

  test('no text makes the parser fail', () => {
    const pieces = [
      '{',
      '}',
      '(',
      ')',
      '[',
      ']',
      '"',
      "''",
      '${',
      'let',
      'in',
      'if',
      'then',
      'else',
      'rec',
      'with',
      'inherit',
      'a',
      'or',
      '.',
      ',',
      ';',
      ':',
      '=',
      '@',
      '?',
      '+',
      '->',
      '==',
      '!',
      './a',
      '/',
      '1',
      '1.5',
      '...',
      '\\',
      '$',
      '\0',
      '/*',
      '*/',
      '\n',
      ' ',
      '<a>',
      '|>',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (text) => {
        probe.show(probe.parse(text.join('')));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        probe.show(probe.parse(String.fromCharCode(...bytes)));
      }),
      { numRuns: 500 },
    );
  });
});
