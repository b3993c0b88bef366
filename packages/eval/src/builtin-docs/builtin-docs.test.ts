import { decodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createEvaluator } from '../create-evaluator.ts';
import { EvaluationError, type EvaluatorSettings } from '../evaluator.ts';
import { evaluateJson } from '../evaluate-json.ts';
import { createMemoryIO } from '../memory-io.ts';
import { type BuiltinDoc, type BuiltinExample, builtinDocs, builtinSubjects } from './index.ts';

const core = new WebAssembly.Module(readFileSync(coreUrl));
const everyFeature = new Set([
  'ca-derivations',
  'dynamic-derivations',
  'fetch-closure',
  'fetch-tree',
  'flakes',
]);

function evaluatorWith(files: BuiltinExample['files'] = {}, settings: Partial<EvaluatorSettings> = {}) {
  const texts = Object.entries(files).flatMap(([name, text]) =>
    typeof text === 'string' ? [[`/example/${name}`, text]] : [],
  );
  const io = createMemoryIO({ core, files: Object.fromEntries(texts) as Record<string, string> });
  return createEvaluator({ core, io, settings: { experimentalFeatures: everyFeature, ...settings } });
}

async function valueOf(text: string, settings?: Partial<EvaluatorSettings>): Promise<unknown> {
  return await evaluateJson(evaluatorWith({}, settings), { kind: 'string', text, directory: '/' });
}

const names = (docs: readonly BuiltinDoc[]): string[] => docs.map(({ name }) => name).sort();

describe('the table', () => {
  test('names exactly the builtins of the evaluator', async () => {
    expect(names(builtinDocs)).toEqual(await valueOf('builtins.attrNames builtins'));
  });

  test('says which need an experimental feature', async () => {
    const plain = await valueOf('builtins.attrNames builtins', { experimentalFeatures: new Set<string>() });
    // The function itself asks for the feature; its name is there without.
    const asking = ['getFlake', 'parseFlakeRef', 'flakeRefToString'];
    const always = builtinDocs.filter(
      ({ experimentalFeature, name }) => experimentalFeature === undefined || asking.includes(name),
    );
    expect(names(always)).toEqual(plain);
  });

  test('says which are global', async () => {
    const found: string[] = [];
    for (const { name } of builtinDocs) {
      const bare = evaluatorWith().parse({ kind: 'string', text: name, directory: '/' });
      const isGlobal = await bare.then(
        () => true,
        () => false,
      );
      if (isGlobal) found.push(name);
    }
    expect(names(builtinDocs.filter(({ isGlobal }) => isGlobal))).toEqual(found.sort());
  });

  test('has as many parameters as the registry', () => {
    const folder = new URL('../../../language/assembly/builtins/', import.meta.url);
    const sources = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8'));
    const registered = sources.flatMap((source) =>
      [...source.matchAll(/\bdefine\(\s*"([^"]+)",\s*(\d)/g)].map(([, name, arity]) => [name, Number(arity)]),
    );
    // A function of the language, which calls `derivationStrict`.
    const expected = new Map([...registered, ['derivation', 1]] as [string, number][]);
    for (const { name, parameters } of builtinDocs) {
      expect(parameters.length, name).toBe(expected.get(name) ?? 0);
    }
    expect(registered.length).toBeGreaterThan(100);
  });

  test('has every subject', () => {
    expect(new Set(builtinDocs.map(({ subject }) => subject))).toEqual(new Set(Object.keys(builtinSubjects)));
  });
});

const examples = builtinDocs.flatMap((doc) => doc.examples.map((example) => ({ doc, example })));
const runnable = examples.filter(({ example }) => example.needs !== 'machine');

// Those that need a machine run in the documentation's harness.
describe.each([
  ['release', coreUrl],
  ['debug', debugCoreUrl],
])('examples in the %s core', (_, url) => {
  const module = new WebAssembly.Module(readFileSync(url));

  test.each(runnable.map((it) => [it.example.expression, it] as const))(
    '%s',
    async (expression, { doc, example }) => {
      const texts = Object.entries(example.files ?? {}).map(([name, text]) => [`/example/${name}`, text]);
      const io = createMemoryIO({ core: module, files: Object.fromEntries(texts) as Record<string, string> });
      const evaluator = createEvaluator({
        core: module,
        io,
        settings: { experimentalFeatures: everyFeature, writesStore: example.needs === 'store' },
      });
      const run = async (): Promise<string> => {
        const program = await evaluator.parse({ kind: 'string', text: expression, directory: '/example' });
        const value = await evaluator.evaluate(program);
        await evaluator.forceDeep(value);
        return decodeUtf8(await evaluator.print(value));
      };
      const error = doc.unsupported === undefined ? example.error : 'Neve cannot';
      if (error === undefined) expect(await run()).toBe(example.value);
      else await expect(run()).rejects.toThrow(error);
    },
  );
});

test('a failure is an error of evaluation', async () => {
  await expect(valueOf('throw "x"')).rejects.toBeInstanceOf(EvaluationError);
});
