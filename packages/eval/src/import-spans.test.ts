/** Files are spans within one another as their imports are. */
import { encodeUtf8 } from '@neve/bytes';
import { coreUrl, debugCoreUrl } from '@neve/language';
import { type RecordedSpan, RecordingTracer, setTracing } from '@neve/telemetry';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { createEvaluator } from './create-evaluator.ts';
import { createMemoryIO } from './memory-io.ts';

afterEach(() => setTracing(undefined));

const files = {
  '/outer.nix':
    'let failed = builtins.tryEval (import ./fails.nix); in builtins.seq failed.success (import ./plain.nix)',
  '/plain.nix': 'import ./inner.nix + 1',
  '/inner.nix': '41',
  '/fails.nix': 'throw (toString (import ./inner.nix))',
};

describe.each([
  ['release', new WebAssembly.Module(readFileSync(coreUrl))],
  ['debug', new WebAssembly.Module(readFileSync(debugCoreUrl))],
] as const)('%s core', (_, core) => {
  /** Of each import its file and that of the one around it, in the order of their ends. */
  async function importsOf(text: string): Promise<readonly (readonly [unknown, unknown])[]> {
    const spans: RecordedSpan[] = [];
    setTracing({
      tracer: new RecordingTracer((span) => spans.push(span)),
      activeSpans: { active: () => undefined, run: (_span, work) => work() },
    });
    const evaluator = createEvaluator({ core, io: createMemoryIO({ core, files }) });
    const program = await evaluator.parse({ kind: 'string', text: encodeUtf8(text), directory: '/' });
    await evaluator.evaluate(program).catch(() => {});
    const imports = spans.filter(({ name }) => name === 'eval.import');
    const fileOf = (id: string | undefined): unknown =>
      imports.find(({ context }) => context.spanId === id)?.attributes['code.file.path'];
    return imports.map(({ context, parent }) => [fileOf(context.spanId), fileOf(parent?.spanId)]);
  }

  test('a file is evaluated once, within what needs it first', async () => {
    expect(await importsOf('import ./plain.nix')).toEqual([
      ['/inner.nix', '/plain.nix'],
      ['/plain.nix', undefined],
    ]);
  });

  test('what fails ends with the file around it', async () => {
    expect(await importsOf('import ./outer.nix')).toEqual([
      ['/inner.nix', '/fails.nix'],
      ['/plain.nix', '/fails.nix'],
      ['/fails.nix', '/outer.nix'],
      ['/outer.nix', undefined],
    ]);
    expect(await importsOf('import ./fails.nix')).toEqual([
      ['/inner.nix', '/fails.nix'],
      ['/fails.nix', undefined],
    ]);
  });
});
