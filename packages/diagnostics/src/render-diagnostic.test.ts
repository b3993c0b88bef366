// Expected texts are what Nix 2.34 printed for these sources; the diagnostics are what led it to do so.
import { describe, expect, test } from 'vitest';
import { type Diagnostic, type Origin, type Position, type Trace, renderDiagnostic } from './index.ts';

/** A place in a source; the default origin is an expression of the command line. */
function at(source: string, place: [number, number], origin: Origin = { kind: 'string' }): Position {
  const bytes = new TextEncoder().encode(source);
  return { origin, line: place[0], column: place[1], source: () => bytes };
}

function error(message: string, rest: Partial<Diagnostic> = {}): Diagnostic {
  return { kind: 'error', message, traces: [], suggestions: [], ...rest };
}

type Case = { diagnostic: Diagnostic; showTrace?: boolean; expected: string };

/** Expected texts are written with one line end in front, for the eye. */
function check(cases: Record<string, Case>): void {
  test.each(Object.entries(cases))('%s', (_, { diagnostic, showTrace = false, expected }) => {
    expect(`\n${renderDiagnostic(diagnostic, { showTrace })}\n`).toBe(expected);
  });
}

describe('positions', () => {
  const file: Origin = { kind: 'file', path: '/x.nix' };
  const tabs = '{ x = \t1;\n\ty = 2;\n  z = \t\t(q\t+ 1);\n\t}.z';
  check({
    'the end of one line': {
      diagnostic: error('syntax error, unexpected end of file', { position: at('{}: 1 +', [1, 8]) }),
      expected: `
error: syntax error, unexpected end of file
       at «string»:1:8:
            1| {}: 1 +
             |        ^
`,
    },
    'standard input, with an empty last line': {
      diagnostic: error('cannot add a string to an integer', {
        position: at('1 + "a"\n', [1, 5], { kind: 'stdin' }),
      }),
      expected: `
error: cannot add a string to an integer
       at «stdin»:1:5:
            1| 1 + "a"
             |     ^
            2|
`,
    },
    'CRLF, a lone CR, and a column that counts bytes': {
      diagnostic: error("undefined variable 'y'", {
        position: at('{ a = 1;\r\n\t"é" = x: \ty; }\rb', [2, 13], {
          kind: 'file',
          path: '/home/ada/crlf.nix',
        }),
      }),
      expected: `
error: undefined variable 'y'
       at /home/ada/crlf.nix:2:13:
            1| { a = 1;
            2|    "é" = x:        y; }
             |             ^
            3| b
`,
    },
    'tab stops count from the start of the text': {
      diagnostic: error("undefined variable 'q'", {
        position: at(tabs, [3, 10], { kind: 'file', path: '/home/ada/tabs.nix' }),
      }),
      expected: `
error: undefined variable 'q'
       at /home/ada/tabs.nix:3:10:
            2|   y = 2;
            3|   z =              (q      + 1);
             |          ^
            4|    }.z
`,
    },
    'a source that cannot be read': {
      diagnostic: error('gone', {
        position: { origin: file, line: 3, column: 4, source: () => undefined },
      }),
      expected: `
error: gone
       at /x.nix:3:4:
`,
    },
    suggestions: {
      diagnostic: error("attribute 'alpa' missing", {
        position: at('with { }; set.alpa.x', [1, 11]),
        suggestions: ['alba', 'alfa', 'alp', 'alpha', 'aleph'],
      }),
      expected: `
error: attribute 'alpa' missing
       at «string»:1:11:
            1| with { }; set.alpa.x
             |           ^
       Did you mean one of alba, alfa, alp, alpha or aleph?
`,
    },
  });
});

describe('messages', () => {
  check({
    'blanks at the end of a line and of the text': {
      diagnostic: error('a\n  b  \nc\n'),
      expected: '\nerror: a\n         b\n       c\n',
    },
    'an empty line within': { diagnostic: error('a\n\nb\n\n'), expected: '\nerror: a\n\n       b\n' },
    'no text': { diagnostic: error(''), expected: '\nerror:\n' },
    'a warning of the program': {
      diagnostic: { ...error('a\nb'), kind: 'evaluation warning' },
      expected: '\nevaluation warning: a\n                    b\n',
    },
    'what a terminal would obey': {
      diagnostic: {
        ...error('é\tx \u0007 \u001B[31mred\u001B[0m\u001B[2Kq \r日本\ty\te\u0301\t|'),
        kind: 'evaluation warning',
      },
      expected: '\nevaluation warning: é   x  redq 日本    y       e\u0301       |\n',
    },
  });
});

