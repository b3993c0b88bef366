// What a tree must be follows from Nix's grammar, and the offsets from the texts; literals have none, as in Nix; what the code must do is checked by
// its structure: every block that is referred to is there, every jump leads into its block.
import { encodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEvaluator } from './create-evaluator.ts';
import type { Evaluator, ProgramOutline, SyntaxNode } from './evaluator.ts';
import { emptyWorld } from './testing/empty-world.ts';

function start(url: URL): Evaluator {
  return createEvaluator({
    core: new WebAssembly.Module(readFileSync(url)),
    io: emptyWorld,
    settings: { experimentalFeatures: new Set(['pipe-operators']) },
  });
}

async function outline(evaluator: Evaluator, text: string): Promise<ProgramOutline> {
  return await evaluator.outline({ kind: 'string', text: encodeUtf8(text), directory: '/' });
}

/** A tree in one line: `Kind@offset:label(children)`. */
function print({ kind, offset, label, children }: SyntaxNode): string {
  const inside = children.length === 0 ? '' : `(${children.map(print).join(' ')})`;
  return `${kind}@${offset ?? ''}${label === '' ? '' : `:${label}`}${inside}`;
}

const everything = `
  let a = 1; f = x@{ y, z ? a, w ? g x, ... }: [ y z w x ]; g = v: v; s = "n\\t\${toString a}"; in
  with { b = 2.5; }; assert a == 1 -> !(b < 2);
  if f ? g.h || s != "" && true then (rec { c = d; inherit a; inherit (f) e; d = "x"; \${s} = 3; }).c or ./p
  else f { y = <nope>; } // { k.l = [ ] ++ [ 1 ]; } |> (m: -m * 2 / 3 - 1 + m)`;

describe.each([
  ['release', coreUrl],
  ['debug', debugCoreUrl],
])('outlines, %s core', (_, url) => {
  test.each([
    ['1', 'Integer@:1'],
    ['f x "a\\n"', 'Call@0(Variable@0:f Variable@2:x String@:"a\\n")'],
    ['{ b = 1; a.c = 2; }', 'Attrs@0(Binding@9:a(Attrs@(Binding@9:c(Integer@:2))) Binding@2:b(Integer@:1))'],
    [
      'x: { y ? 1 }: x.y or 2',
      'Lambda@0:x(Lambda@3(Formal@5:y(Integer@:1) Select@14:y(Variable@14:x Integer@:2)))',
    ],
    ['é', undefined],
  ])('%s', async (text, expected) => {
    const outlined = outline(start(url), text);
    if (expected === undefined) await expect(outlined).rejects.toMatchObject({ name: 'EvaluationError' });
    else expect(print((await outlined).tree)).toBe(expected);
  });

  test('all kinds of code refer to what is there', async () => {
    const evaluator = start(url);
    const { tree, code } = await outline(evaluator, everything);
    expect(print(tree)).toMatch(/^Let@\(Attrs/);
    expect(code[0]?.kind).toBe('file');
    const referred = new Set([0]);
    for (const { instructions } of code) {
      expect(instructions.at(-1)?.name).toBe('Return');
      for (const { offset, operands } of instructions) {
        if (offset !== undefined) expect(offset).toBeLessThan(everything.length);
        for (const [, block] of operands.matchAll(/@(\d+)/g)) referred.add(Number(block));
        for (const [, target] of operands.matchAll(/^>(\d+)/g)) {
          expect(Number(target)).toBeLessThanOrEqual(instructions.length);
        }
      }
    }
    expect([...referred].sort((a, b) => a - b)).toEqual(code.map((_block, index) => index));
  });

  test('an undefined variable is no reason to show nothing, and stays one not to evaluate', async () => {
    const evaluator = start(url);
    expect(print((await outline(evaluator, 'missing')).tree)).toBe('Variable@0:missing');
    const source = { kind: 'string', text: encodeUtf8('1'), directory: '/' } as const;
    await expect(evaluator.parse(source)).resolves.toBeDefined();
  });
});
