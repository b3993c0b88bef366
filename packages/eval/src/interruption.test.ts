/** Evaluations that are ended from outside, scopes of values, and what `nix repl` prints of a value. */
import { decodeUtf8, encodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEvaluator } from './create-evaluator.ts';
import { type EvalIO, EvalIOError } from './eval-io.ts';
import type { Evaluator, PrintLayout, Value } from './evaluator.ts';
import { createMemoryIO } from './memory-io.ts';

const modules = {
  release: new WebAssembly.Module(readFileSync(coreUrl)),
  debug: new WebAssembly.Module(readFileSync(debugCoreUrl)),
};

describe.each(Object.entries(modules))('the %s core', (_, core) => {
  const make = (io: EvalIO = createMemoryIO({ core })): Evaluator =>
    createEvaluator({ core, io, isInterruptible: true });

  async function evaluate(evaluator: Evaluator, text: string, scope?: Value): Promise<Value> {
    const source = { kind: 'string', text, directory: '/' } as const;
    if (scope === undefined) return await evaluator.evaluate(await evaluator.parse(source));
    return await evaluator.evaluate(await evaluator.parseIn(source, { scope, form: 'expression' }));
  }

  async function shown(evaluator: Evaluator, value: Value, layout?: PrintLayout): Promise<string> {
    return decodeUtf8(await evaluator.printEvaluated(value, layout));
  }

  test('an evaluation that does not end is interrupted, and what it was evaluating can be evaluated again', async () => {
    const evaluator = make();
    const scope = await evaluate(
      evaluator,
      "{ go = builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 1000000); }",
    );
    const running = evaluate(evaluator, 'go', scope);
    setTimeout(() => evaluator.interrupt(new Error('enough')), 5);
    await expect(running).rejects.toThrow('enough');
    expect(await shown(evaluator, await evaluate(evaluator, 'go', scope))).toBe('499999500000');
    const endless = evaluate(evaluator, 'let f = x: f (x + 1); in builtins.seq (f 0) 1');
    setTimeout(() => evaluator.interrupt(new Error('enough')), 60);
    await expect(endless).rejects.toThrow(/enough|stack overflow/);
    expect(await shown(evaluator, await evaluate(evaluator, '1 + 1'))).toBe('2');
  });

  test('an evaluation pauses where its host wants that, and fails where that is refused', async () => {
    const text = "builtins.foldl' (a: b: a + b) 0 (builtins.genList (x: x) 1000000)";
    let asked = 0;
    let turns = 0;
    const pausing = createEvaluator({
      core,
      io: createMemoryIO({ core }),
      pause: () => {
        asked += 1;
        if (asked % 2 === 0) return undefined;
        return new Promise((resolve) => {
          setImmediate(() => {
            turns += 1;
            resolve();
          });
        });
      },
    });
    expect(await shown(pausing, await evaluate(pausing, text))).toBe('499999500000');
    expect(asked).toBeGreaterThan(1);
    expect(turns).toBe(Math.ceil(asked / 2));
    const reason = new Error('enough');
    const refusing = createEvaluator({
      core,
      io: createMemoryIO({ core }),
      pause: () => Promise.reject(reason),
    });
    await expect(evaluate(refusing, text)).rejects.toBe(reason);
  });

  test('memory that runs out ends an evaluation only', async () => {
    const io = createMemoryIO({ core });
    const evaluator = createEvaluator({
      core,
      io,
      settings: { maxHeapBytes: 1 << 24 },
      isInterruptible: true,
    });
    const scope = await evaluate(
      evaluator,
      '{ x = builtins.length (builtins.genList (n: n) 9000000); y = { z = 1; }; }',
    );
    for (let round = 0; round < 3; round++) {
      await expect(evaluate(evaluator, 'x', scope)).rejects.toThrow('needs more memory');
      expect(await shown(evaluator, await evaluate(evaluator, 'y', scope))).toBe('{ z = 1; }');
    }
  });

  test('what has failed is tried again, and forgotten files are read again', async () => {
    let text: string | undefined;
    const evaluator = make({
      ...createMemoryIO({ core }),
      fileType: () => (text === undefined ? undefined : 'regular'),
      readFile: (path) => {
        if (text === undefined)
          throw new EvalIOError('not-found', `there is no ${decodeUtf8(path)}`, { path });
        return encodeUtf8(text);
      },
    });
    const scope = await evaluate(evaluator, '{ x = import /later.nix; }');
    await expect(evaluate(evaluator, 'x', scope)).rejects.toThrow('there is no /later.nix');
    text = '5';
    expect(await shown(evaluator, await evaluate(evaluator, 'x', scope))).toBe('5');
    text = '6';
    expect(await shown(evaluator, await evaluate(evaluator, 'import /later.nix'))).toBe('5');
    evaluator.forgetFiles();
    expect(await shown(evaluator, await evaluate(evaluator, 'import /later.nix'))).toBe('6');
  });

  test('a scope is static, and bindings are not recursive', async () => {
    const evaluator = make();
    const scope = await evaluate(evaluator, '{ a = 1; b = 2; map = 3; }');
    const source = { kind: 'string', directory: '/' } as const;
    const bind = async (text: string): Promise<string> => {
      const program = await evaluator.parseIn({ ...source, text }, { scope, form: 'bindings' });
      return await shown(evaluator, await evaluator.evaluate(program));
    };
    expect(await bind('x = a + b; b = 5; inherit a')).toBe('{ a = 1; b = 5; x = 3; }');
    expect(await bind('b = b + 1')).toBe('{ b = 3; }');
    expect(await bind('inherit ({ q = map; }) q;')).toBe('{ q = 3; }');
    expect(await bind('')).toBe('{ }');
    expect(await bind('a.b = 1; a.c = { d = 2; }')).toBe('{ a = { b = 1; c = { d = 2; }; }; }');
    await expect(bind('x = c')).rejects.toThrow("undefined variable 'c'");
    await expect(bind('x = 1; x = 2')).rejects.toThrow("attribute 'x' already defined");
    for (const text of [
      'x',
      'x =',
      'x = [',
      'x = { a = 1',
      'x = ({ a = 1',
      "x = ''",
      'inherit (',
      'x = { inherit a',
    ])
      await expect(bind(text), text).rejects.toThrow('unexpected end of file');
    for (const text of ['1', 'x = 1; 2', 'x = 1 ]', 'x y = 1'])
      await expect(bind(text), text).rejects.toThrow(/syntax error, unexpected (?!end of file)/);
    // `with` does not come before the scope.
    expect(await shown(evaluator, await evaluate(evaluator, 'with { a = 9; c = 7; }; [ a c ]', scope))).toBe(
      '[ 1 7 ]',
    );
  });

  // As Nix 2.34.8 prints them; only where the single item of something nested fails, it loses its indentation there.
  test.each([
    [
      '{ a = 1; b = { c = 2; }; l = [ 1 ]; e = { }; }',
      '{\n  a = 1;\n  b = { ... };\n  e = { ... };\n  l = [ ... ];\n}',
      1,
    ],
    [
      '{ a = 1; b = { c = 2; d = [ ]; }; l = [ 1 { z = 1; } ]; }',
      '{\n  a = 1;\n  b = {\n    c = 2;\n    d = [ ];\n  };\n  l = [\n    1\n    { z = 1; }\n  ];\n}',
      undefined,
    ],
    ['{ a = 1; }', '{ a = 1; }', 1],
    ['[ { a = 1; } ]', '[\n  { ... }\n]', 1],
    ['[ { a = [ ]; } ]', '[\n  {\n    a = [ ];\n  }\n]', undefined],
    ['let x = { inherit x; }; in x', '{\n  x = «repeated»;\n}', 1],
    ['[ (throw "a") 1 ]', '[\n  «error: a»\n  1\n]', 1],
    ['{ a = { b = throw "x"; }; }', '{\n  a = { b = «error: x»; };\n}', undefined],
    ['{ type = "derivation"; }', '«derivation»', 1],
    ['{ }', '{ }', 1],
    ['{ "a b" = 1; c = "q"; }', '{\n  "a b" = 1;\n  c = "q";\n}', 1],
  ])('prints %s with a layout', async (text, expected, depth) => {
    const evaluator = make();
    const value = await evaluate(evaluator, text);
    expect(await shown(evaluator, value, { depth, colour: false })).toBe(expected);
  });

  test('the only thing in a value fails with it', async () => {
    const evaluator = make();
    const layout = { depth: 1, colour: false };
    for (const text of ['{ a = throw "hey"; }', '[ (throw "hey") ]']) {
      const value = await evaluate(evaluator, text);
      await expect(shown(evaluator, value, layout), text).rejects.toThrow('hey');
    }
  });

  test('colours are those of Nix', async () => {
    const evaluator = make();
    const value = await evaluate(evaluator, '[ 1 1.5 true null "a" /b (throw "c") (x: x) map ]');
    const text = await shown(evaluator, value, { colour: true });
    const escape = String.fromCodePoint(0x1b);
    expect(text.replaceAll(escape, '^').split('\n  ').slice(1, -1)).toEqual([
      '^[36;1m1^[0m',
      '^[36;1m1.5^[0m',
      '^[36;1mtrue^[0m',
      '^[36;1mnull^[0m',
      '^[35;1m"a"^[0m',
      '^[32;1m/b^[0m',
      '^[31;1m«error: c»^[0m',
      '^[34;1m«lambda @ «string»:1:39»^[0m',
    ]);
  });

  test('functions and attributes know where they are written', async () => {
    const evaluator = make();
    const set = await evaluate(evaluator, '{\n  /** Doubles. */\n  double = x: x * 2;\n  n = 1;\n}');
    const [double] = evaluator.parts(set, { from: 0, count: 1 });
    if (double === undefined) throw new Error('there is one');
    const source = evaluator.functionSource(await evaluator.force(double.value));
    expect(source?.name).toBe('double');
    expect(source?.position).toMatchObject({ line: 3, column: 12 });
    expect(source?.documentation).toMatchObject({ line: 2, column: 3 });
    expect(evaluator.attributePosition(set, 'n')).toMatchObject({ line: 4, column: 3 });
    expect(evaluator.attributePosition(set, 'zork')).toBeUndefined();
    expect(evaluator.functionSource(set)).toBeUndefined();
  });
});