describe('traces', () => {
  const recursive = 'let\n  f = n: if n == 0 then throw "deep" else f (n - 1) + 0;\nin\n  f 12\n';
  const file: Origin = { kind: 'file', path: '/rec.nix' };
  const call = (place: [number, number], message = 'from call site'): Trace => ({
    message,
    position: at(recursive, place, file),
  });
  const thrown = call([2, 25], "while calling the 'throw' builtin");
  const deep = [call([2, 43]), call([2, 7], "while calling 'f'")];
  const context = (message: string): Trace => ({ message, always: true });
  const shortThrow: Trace = { message: 'thrown', position: at('throw "end"', [1, 1]) };

  check({
    'repeated frames': {
      showTrace: true,
      diagnostic: error('deep', {
        traces: [
          call([4, 3]),
          call([2, 7], "while calling 'f'"),
          ...Array.from({ length: 12 }, () => deep).flat(),
          thrown,
        ],
      }),
      expected: `
error:
       … from call site
         at /rec.nix:4:3:
            3| in
            4|   f 12
             |   ^
            5|

       … while calling 'f'
         at /rec.nix:2:7:
            1| let
            2|   f = n: if n == 0 then throw "deep" else f (n - 1) + 0;
             |       ^
            3| in

       … from call site
         at /rec.nix:2:43:
            1| let
            2|   f = n: if n == 0 then throw "deep" else f (n - 1) + 0;
             |                                           ^
            3| in

       (23 duplicate frames omitted)

       … while calling the 'throw' builtin
         at /rec.nix:2:25:
            1| let
            2|   f = n: if n == 0 then throw "deep" else f (n - 1) + 0;
             |                         ^
            3| in

       error: deep
`,
    },
    'five repeated frames are shown': {
      diagnostic: error('end', { traces: [...Array.from({ length: 5 }, () => context('same')), shortThrow] }),
      expected: `
error:
       … same

       … same

       … same

       … same

       … same

       … thrown
         at «string»:1:1:
            1| throw "end"
             | ^

       error: end
`,
    },
    'frames of two kinds, seen before, are counted together': {
      diagnostic: error('end', {
        traces: [
          ...['same', 'other', ...Array<string>(8).fill('other'), ...Array<string>(9).fill('same')].map(
            context,
          ),
          shortThrow,
        ],
      }),
      expected: `
error:
       … same

       … other

       (17 duplicate frames omitted)

       … thrown
         at «string»:1:1:
            1| throw "end"
             | ^

       error: end
`,
    },
    'the rest is truncated, but not what addErrorContext says': {
      diagnostic: error('a', {
        traces: [
          context('while  preparing'),
          context('outer\nsecond line'),
          { message: 'forcing', position: at('x', [1, 1]) },
          context('three'),
          shortThrow,
        ],
      }),
      expected: `
error:
       … while  preparing

       … outer
       second line

       … forcing
         at «string»:1:1:
            1| x
             | ^

       … three

       (stack trace truncated; use '--show-trace' to show the full, detailed trace)

       error: a
`,
    },
  });
});

test('colours', () => {
  const source = 'throw ""';
  const diagnostic = error('x', {
    traces: [{ message: 'up', position: at(source, [1, 1]) }],
    suggestions: ['y', 'z'],
  });
  const plain = renderDiagnostic(diagnostic);
  const coloured = renderDiagnostic(diagnostic, { colour: true });
  expect(coloured).toContain('\u001B[31;1merror:\u001B[0m x');
  expect(coloured).toContain('\u001B[34;1mat \u001B[35;1m«string»:1:1\u001B[0m:');
  // eslint-disable-next-line no-control-regex
  expect(coloured.replace(/\u001B\[[0-9;]*m/g, '').replace(/[ ]+$/gm, '')).toBe(plain);
});

describe('links', () => {
  const [start, end] = ['\u001B]8;;file://host/a%20b.nix#L1\u001B\\', '\u001B]8;;\u001B\\'];
  const diagnostic = error(`x ${start}not ours${end} \u001B]8;;http://else\u001B\\y`, {
    traces: [{ message: 'up', position: at('throw ""', [1, 1]) }],
  });

  test('stand around places, and change nothing else', () => {
    const linked = renderDiagnostic(error('x', { traces: diagnostic.traces }), {
      link: ({ line }) => `file://host/a%20b.nix#L${line}`,
    });
    expect(linked).toContain(`at ${start}«string»:1:1${end}:`);
    const plain = renderDiagnostic(error('x', { traces: diagnostic.traces }));
    expect(linked.replaceAll(start, '').replaceAll(end, '')).toBe(plain);
  });

  test('those of a program do not get to the terminal', () => {
    expect(renderDiagnostic(diagnostic)).toContain('error: x not ours y');
    const linked = renderDiagnostic(diagnostic, { link: () => 'file://host/other' });
    expect(linked).toContain('error: x not ours\u001B]8;;\u001B\\ y');
    expect(linked).not.toContain('http://else');
  });

  test('a place without one stays as it is', () => {
    expect(renderDiagnostic(diagnostic, { link: () => undefined })).toBe(renderDiagnostic(diagnostic));
  });
});
